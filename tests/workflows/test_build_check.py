"""A wheel that is another build than its name says is found by the version module inside it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.version import Version

from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.errors import InstallFailed
from torchdoctor.fetch import FetchedWheel
from torchdoctor.lock import LockedWheel
from torchdoctor.resolve import Plan, PlannedPackage
from torchdoctor.workflows.build_check import (
    OtherBuild,
    drop_companion,
    find_other_build,
    find_other_build_before_fetch,
    skip_other_builds,
)

PLAN = Plan(
    variant="cpu",
    index_url="",
    packages=tuple(
        PlannedPackage(name=name, version=Version("1.0"), known="live", wheel=None, source=None)
        for name in ("torch", "torchvision")
    ),
    reasons=(),
)


@pytest.fixture
def fetched(tmp_path):
    """A function that gives a fetched wheel of a project, built as a variant."""

    def make(project, built):
        name, content = make_wheel(project, "1.0", built=built)
        path = tmp_path / name
        path.write_bytes(content)
        wheel = LockedWheel(name=project, version="1.0", filename=name, url="", sha256=None, size=None)
        return FetchedWheel(
            wheel=wheel, path=path, sha256="0" * 64, size=1, source="a folder", first_seen=False
        )

    return make


def test_a_companion_of_another_build_is_found(fetched):
    """Its version.py says cu126, and the plan is for the CPU."""
    wheels = [fetched("torch", "1.0+cpu"), fetched("torchvision", "1.0+cu126")]
    assert find_other_build(PLAN, wheels) == OtherBuild(name="torchvision", variant="cu126")


def test_a_file_is_looked_into_before_it_is_fetched(fetched, tmp_path):
    """A dry run and the run find the companion of another build before anything is fetched."""
    one = fetched("torchvision", "1.0+cu126")
    wheel = replace(one.wheel, url=one.path.as_uri())
    found = find_other_build_before_fetch(PLAN, [wheel], tmp_path / "cache", offline=False)
    assert found == OtherBuild(name="torchvision", variant="cu126")
    gone = replace(wheel, url=(tmp_path / "gone.whl").as_uri())
    assert find_other_build_before_fetch(PLAN, [gone], tmp_path / "cache", offline=True) is None


def test_builds_that_belong_together_pass(fetched):
    """Nothing is found."""
    assert find_other_build(PLAN, [fetched("torch", "1.0+cpu"), fetched("torchvision", "1.0+cpu")]) is None


def test_a_package_that_is_not_planned_is_not_looked_into(fetched):
    """A dependency may be of any build."""
    assert find_other_build(PLAN, [fetched("xformers", "1.0+cu126")]) is None


def test_only_wheels_of_the_plan_s_build_are_passed_on(fetched):
    """So that no other build is unpacked while wheels still download."""
    passed = []
    on_file = skip_other_builds(PLAN, passed.append)
    torch, vision = fetched("torch", "1.0+cpu"), fetched("torchvision", "1.0+cu126")
    on_file(torch)
    on_file(vision)
    assert passed == [torch]


def test_a_companion_is_left_out_with_its_reason():
    """The user is warned, and the plan says why."""
    report = Recorder()
    plan = drop_companion(PLAN, OtherBuild(name="torchvision", variant="cu126"), (), report)
    assert [package.name for package in plan.packages] == ["torch"]
    assert [left_out.name for left_out in plan.left_out] == ["torchvision"]
    assert "its file is a cu126 build" in report.warnings[0]


@pytest.mark.parametrize(("name", "required"), [("torch", ()), ("torchvision", ("torchvision",))])
def test_what_has_to_be_there_is_not_left_out(name, required):
    """torch, and a companion that `--with` names."""
    with pytest.raises(InstallFailed) as refused:
        drop_companion(PLAN, OtherBuild(name=name, variant="cu126"), required, Recorder())
    assert refused.value.code == "foreign-build"
