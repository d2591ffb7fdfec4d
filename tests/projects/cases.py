"""The public projects of `data/projects.json`: their files, the command for each, and what is right where."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent / "data"

# vLLM is asked for by its name: its files name others that are not among the data.
NAMED = {"vllm": ("--with", "vllm")}
# These have requirements in several files; the first file of any other project is all that its users install.
FILES = {
    "fooocus": ("requirements_versions.txt", "requirements_docker.txt"),
    "mmdetection": ("requirements/build.txt", "requirements/mminstall.txt"),
}
# The line of mmdetection's file is older than what it asks for (`asks`), which the judgement rests on.
REPLACED = {"mmcv>=2.0.0rc1,<2.1.0": "mmcv>=2.0.0rc4,<2.2.0"}


@dataclass(frozen=True, kw_only=True)
class Right:
    """What is right for one project on one machine, as a person judged it; `torch` None stands for a refusal."""

    torch: SpecifierSet | None
    exact: Version | None  # the release that was meant at the time, where one was named
    families: frozenset[str]
    at_least: str | None  # `cu128`, where any newer family is right too
    why: str

    def admits(self, torch: str, variant: str) -> bool:
        """Say whether a torch version and the variant of its build are what is right."""
        version = Version(Version(torch).public)
        if self.torch is None or not self.torch.contains(version, prereleases=True):
            return False
        if self.exact is not None and version != self.exact:
            return False
        newer = self.at_least is not None and _toolkit(variant) >= _toolkit(self.at_least)
        return variant in self.families or newer


@dataclass(frozen=True, kw_only=True)
class Case:
    """One project on one machine."""

    project: str
    machine: str
    right: Right

    @property
    def id(self) -> str:
        return f"{self.project.replace('/', '-')}-{self.machine}"


@cache
def projects() -> dict[str, dict[str, Any]]:
    """The rows of the file, by project."""
    return {row["project"]: row for row in json.loads((DATA / "projects.json").read_text("utf-8"))}


def cases() -> Iterator[Case]:
    """Every project on every machine."""
    for project, row in projects().items():
        for machine, judged in row["right"].items():
            yield Case(project=project, machine=machine, right=right_of(judged))


def machine_for(project: str, machine: str) -> dict[str, Any]:
    """The machine as JSON, with the Python that the project asks for."""
    found: dict[str, Any] = json.loads((DATA / "machines" / f"{machine}.json").read_text("utf-8"))
    found["python"]["version"] = f"{projects()[project]['python']}.8"
    return found


def write_project(project: str, folder: Path) -> tuple[str, ...]:
    """Write a project's files into a folder, and return the options that name them."""
    if project in NAMED:
        return NAMED[project]
    requires = projects()[project]["requires"]
    names = FILES.get(project, tuple(requires)[:1])
    if names == ("pyproject.toml",):
        (folder / "pyproject.toml").write_text(_pyproject(project, requires["pyproject.toml"]), "utf-8")
        return ("--project", str(folder))
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{REPLACED.get(line, line)}\n" for line in requires[name]), "utf-8")
    return tuple(word for name in names for word in ("-r", str(folder / name)))


def _pyproject(project: str, lines: list[str]) -> str:
    """A pyproject.toml of the lines: `[extra] line` of extras, `uv.sources {...}` of uv's table."""
    dependencies: list[str] = []
    extras: dict[str, list[str]] = {}
    uv: dict[str, Any] = {}
    for line in lines:
        if found := re.match(r"uv\.(\w+) (.+)", line):
            uv[found[1]] = json.loads(found[2])
        elif found := re.match(r"\[([\w-]+)\] (.+)", line):
            extras.setdefault(found[1], []).append(found[2])
        else:
            dependencies.append(line)
    table: dict[str, Any] = {
        "project": {
            "name": project,
            "version": "1.0",
            "requires-python": f">={projects()[project]['python']}",
            "dependencies": dependencies,
            "optional-dependencies": extras,
        }
    }
    if uv:
        table["tool"] = {"uv": uv}
    return tomli_w.dumps(table)


def right_of(judged: dict[str, Any]) -> Right:
    """What a row of the judgement says."""
    text = judged["torch"]
    family = judged["family"] or ""
    # `cu130 (cu132 only if torchaudio has that build)`: torchaudio 2.11.1 of 2026-10-28 on PyPI is a cu132 build.
    if "torchaudio" in judged.get("why", "") and "2.15.0" in (text or "") and family.startswith("cu130"):
        family = f"{family} cu132"
    specifier = exact = None
    if text is not None:
        specifier = SpecifierSet((re.match(r"[<>=~!][^ (]*", text) or [""])[0])
        exact = _version_in(text)
    return Right(
        torch=specifier,
        exact=exact,
        # On a Mac there is one wheel, which the index lists under `cpu`.
        families=frozenset(re.findall(r"cu\d{3}|rocm[\d.]+\d|cpu|xpu", family.replace("macos-arm64", "cpu"))),
        at_least=(re.search(r"(cu\d{3})\+", family) or [None, None])[1],
        why=judged.get("why", ""),
    )


def _version_in(text: str) -> Version | None:
    """The release in brackets: `newest (2.15.0, macOS 14+)`."""
    found = re.search(r"\(([\d.]+)", text)
    try:
        return Version(found[1]) if found else None
    except InvalidVersion:
        return None


def _toolkit(variant: str) -> tuple[int, ...]:
    return (int(variant[2:]),) if re.fullmatch(r"cu\d{3}", variant) else ()
