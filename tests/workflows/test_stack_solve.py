"""Several solves of one stack over builds of different variants: what need not be asked again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.lock.conftest import LocalIndex
from tests.workflows.recorder import Recorder
from tests.workflows.test_stack import NEEDED, NEW_DRIVER
from torchdoctor.detect import Machine
from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.lock.model import LockRequest
from torchdoctor.lock.target import target_of
from torchdoctor.requirements import AskedRequirement, StackRequest
from torchdoctor.resolve import Request, rank
from torchdoctor.resolve.offline import offered_by_facts
from torchdoctor.sources import Sources
from torchdoctor.workflows.stack_model import StackTask
from torchdoctor.workflows.stack_solve import StackSolver
from wheels_index import bundled

pytestmark = pytest.mark.process


@pytest.fixture
def index(tmp_path):
    """An index with what torch and torchvision require."""
    folder = tmp_path / "index"
    folder.mkdir()
    index = LocalIndex(folder)
    for name in NEEDED:
        index.add(name, "99.0" if name != "numpy" else "2.4.0")
    return index


@pytest.fixture
def solver(tmp_path, index):
    """A function that makes a solver of requirement lines, with the folder in which its runs of uv work."""

    def make(**asked):
        machine = Machine.from_json(NEW_DRIVER)
        lines = tuple(
            AskedRequirement(line=f"{name}{wanted}", name=name, origin="a test")
            for name, wanted in asked.items()
        )
        runs = tmp_path / "runs"
        runs.mkdir()
        request = LockRequest(
            python=Path(sys.executable),
            sources=Sources(torch=(), indexes=(), default_index=index.source, find_links=()),
            environ={**os.environ, "UV_CACHE_DIR": str(tmp_path / "cache")},
            machine=machine,
            target=target_of(machine),
        )
        task = StackTask(stack=StackRequest(requirements=lines), lock_request=request, run_dir=runs)
        return StackSolver(task, Request(), Recorder()), runs

    return make


def _builds(variant):
    machine = Machine.from_json(NEW_DRIVER)
    candidates = rank(machine, Request(), bundled()).candidates
    return offered_by_facts([c for c in candidates if c.variant == variant], machine, Request(), bundled())


def _runs(folder):
    return len(list(folder.glob("*/requirements.in")))


def test_what_other_packages_exclude_is_not_tried_with_another_variant(index, solver):
    """No build of torch helps where the proof names none."""
    index.add("left", "1.0", requires=("shared<2",))
    index.add("right", "1.0", requires=("shared>=2",))
    index.add("shared", "1.0")
    index.add("shared", "2.0")
    made, folder = solver(left="", right="")
    with pytest.raises(RequirementsUnmet):
        made.solve(_builds("cu130"))
    runs = _runs(folder)
    with pytest.raises(RequirementsUnmet, match="shared"):
        made.solve(_builds("cu126"))
    assert _runs(folder) == runs


def test_what_excludes_a_torch_is_tried_with_another_variant(index, solver):
    """The release that is wanted has a build of the other variant alone."""
    index.add("speech", "1.0", requires=("torch==2.8.0",))
    made, _ = solver(speech="")
    with pytest.raises(RequirementsUnmet):
        made.solve(_builds("cu130"))
    assert made.solve(_builds("cu129")).solution.versions["torch"] == "2.8.0+cu129"


def test_a_second_variant_is_one_run_of_uv(index, solver):
    """Which versions are newest, and why one cannot be taken, is known from the first."""
    index.add("left", "1.0", requires=("right<2",))
    index.add("right", "1.0")
    index.add("right", "2.0")
    made, folder = solver(left="", right="")
    first = made.solve(_builds("cu130"))
    assert "left 1.0 wants right <2" in first.why_below["right"]
    runs = _runs(folder)
    second = made.solve(_builds("cu126"))
    assert second.why_below == first.why_below
    assert _runs(folder) == runs + 1
