"""The builds among which a solver may choose, and how companions are tied to torch of their own variant."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.resolve.machines import RTX_5090, linux
from torchdoctor.detect import Machine
from torchdoctor.resolve import Request, rank
from torchdoctor.resolve.offer import in_solver_order, torch_requirement
from torchdoctor.resolve.offline import offered_by_facts
from wheels_index import bundled

ROCM = Machine.from_json(
    {
        "os": "linux",
        "arch": "x86_64",
        "libc": {"name": "glibc", "version": "2.39"},
        "python": {"version": "3.12.4"},
        "amd": {"driver": "6.10.5", "gpus": [{"name": "Radeon RX 7900 XTX", "gfx": "gfx1100"}]},
    }
)


@pytest.fixture(scope="module")
def offered():
    """The builds that stored facts have for an RTX 5090 and a new driver."""
    machine = linux(RTX_5090, driver="580.65")
    candidates = in_solver_order(rank(machine, Request(), bundled()).candidates)
    return offered_by_facts(candidates, machine, Request(), bundled())


def _allowed(build, offered):
    """The torch builds that the requirement of a companion takes."""
    wanted = SpecifierSet(torch_requirement(build, offered).removeprefix("torch"))
    return [other for other in offered if other.name == "torch" and wanted.contains(other.package.version)]


def test_a_companion_takes_torch_of_its_own_variant_alone(offered):
    """And each release that it goes with."""
    companions = [build for build in offered if build.name != "torch"]
    assert companions
    for build in companions:
        allowed = _allowed(build, offered)
        assert {other.variant for other in allowed} == {build.variant}
        assert {release for other in allowed for release in other.torch} <= build.torch


def test_a_companion_that_declares_nothing_goes_with_the_releases_known_for_it(offered):
    """Torchaudio 2.11 declares no torch at all, and is built for 2.11 and newer."""
    build = next(
        b
        for b in offered
        if (b.name, b.variant, b.package.version.public) == ("torchaudio", "cu130", "2.11.0")
    )
    assert build.lines == ()
    assert min(release for other in _allowed(build, offered) for release in other.torch) == Version("2.11.0")


def test_of_one_release_the_better_build_has_the_higher_version():
    """A solver takes the highest: ROCm 7.14 is higher than 7.2 and does not come before it."""
    candidates = rank(ROCM, Request(), bundled()).candidates
    kept = in_solver_order(candidates)
    assert {(c.torch, c.variant) for c in candidates} > {(c.torch, c.variant) for c in kept}
    for release in {candidate.torch for candidate in kept}:
        variants = [Version(f"1+{c.variant}") for c in kept if c.torch == release]
        assert variants == sorted(variants, reverse=True)
        assert next(c.variant for c in candidates if c.torch == release) == str(variants[0].local)
