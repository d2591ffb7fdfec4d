"""A package without a wheel is built from its source: what was asked for at once, other code after consent."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.lock.conftest import LocalIndex
from tests.sdistmaker import add_sdist
from tests.workflows.recorder import Recorder
from tests.workflows.test_stack import NEEDED, WINDOWS
from torchdoctor.detect import Machine
from torchdoctor.errors import InstallFailed, NoSolution
from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.lock.model import LockRequest
from torchdoctor.lock.target import target_of
from torchdoctor.lock.uv_errors import read_uv_error
from torchdoctor.requirements import AskedRequirement, StackRequest
from torchdoctor.resolve import Request
from torchdoctor.sources import Source, Sources
from torchdoctor.workflows.source_builds import SourceBuilds, plan_with_builds
from torchdoctor.workflows.stack_facts import resolve_stack
from torchdoctor.workflows.stack_model import StackTask
from wheels_index import bundled

pytestmark = pytest.mark.process


@pytest.fixture
def index(tmp_path):
    folder = tmp_path / "index"
    folder.mkdir()
    index = LocalIndex(folder)
    for name in NEEDED:
        index.add(name, "99.0" if name != "numpy" else "2.4.0")
    return index


@pytest.fixture
def solved(tmp_path, index):
    """A function that resolves one requirement; `agreed` names what may be built."""

    def run(line, *, agreed=(), plan_only=False, more=()):
        machine = Machine.from_json(WINDOWS)
        request = LockRequest(
            python=Path(sys.executable),
            sources=Sources(torch=(), indexes=more, default_index=index.source, find_links=()),
            environ={**os.environ, "UV_CACHE_DIR": str(tmp_path / "cache")},
            machine=machine,
            target=target_of(machine),
        )
        (tmp_path / "run").mkdir(exist_ok=True)
        asked = AskedRequirement(line=line, name=Requirement(line).name, origin="--with")
        task = StackTask(
            stack=StackRequest(requirements=(asked,)), lock_request=request, run_dir=tmp_path / "run"
        )
        builds = SourceBuilds(
            cache=tmp_path / "home", report=Recorder(), agreed=frozenset(agreed), plan_only=plan_only
        )
        plan = resolve_stack(task, Request(), machine, bundled(), Recorder(), builds)
        return {package.name: package.version for package in plan.solved}

    return run


def test_a_pure_package_that_was_asked_for_is_built(solved, index):
    """With what its own metadata requires, in the newest version that was asked for."""
    index.add("needed", "3.0")
    for version in ("1.0", "2.0", "9.0"):
        add_sdist(index.folder, "only-source", version, requires=("needed>=3",))
    assert solved("only-source<9") == {"only-source": "2.0", "needed": "3.0"} | {
        name: version for name, version in solved("only-source<9").items() if name in NEEDED
    }


def test_a_dependency_is_built_after_consent_alone(solved, index):
    """Nobody asked for it by name, so its code does not run unasked."""
    add_sdist(index.folder, "only-source", "1.0", code="open('/dev/null').close()")
    index.add("asked", "1.0", requires=("only-source",))
    with pytest.raises(NoSolution) as caught:
        solved("asked")
    assert (caught.value.code, "--build only-source" in caught.value.fix) == ("build-consent", True)
    assert solved("asked", agreed=["only-source"])["only-source"] == "1.0"


def test_compiled_code_is_built_after_consent_alone(index, tmp_path):
    """Even where it was asked for by name."""
    add_sdist(index.folder, "only-source", "1.0", files={"fast.c": ""})
    request = LockRequest(
        python=Path(sys.executable),
        sources=Sources(torch=(), indexes=(), default_index=index.source, find_links=()),
        environ=dict(os.environ),
    )
    asked = AskedRequirement(line="only-source", name="only-source", origin="--with")
    task = StackTask(stack=StackRequest(requirements=(asked,)), lock_request=request, run_dir=tmp_path)
    unmet = RequirementsUnmet(
        "", fix="", error=read_uv_error(""), stderr="Because only-source==1.0 has no usable wheels and you"
    )
    builds = SourceBuilds(cache=tmp_path / "home", report=Recorder())
    with pytest.raises(NoSolution) as caught:
        builds.wheels_for(unmet, task)
    assert caught.value.code == "build-consent"
    (folder,) = replace(builds, agreed=frozenset({":all:"})).wheels_for(unmet, task)
    assert folder.name.endswith("-1.0.tar.gz")


def test_what_is_built_against_torch_is_refused_with_what_it_needs(solved, index):
    """A compiler, a toolkit, and torch first."""
    add_sdist(
        index.folder,
        "only-source",
        "1.0",
        files={"setup.py": "import torch\n", "csrc/a.cu": "", "csrc/a.cpp": ""},
    )
    with pytest.raises(NoSolution) as caught:
        solved("only-source", agreed=[":all:"])
    assert caught.value.code == "builds-against-torch"
    assert "nvcc" in caught.value.message


def test_a_build_that_fails_says_why(solved, index):
    """The last line of its own error."""
    add_sdist(index.folder, "only-source", "1.0", code="raise RuntimeError('no compiler on this planet')")
    with pytest.raises(InstallFailed) as caught:
        solved("only-source")
    assert "no compiler on this planet" in caught.value.message


def test_a_wheel_for_this_machine_alone_is_no_answer_for_another_one(solved, index):
    """The plan is for Windows."""
    add_sdist(index.folder, "only-source", "1.0", tag="cp311-cp311-linux_x86_64")
    with pytest.raises(NoSolution) as caught:
        solved("only-source")
    assert caught.value.code == "build-foreign"


def test_compiled_code_is_not_built_for_another_machine(solved, index):
    """A build of minutes whose wheel nobody can use: it is refused before, and a plan leaves it to the installation."""
    add_sdist(index.folder, "only-source", "1.0", files={"a.cpp": ""}, code="raise RuntimeError('it ran')")
    with pytest.raises(NoSolution) as caught:
        solved("only-source", agreed=[":all:"])
    assert caught.value.code == "build-foreign"
    assert "--without only-source" in caught.value.fix
    assert "only-source" not in solved("only-source", agreed=[":all:"], plan_only=True)


def test_extras_do_not_hide_that_a_package_has_no_wheel(solved, index):
    """uv names it with them."""
    add_sdist(index.folder, "only-source", "1.0")
    assert solved("only-source[fast]==1.0")["only-source"] == "1.0"


def test_an_index_that_has_a_release_without_a_file_for_the_machine_hides_none(solved, index, tmp_path):
    """The user's own index comes first; what it has for another system alone is taken from the next one."""
    (tmp_path / "own").mkdir()
    own = LocalIndex(tmp_path / "own")
    own.add("partly", "2.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    own.add("mine", "1.0")
    for name, version in (("partly", "2.0"), ("mine", "9.0")):
        index.add(name, version)
    assert solved("partly==2.0", more=(own.source,))["partly"] == "2.0"
    assert solved("mine", more=(own.source,))["mine"] == "1.0"


@pytest.mark.parametrize(
    ("url", "answer", "alike"),
    [
        ("https://corp.example/simple", None, False),
        ("https://corp.example/simple", True, True),
        ("file:///srv/wheels", None, True),
    ],
)
def test_the_order_of_indexes_is_given_up_after_consent_alone(tmp_path, url, answer, alike):
    """A name on a public index could stand in for a package of a private one; a folder is this machine's own."""
    first = Source(name="own", url=url, layout="simple", origin="pip.conf")
    request = LockRequest(
        python=Path(sys.executable),
        sources=Sources(torch=(), indexes=(first,), default_index=None, find_links=()),
        environ=dict(os.environ),
        offline=True,
    )
    asked = AskedRequirement(line="partly", name="partly", origin="--with")
    task = StackTask(stack=StackRequest(requirements=(asked,)), lock_request=request, run_dir=tmp_path)
    unmet = RequirementsUnmet(
        "", fix="", error=read_uv_error(""), stderr="Because partly==1.0 has no usable wheels and you"
    )
    seen = []

    def plan(each):
        seen.append(each.lock_request.sources.alike)
        if not seen[-1]:
            raise unmet

    builds = SourceBuilds(cache=tmp_path / "home", report=Recorder(answer=answer))
    if alike:
        plan_with_builds(task, builds, plan)
    else:
        with pytest.raises(RequirementsUnmet):
            plan_with_builds(task, builds, plan)
    assert seen == ([False, True] if alike else [False])
