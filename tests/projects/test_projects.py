"""Public projects on five machines: one command gives the torch and the family of builds that a person judged right.

The judgement is `data/projects.json` (its README says how it was made); nothing here or in the program shapes it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.projects.cases import Case, cases, machine_for, write_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran
    from tests.projects.standin import StandIn

pytestmark = pytest.mark.process

# What a refusal must name: the way out for that machine.
WAYS_OUT = {
    "vllm-win_rtx3060_driver560": "WSL2",
    "vllm-linux_cpu": "+cpu",
    "vllm-mac_m3": "build it from source",
    "vllm-linux_rx7900xtx": "https://wheels.vllm.ai/rocm/",
}
ALL = tuple(cases())
# A pin that excludes the GPU: refused with the override that serves it, which is then right.
PINNED = "fooocus-linux_rtx5090_driver580"


def chosen(ran: Ran) -> tuple[str, str]:
    """The torch version and the variant of a plan."""
    assert ran.status == 0, ran.out + ran.err
    document = ran.json
    return next(row["version"] for row in document["packages"] if row["name"] == "torch"), document["variant"]


@pytest.mark.parametrize(
    "case",
    [case for case in ALL if case.right.torch is not None and case.id != PINNED],
    ids=lambda case: case.id,
)
def test_a_project_gets_the_torch_and_the_family_that_are_right(
    case: Case, resolve_for: Callable[..., Ran], tmp_path: Path, openmmlab: None
) -> None:
    """`resolve` with the project's files chooses what a person would, from the bundled facts and PyPI."""
    ran = resolve_for(machine_for(case.project, case.machine), *write_project(case.project, tmp_path))
    torch, variant = chosen(ran)
    assert case.right.admits(torch, variant), (torch, variant, case.right)


@pytest.mark.parametrize(
    "case", [case for case in ALL if case.project in ("comfyui", "nanochat")], ids=lambda case: case.id
)
def test_the_pages_of_the_index_give_the_same_choice_as_the_facts(
    case: Case, resolve_for: Callable[..., Ran], tmp_path: Path, standin: StandIn
) -> None:
    """Where an index is named, its pages and the metadata of its files decide."""
    options = (*write_project(case.project, tmp_path), "--index-url", standin.torch_url)
    torch, variant = chosen(resolve_for(machine_for(case.project, case.machine), *options))
    assert case.right.admits(torch, variant), (torch, variant, case.right)


def test_a_pin_that_excludes_the_gpu_is_refused_with_the_override_that_is_right(
    resolve_for: Callable[..., Ran], tmp_path: Path, openmmlab: None
) -> None:
    """The CPU comes only after it."""
    case = next(case for case in ALL if case.id == PINNED)
    options = write_project(case.project, tmp_path)
    refused = resolve_for(machine_for(case.project, case.machine), *options)
    assert (refused.status, refused.json["error"]["kind"]) == (3, "pin-excludes-gpu"), refused.out
    override = re.search(r"--override '([^']+)'", refused.json["error"]["fix"])
    assert override is not None
    ran = resolve_for(machine_for(case.project, case.machine), *options, "--override", override[1])
    torch, variant = chosen(ran)
    assert case.right.admits(torch, variant), (torch, variant, case.right)


@pytest.mark.parametrize("case", [case for case in ALL if case.right.torch is None], ids=lambda case: case.id)
def test_a_project_without_a_build_for_the_machine_is_refused_with_the_way_out(
    case: Case, resolve_for: Callable[..., Ran], tmp_path: Path
) -> None:
    """Nothing is chosen that would not run: the refusal names the package and what to do instead."""
    ran = resolve_for(machine_for(case.project, case.machine), *write_project(case.project, tmp_path))
    assert ran.status == 3, ran.out
    error = ran.json["error"]
    assert case.project in error["message"]
    assert WAYS_OUT[case.id] in error["fix"]
