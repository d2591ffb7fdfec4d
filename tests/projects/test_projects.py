"""Public projects on five machines: one command gives the torch and the family of builds that a person judged right.

The judgement is `data/projects.json` (its README says how it was made); nothing here or in the program shapes it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Ran, run_here, settings_of_nobody
from tests.projects.cases import Case, cases, machine_for, write_project
from tests.projects.standin import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.process

# The names of what a refusal must hold: the way out that stands in the facts of the extension.
WAYS_OUT = {
    "vllm-win_rtx3060_driver560": "WSL2",
    "vllm-linux_cpu": "+cpu",
    "vllm-mac_m3": "build it from source",
    "vllm-linux_rx7900xtx": "https://wheels.vllm.ai/rocm/",
}
ALL = tuple(cases())


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """PyPI and the PyTorch index on loopback, for all tests of this file."""
    with StandIn() as made:
        yield made


@pytest.fixture(scope="module")
def environ(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A user without settings, whose PyPI is the stand-in; uv's cache is shared by all tests of this file."""
    return settings_of_nobody(tmp_path_factory.mktemp("user"), standin.url)


@pytest.fixture
def resolve(environ: dict[str, str], tmp_path: Path) -> Callable[..., Ran]:
    """`torchdoctor resolve` of a project on a machine, in this process."""

    def run(case: Case, *more: object) -> Ran:
        options = write_project(case.project, tmp_path)
        machine = tmp_path / "machine.json"
        machine.write_text(json.dumps(machine_for(case.project, case.machine)), "utf-8")
        return run_here(["resolve", *options, "--machine", machine, "--json", *more], environ, tmp_path)

    return run


def chosen(ran: Ran) -> tuple[str, str]:
    """The torch version and the variant of a plan."""
    assert ran.status == 0, ran.out + ran.err
    document = ran.json
    return next(row["version"] for row in document["packages"] if row["name"] == "torch"), document["variant"]


@pytest.mark.parametrize(
    "case", [case for case in ALL if case.right.torch is not None], ids=lambda case: case.id
)
def test_a_project_gets_the_torch_and_the_family_that_are_right(
    case: Case, resolve: Callable[..., Ran]
) -> None:
    """`resolve` with the project's files chooses what a person would, from the bundled facts and PyPI."""
    torch, variant = chosen(resolve(case))
    assert case.right.admits(torch, variant), (torch, variant, case.right)


@pytest.mark.parametrize("case", [case for case in ALL if case.right.torch is None], ids=lambda case: case.id)
def test_a_project_without_a_build_for_the_machine_is_refused_with_the_way_out(
    case: Case, resolve: Callable[..., Ran]
) -> None:
    """Nothing is chosen that would not run: the refusal names the package and what to do instead."""
    ran = resolve(case)
    assert ran.status == 3, ran.out
    error = ran.json["error"]
    assert "vllm" in error["message"].lower()
    assert WAYS_OUT[case.id] in f"{error['message']} {error['fix']}"
