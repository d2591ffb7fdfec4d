"""Further public projects: the torch and the family of builds that a person judged right, or the refusal.

`data/further.json` has their lines as they stand in the linked source. Of these the test asks for those that the
stand-in can serve; what it has no file of says nothing of torch.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement

from tests.projects.cases import DATA, Case, right_of
from tests.projects.standin import TORCH_PROJECTS, captured
from torchdoctor.requirements.direct import split_direct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Ran
    from tests.projects.standin import StandIn

pytestmark = pytest.mark.process
GITHUB = "https://github.com"


@cache
def rows() -> dict[str, dict[str, Any]]:
    return {row["project"]: row for row in json.loads((DATA / "further.json").read_text("utf-8"))}


def further_cases() -> Iterator[Case]:
    for project, row in rows().items():
        for machine, judged in row["right"].items():
            yield Case(project=project, machine=machine, right=right_of(judged))


ALL = tuple(further_cases())
# They ask as projects of `projects.json` do.
LIKE_OTHERS = ("F5-TTS", "stable-diffusion-webui-forge", "ms-swift")
PINNED = ("Open-Sora-linux_rtx5090_driver580", "LLaVA-linux_rx7900xtx")


def is_served(line: str, python: str) -> bool:
    """Whether the stand-in has a file of it: what it knows of PyPI, torch, and any wheel by URL."""
    if split_direct(line) is not None:
        return True
    requirement = Requirement(line)
    name = requirement.name.lower().replace("_", "-")
    return name in TORCH_PROJECTS or any(
        requirement.specifier.contains(version)
        and (
            row["requires_python"] is None
            or Requirement(f"x{row['requires_python']}").specifier.contains(python)
        )
        for version, row in captured().get(name, {}).items()
    )


def options_for(case: Case, folder: Path, standin: StandIn, file: str | None = None) -> tuple[str, ...]:
    """Write the file for the machine and return the options that name it."""
    row = rows()[case.project]
    name = file or row.get("files", {}).get(case.machine) or next(iter(row["requires"]))
    kept = [line for line in row["requires"][name] if is_served(line, f"{row['python']}.8")]
    path = folder / "requirements.txt"
    path.write_text("".join(f"{line.replace(GITHUB, standin.github_url)}\n" for line in kept), "utf-8")
    return ("-r", str(path))


def described(case: Case) -> dict[str, Any]:
    """The machine as JSON, with the Python of the project."""
    found: dict[str, Any] = json.loads((DATA / "machines" / f"{case.machine}.json").read_text("utf-8"))
    found["python"]["version"] = f"{rows()[case.project]['python']}.8"
    return found


def chosen(ran: Ran) -> tuple[str, str]:
    assert ran.status == 0, ran.out + ran.err
    return next(row["version"] for row in ran.json["packages"] if row["name"] == "torch"), ran.json["variant"]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.id, marks=[pytest.mark.slow] if case.project in LIKE_OTHERS else [])
        for case in ALL
        if case.right.torch is not None and case.id not in PINNED
    ],
)
def test_a_further_project_gets_the_torch_and_the_family_that_are_right(
    case: Case, resolve_for: Callable[..., Ran], tmp_path: Path, standin: StandIn
) -> None:
    """What a person would choose, by one command."""
    torch, variant = chosen(resolve_for(described(case), *options_for(case, tmp_path, standin)))
    assert case.right.admits(torch, variant), (torch, variant, case.right)


@pytest.mark.parametrize("case", [case for case in ALL if case.right.torch is None], ids=lambda case: case.id)
def test_a_further_project_is_refused_with_what_its_judge_says(
    case: Case, resolve_for: Callable[..., Ran], tmp_path: Path, standin: StandIn
) -> None:
    """The reason and the way out."""
    ran = resolve_for(described(case), *options_for(case, tmp_path, standin))
    assert ran.status == 3, ran.out
    assert case.right.why.partition(": ")[2] in ran.json["error"]["fix"]


@pytest.mark.parametrize("case", [case for case in ALL if case.id in PINNED], ids=lambda case: case.id)
def test_a_pin_of_a_further_project_that_excludes_the_gpu_is_refused_with_the_override(
    case: Case, resolve_for: Callable[..., Ran], tmp_path: Path, standin: StandIn
) -> None:
    """Which is then right."""
    options = options_for(case, tmp_path, standin)
    refused = resolve_for(described(case), *options)
    assert (refused.status, refused.json["error"]["kind"]) == (3, "pin-excludes-gpu"), refused.out
    override = re.search(r"--override '([^']+)'", refused.json["error"]["fix"])
    assert override is not None
    torch, variant = chosen(resolve_for(described(case), *options, "--override", override[1]))
    assert case.right.admits(torch, variant), (torch, variant)


def test_a_file_for_nvidia_is_refused_where_there_is_none(
    resolve_for: Callable[..., Ran], tmp_path: Path, standin: StandIn
) -> None:
    """The error names the wheel and what it is built for; the project has another file for this machine."""
    case = next(case for case in ALL if case.id == "text-generation-webui-linux_cpu")
    ran = resolve_for(described(case), *options_for(case, tmp_path, standin, "requirements.txt"))
    assert (ran.status, ran.json["error"]["kind"]) == (3, "no-torch-for-wheel"), ran.out
    assert "is built for torch 2.9 and CUDA 12" in ran.json["error"]["message"]
