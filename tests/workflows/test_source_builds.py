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
from tests.wheelmaker import make_wheel
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
from torchdoctor.sources.sdists import list_files
from torchdoctor.workflows.build_rounds import plan_with_builds
from torchdoctor.workflows.source_builds import SourceBuilds
from torchdoctor.workflows.source_search import SourceSearch
from torchdoctor.workflows.stack_facts import resolve_stack
from torchdoctor.workflows.stack_model import StackTask
from wheels_index import bundled

pytestmark = pytest.mark.process

# Static metadata: https://packaging.python.org/en/latest/specifications/core-metadata/#dynamic
TELLS = {"PKG-INFO": "Metadata-Version: 2.2\nName: x\nVersion: 1.0\n"}


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

    def run(*lines, agreed=(), plan_only=False, more=(), links=(), report=None):
        machine = Machine.from_json(WINDOWS)
        request = LockRequest(
            python=Path(sys.executable),
            sources=Sources(torch=(), indexes=more, default_index=index.source, find_links=links),
            environ={**os.environ, "UV_CACHE_DIR": str(tmp_path / "cache")},
            machine=machine,
            target=target_of(machine),
        )
        (tmp_path / "run").mkdir(exist_ok=True)
        asked = tuple(
            AskedRequirement(line=line, name=Requirement(line).name, origin="--with") for line in lines
        )
        task = StackTask(
            stack=StackRequest(requirements=asked), lock_request=request, run_dir=tmp_path / "run"
        )
        builds = SourceBuilds(
            cache=tmp_path / "home",
            report=report or Recorder(),
            agreed=frozenset(agreed),
            plan_only=plan_only,
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
    assert solved("asked")["only-source"] == "1.0"  # built before: none of its code runs again
    add_sdist(index.folder, "only-source", "1.0", code="open('/dev/zero').close()")
    with pytest.raises(NoSolution):
        solved("asked")


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
    builds, search = SourceBuilds(cache=tmp_path / "home", report=Recorder()), SourceSearch(request=request)
    with pytest.raises(NoSolution) as caught:
        builds.provide(["only-source"], (), task, search)
    assert caught.value.code == "build-consent"
    (folder,) = (
        replace(builds, agreed=frozenset({":all:"})).provide(["only-source"], (), task, search).folders
    )
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
    # What says itself what it needs takes part in the choice.
    add_sdist(index.folder, "told", "1.0", files={"a.cpp": "", **TELLS}, code="raise RuntimeError('it ran')")
    assert solved("told", agreed=[":all:"], plan_only=True)["told"] == "1.0"


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


def test_where_indexes_are_asked_alike_the_sources_of_all_count(solved, index, tmp_path):
    """The first index has both for another system; of one the next index has a wheel, of the other a source."""
    (tmp_path / "own").mkdir()
    own = LocalIndex(tmp_path / "own")
    for name in ("partly", "sourced"):
        own.add(name, "2.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    index.add("partly", "2.0")
    add_sdist(index.folder, "sourced", "2.0", files=info("sourced", "2.0"))
    found = solved("partly==2.0", "sourced==2.0", more=(own.source,), plan_only=True)
    assert found["sourced"] == "2.0"


def test_a_folder_keeps_nothing_that_was_named_below_its_newest_version(solved, index, tmp_path):
    """What the newest one requires lies in a folder that comes first, for another Python."""
    (tmp_path / "own").mkdir()
    own = LocalIndex(tmp_path / "own")
    own.add("part", "1.0")
    own.add("part", "2.0", tag="cp32-cp32-manylinux_2_17_x86_64")
    index.add("part", "2.0")
    index.add("whole", "1.0", requires=("part<2",))
    index.add("whole", "2.0", requires=("part>=2",))
    assert solved("whole", more=(own.source,))["whole"] == "2.0"


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


@pytest.fixture
def solves(monkeypatch):
    """What each solve was asked for, in order."""
    from torchdoctor.workflows import stack_solve

    solve, seen = stack_solve.solve, []

    def counted(lines, *args, **more):
        seen.append(list(lines))
        return solve(lines, *args, **more)

    monkeypatch.setattr(stack_solve, "solve", counted)
    return seen


def info(project, version, *requires, extra=""):
    lines = "".join(f"Requires-Dist: {line}\n" for line in requires)
    return {"PKG-INFO": f"Metadata-Version: 2.2\nName: {project}\nVersion: {version}\n{extra}{lines}"}


def test_all_packages_without_a_wheel_cost_one_more_solve(solved, index, solves):
    """Also those that they need themselves, in the version that they need; the next time there is none in vain."""
    index.add("needed", "3.0")
    add_sdist(index.folder, "one", "1.0", files=info("one", "1.0", "inner<2", "needed"))
    add_sdist(index.folder, "two", "1.0", files=info("two", "1.0"))
    for version in ("1.0", "2.0"):
        add_sdist(index.folder, "inner", version, files=info("inner", version))
    found = solved("one", "two", plan_only=True)
    assert {name: found.get(name) for name in ("one", "two", "inner", "needed")} == {
        "one": "1.0", "two": "1.0", "inner": "1.0", "needed": "3.0",
    }  # fmt: skip
    assert len(solves) == 2
    solves.clear()
    assert solved("one", "two", plan_only=True) == found
    assert len(solves) == 1


def test_extras_of_a_package_without_a_wheel_count(solved, index):
    """What only an extra needs is there with that extra alone."""
    index.add("needed", "3.0")
    extra = "Provides-Extra: fast\n"
    add_sdist(index.folder, "one", "1.0", files=info("one", "1.0", 'needed; extra == "fast"', extra=extra))
    assert "needed" in solved("one[fast]", plan_only=True)
    assert "needed" not in solved("one", plan_only=True)


def test_an_older_source_is_offered_where_the_newest_is_not_wanted(solved, index):
    """A wheel limits it, which is known after a solve only."""
    for version in ("1.0", "2.0", "3.0"):
        add_sdist(index.folder, "inner", version, files=info("inner", version))
    index.add("asked", "1.0", requires=("inner<3",))
    assert solved("asked", plan_only=True)["inner"] == "2.0"


def test_what_is_not_chosen_is_not_built(solved, index):
    """The package that needed it the last time has a wheel now, which needs it no more."""
    broken = "raise RuntimeError('it ran')"
    add_sdist(index.folder, "inner", "1.0", files=info("inner", "1.0"), code=broken)
    index.add("asked", "1.0", requires=("inner",))
    assert solved("asked", plan_only=True)["inner"] == "1.0"
    index.add("asked", "2.0")
    assert "inner" not in solved("asked", agreed=[":all:"])


def test_one_question_stands_for_all_builds(solved, index):
    """And one line says how to agree to all."""
    for name in ("one", "two"):
        add_sdist(index.folder, name, "1.0", files=info(name, "1.0"))
    index.add("asked", "1.0", requires=("one", "two"))
    report = Recorder()
    with pytest.raises(NoSolution) as caught:
        solved("asked", report=report)
    assert len(report.questions) == 1
    assert "--build one --build two" in caught.value.fix
    assert solved("asked", report=Recorder(answer=True))["two"] == "1.0"


def test_an_index_before_another_stays_first_where_the_other_has_no_wheel_either(solved, index, tmp_path):
    """Nothing would be gained, so nobody is asked and nothing is solved again for it."""
    (tmp_path / "own").mkdir()
    own = LocalIndex(tmp_path / "own")
    own.add("mine", "1.0")
    add_sdist(index.folder, "one", "1.0", files=info("one", "1.0"))
    report = Recorder()
    assert solved("one", "mine", more=(own.source,), plan_only=True, report=report)["one"] == "1.0"
    assert not any("asked alike" in text for text in report.notes)


def test_what_only_a_later_build_needs_was_not_asked_for_by_name(solved, index):
    """Its code does not run unasked either, in a version that something else requires."""
    index.add("wanted", "1.0", requires=("needed<2",))
    index.add("needed", "3.0")
    add_sdist(index.folder, "needed", "1.0", code="raise RuntimeError('it ran')")
    add_sdist(
        index.folder, "fast", "1.0", files={"setup.py": "import torch\n", **info("fast", "1.0", "needed")}
    )
    (index.folder / "needed" / "needed-3.0-py3-none-any.whl").unlink()
    with pytest.raises(NoSolution) as caught:
        solved("fast", "wanted", plan_only=True)
    assert caught.value.code == "build-consent"


def test_a_requires_python_of_old_times_stops_no_solve(solved, index):
    """uv reads none of what some pages say; the Python was compared before."""
    add_sdist(index.folder, "old", "1.0", files=info("old", "1.0"))
    page = index.folder / "old" / "index.html"
    page.write_text(page.read_text().replace("<a ", '<a data-requires-python="&gt;=3.6.*" '))
    assert solved("old", plan_only=True)["old"] == "1.0"


def test_the_requirements_of_a_source_are_looked_at_up_to_a_limit(index, tmp_path, monkeypatch):
    """Each name is a page to read."""
    lines = [f"part-{number}" for number in range(500)]
    add_sdist(index.folder, "many", "1.0", files=info("many", "1.0", *lines))
    request = LockRequest(
        python=Path(sys.executable),
        sources=Sources(torch=(), indexes=(), default_index=index.source, find_links=()),
        environ=dict(os.environ),
    )
    looked_at = []
    monkeypatch.setattr(SourceSearch, "read_ahead", lambda _, wanted: looked_at.extend(wanted))
    search = SourceSearch(request=request)
    monkeypatch.setattr(SourceSearch, "has_wheel", lambda *_: True)
    files = list_files("many", request.sources)
    search._found["many"] = files
    task = StackTask(stack=StackRequest(), lock_request=request, run_dir=tmp_path)
    SourceBuilds(cache=tmp_path / "home", report=Recorder()).provide(["many"], (), task, search)
    assert len(looked_at) < 300


def test_what_a_build_against_torch_needs_counts_as_it_does_on_the_machine(solved, index):
    """Neither what only an extra needs nor what another system or Python needs."""
    index.add("needed", "3.0")
    requires = ("needed", 'triton==1.0; extra == "sparse"', 'needed<2; python_version < "3.6"')
    extra = "Provides-Extra: sparse\n"
    files = {"setup.py": "import torch\n", **info("fast", "1.0", *requires, extra=extra)}
    add_sdist(index.folder, "fast", "1.0", files=files)
    found = solved("fast", plan_only=True)
    assert (found["needed"], "triton" in found) == ("3.0", False)


def test_a_comparison_that_fails_costs_no_plan(tmp_path, index):
    """Why another torch is not taken cannot be told where an index hides a file; the plan stands nonetheless."""
    first = Source(name="own", url=index.source.url, layout="simple", origin="pip.conf")
    request = LockRequest(
        python=Path(sys.executable),
        sources=Sources(torch=(), indexes=(first,), default_index=index.source, find_links=()),
        environ=dict(os.environ),
    )
    task = StackTask(stack=StackRequest(), lock_request=request, run_dir=tmp_path)
    unmet = RequirementsUnmet(
        "", fix="", error=read_uv_error(""), stderr="Because partly==1.0 has no usable wheels and you"
    )
    unmet.is_of_comparison = True
    seen = []

    def plan(each):
        seen.append(each.keeps_order)
        if not seen[-1]:
            raise unmet

    plan_with_builds(task, SourceBuilds(cache=tmp_path / "home", report=Recorder()), plan)
    assert seen == [False, True]


def test_a_wheel_in_a_folder_of_links_is_not_passed_over(solved, index, tmp_path):
    """Its source on the index is newer, and another package without a wheel is looked for."""
    (tmp_path / "links").mkdir()
    name, content = make_wheel("mine", "1.0", tag="py3-none-any")
    (tmp_path / "links" / name).write_bytes(content)
    links = Source(name="links", url=(tmp_path / "links").as_uri(), layout="flat", origin="--find-links")
    for each in ("one", "mine"):
        add_sdist(index.folder, each, "2.0", files=info(each, "2.0"))
    found = solved("one", "mine", plan_only=True, links=(links,))
    assert (found["one"], found["mine"]) == ("2.0", "1.0")


def test_no_older_source_is_offered_where_its_version_is_not_in_the_way(solved, index):
    """What it requires is nowhere: an ancient source, whose build nobody meant, would not tell that."""
    add_sdist(index.folder, "one", "0.1", code="raise RuntimeError('it ran')")
    add_sdist(index.folder, "one", "1.0", files=info("one", "1.0", "nowhere"))
    with pytest.raises(RequirementsUnmet) as caught:
        solved("one", agreed=[":all:"])
    assert "nowhere" in caught.value.message
