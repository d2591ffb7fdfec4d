"""Every environment on this machine that can be found by looking: what it holds, and who runs it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.kernel import list_kernels
from torchdoctor.kernel.interpreter import package_folders, python_in, torch_version_and_variant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torchdoctor.core.system import System

__all__ = ["EnvironmentLocation", "environments", "warnings_for"]

_MOST = 300
_CONDA_LIST = 1 << 20
# Folders in which people keep environments, below the home folder.
_HOMES = (
    ".virtualenvs", "envs", "venvs", ".venvs", ".conda/envs", "miniconda3/envs", "anaconda3/envs", "miniforge3/envs",
    "mambaforge/envs", ".pyenv/versions", ".local/share/virtualenvs",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentLocation:
    """An environment: where, which Python and torch, and by whom it is known: the shell, kernels, conda."""

    prefix: Path
    python: Path
    python_version: str | None
    torch: str | None
    build: str | None
    known_by: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The environment as it stands in `--json`."""
        return {
            "path": str(self.prefix),
            "python": str(self.python),
            "python_version": self.python_version,
            "torch": self.torch,
            "variant": self.build,
            "known_by": list(self.known_by),
        }


def environments(system: System, *, here: Path) -> tuple[EnvironmentLocation, ...]:
    """Environments in the usual folders, those that conda and Jupyter know, and the active one; nothing is run."""
    known: dict[Path, list[str]] = {}
    for prefix, by in _candidates(system, here):
        known.setdefault(prefix, [])
        if by:
            known[prefix].append(by)
    rows = []
    for prefix, names in list(known.items())[:_MOST]:
        python = python_in(system, prefix)
        if python is None:
            continue
        torch, build = torch_version_and_variant(system, package_folders(system, prefix))
        rows.append(
            EnvironmentLocation(
                prefix=prefix, python=python, python_version=_version(system, prefix), torch=torch, build=build,
                known_by=tuple(dict.fromkeys(names)),
            )
        )  # fmt: skip
    return tuple(rows)


def warnings_for(rows: Sequence[EnvironmentLocation]) -> tuple[str, ...]:
    """What is easily mistaken: a notebook's Python has no torch, and another environment has."""
    other = next((row for row in rows if row.torch), None)
    if other is None:
        return ()
    notes = []
    for row in rows:
        kernels = [text for text in row.known_by if text.startswith("kernel ")]
        if kernels and not row.torch:
            notes.append(
                message(
                    "{kernels} runs {place}, which has no torch; {other} has torch {version}",
                    kernels=joined(kernels),
                    place=row.prefix,
                    other=other.prefix,
                    version=other.torch,
                )
            )
        elif "active" in row.known_by and not row.torch:
            notes.append(
                message(
                    "the active environment {place} has no torch; {other} has torch {version}",
                    place=row.prefix,
                    other=other.prefix,
                    version=other.torch,
                )
            )
    return tuple(notes)


def _candidates(system: System, here: Path) -> Iterator[tuple[Path, str]]:
    environ = system.environ
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if environ.get(variable):
            yield Path(environ[variable]), message("active")
    for name in (".venv", "venv", "env"):
        yield here / name, ""
    for kernel in list_kernels(system):
        if kernel.prefix is not None and kernel.hidden_by is None:
            yield kernel.prefix, message("kernel {kernel}", kernel=kernel.name)
    home = _home(environ)
    for prefix in _conda(system, home):
        yield prefix, "conda"
    for folder in _HOMES:
        for path in sorted(system.glob(f"{home}/{folder}/*"))[:_MOST]:
            yield Path(path), ""


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")  # noqa: PTH111  # text


def _conda(system: System, home: str) -> list[Path]:
    """conda keeps a list: https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/."""
    text = system.read_text(f"{home}/.conda/environments.txt", limit=_CONDA_LIST) or ""
    return [Path(line.strip()) for line in text.splitlines() if line.strip()]


def _version(system: System, prefix: Path) -> str | None:
    """From pyvenv.cfg, or from the name of the library's folder."""
    text = system.read_text(str(prefix / "pyvenv.cfg"), limit=1 << 14) or ""
    for line in text.splitlines():
        name, _sign, value = line.partition("=")
        if name.strip() in ("version", "version_info"):
            return value.strip()
    folders = [Path(path).name for path in system.glob(f"{prefix}/lib/python3.*")]
    return folders[0].removeprefix("python") if folders else None
