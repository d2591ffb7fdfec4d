"""The smallest set of families for several machines: a class, a CI matrix."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchdoctor.detect import machine_from_options
from torchdoctor.resolve import Request
from torchdoctor.resolve.driver_updates import fewer_families, idle_gpus, updates_for_newer_torch
from torchdoctor.resolve.family_cover import TorchLimits, cover_machines, serving_builds
from wheels_index import bundled

INDEX = bundled()


def machine(*gpus, driver=None, platform="linux", python="3.12"):
    """A machine by its options."""
    return machine_from_options(platform=platform, python_version=python, driver=driver, gpus=gpus, libc=None)


def cover(request=None, **machines):
    """The families for machines that are given by name."""
    return cover_machines(machines, dict.fromkeys(machines, request or Request()), INDEX)


def families(found):
    """Each family with its machines."""
    return {family.variant: family.machines for family in found.families}


LAPTOP = machine("RTX 3060", driver="560.94", platform="win_amd64")
BLACKWELL = machine("RTX 5090", driver="590.44")
PASCAL = machine("GTX 1080 Ti", driver="580.95")
PLAIN = machine()
MAC = machine(platform="macosx_14_0_arm64")
INTEL_MAC = machine(platform="macosx_13_0_x86_64", python="3.11")
POOL = {
    "laptop": LAPTOP,
    "blackwell": BLACKWELL,
    "pascal": PASCAL,
    "plain": PLAIN,
    "mac": MAC,
    "intel-mac": INTEL_MAC,
    "kepler": machine("Tesla K80", driver="470.256"),
    "old-driver": machine("RTX 3060", driver="520.61"),
    "radeon": machine("gfx1100"),
    "new-python": machine("RTX 4090", driver="580.95", python="3.14"),
    "old-python": machine(python="3.9"),
}


def test_a_class_of_equal_laptops_needs_one_family():
    """Sixty machines, one extra."""
    found = cover(**{f"pc-{number:02}": LAPTOP for number in range(60)})
    assert [(family.variant, len(family.machines)) for family in found.families] == [("cu126", 60)]


def test_a_mac_shares_the_cpu_family():
    """Its builds lie beside those for machines without a GPU."""
    assert families(cover(mac=MAC, plain=PLAIN)) == {"cpu": ("mac", "plain")}


def test_a_gpu_is_never_left_to_the_cpu_build():
    """One family would serve both, and the GPU would be unused."""
    assert set(families(cover(laptop=LAPTOP, plain=PLAIN))) == {"cu126", "cpu"}


def test_the_release_is_one_that_serves_all():
    """torch 2.10's cu129 has code for Volta and Blackwell; a newer torch would need two families, which is said."""
    found = cover(volta=machine("V100", driver="580.95"), blackwell=BLACKWELL)
    assert {family.torch for family in found.families} == {Version("2.10.0")}
    assert families(found) == {"cu129": ("volta", "blackwell")}
    assert found.newer is not None
    assert found.newer.torch == Version("2.14.1")
    assert len(found.newer.variants) == 2


def test_a_range_ends_below_the_first_release_that_does_not_serve():
    """uv must not take that one."""
    (family,) = cover(pascal=PASCAL).families
    assert (family.variant, family.torch, family.too_new) == ("cu126", Version("2.14.1"), Version("2.15.0"))
    assert family.oldest <= family.torch


def test_the_newest_release_has_no_upper_end():
    """Whether the next one serves is not known."""
    (family,) = cover(plain=PLAIN).families
    assert family.too_new is None


def test_what_the_project_pins_is_respected():
    """Families are those of the pinned release."""
    found = cover(Request(torch=SpecifierSet("==2.9.1")), blackwell=BLACKWELL, plain=PLAIN)
    assert {family.torch for family in found.families} == {Version("2.9.1")}


def test_a_companion_decides_the_family():
    """torchaudio 2.11.0 has no cu132 build."""
    free = cover(blackwell=BLACKWELL)
    bound = cover(Request(required={"torchaudio": SpecifierSet("==2.11.0")}), blackwell=BLACKWELL)
    assert [family.variant for family in free.families] == ["cu132"]
    assert [family.variant for family in bound.families] == ["cu130"]


def test_without_a_common_release_each_family_has_its_own():
    """Python 3.14 begins where Kepler has long ended."""
    found = cover(kepler=POOL["kepler"], new=POOL["new-python"])
    assert not found.shares_release
    assert families(found).keys() == {"cu118", "cu132"} or len(found.families) == 2


def test_two_releases_of_one_family_are_one_too_many():
    """Python 3.9 and Python 3.14 share no torch, and an extra has one range."""
    found = cover(old=machine(python="3.8"), new=machine(python="3.14"), other=machine(python="3.14"))
    assert families(found) == {"cpu": ("new", "other")}
    assert "another torch release" in str(found.unserved["old"])


def test_a_project_keeps_its_families():
    """cu128 serves the machine in the release that the project admits, so no newer family is added."""
    limits = TorchLimits(by_variant={"cu128": SpecifierSet("<=2.9.1"), "cpu": SpecifierSet("<=2.9.1")})
    (family,) = cover_machines({"one": BLACKWELL}, {"one": Request()}, INDEX, limits=limits).families
    assert (family.variant, family.torch) == ("cu128", Version("2.9.1"))


def test_a_new_family_is_within_the_limits_of_the_others():
    """It is to have the same torch as they have."""
    limits = TorchLimits(by_variant={"cpu": SpecifierSet("<=2.9.1")}, others=SpecifierSet("<=2.9.1"))
    (family,) = cover_machines({"one": BLACKWELL}, {"one": Request()}, INDEX, limits=limits).families
    assert (family.variant, family.torch) == ("cu130", Version("2.9.1"))


def test_many_different_machines_take_no_long_search():
    """Thousands of ways to serve them are left out of the search, and all are served."""
    pool = {
        f"{python}-{driver}-{gpu}": machine(gpu, driver=driver, python=python)
        for python in ("3.9", "3.10", "3.12", "3.14")
        for driver in ("450.80.02", "470.256", "525.60.13", "560.35", "580.95", "590.44")
        for gpu in ("Tesla K80", "GTX 970", "GTX 1080 Ti", "V100", "RTX 3060", "RTX 4090", "RTX 5090")
    }
    found = cover(**pool)
    served = {name for family in found.families for name in family.machines}
    assert served | set(found.unserved) == set(pool)


def test_a_machine_without_any_build_is_named():
    """The others get theirs."""
    found = cover(mac=MAC, musl=machine_from_options(
        platform="linux", python_version="3.12", driver=None, gpus=(), libc="musl1.2"
    ))  # fmt: skip
    assert families(found) == {"cpu": ("mac",)}
    assert "musl" in str(found.unserved["musl"])


def test_who_holds_torch_back_is_named():
    """One old Mac decides for the whole class."""
    found = cover(old=INTEL_MAC, plain=PLAIN, other=PLAIN)
    assert found.held_back is not None
    assert found.held_back.machines == ("old",)
    assert found.held_back.torch == Version("2.15.0")


def test_an_idle_gpu_is_given_the_driver_that_it_needs():
    """The oldest that runs one of the families there are."""
    machines = {"idle": machine("RTX 3060", driver="390.157"), "laptop": LAPTOP}
    requests = dict.fromkeys(machines, Request())
    (update,) = idle_gpus(machines, cover_machines(machines, requests, INDEX), INDEX)
    assert (update.machine, update.driver, update.variant) == ("idle", "390.157", "cu126")
    assert update.needs == "525.60.13"


def test_a_blackwell_gpu_is_given_the_driver_of_its_generation():
    """CUDA 12 itself would be content with less."""
    machines = {"idle": machine("RTX 5090"), "plain": PLAIN}
    found = cover_machines(machines, dict.fromkeys(machines, Request()), INDEX)
    (update,) = idle_gpus(machines, found, INDEX)
    assert update.needs == "580"


def test_newer_drivers_may_spare_a_family():
    """And who needs them is said."""
    machines = {"old": machine("RTX 4090", driver="560.35"), "new": BLACKWELL}
    requests = dict.fromkeys(machines, Request(torch=SpecifierSet(">=2.14")))
    found = cover_machines(machines, requests, INDEX)
    assert len(found.families) == 2
    better = fewer_families(machines, found, requests, INDEX)
    assert better is not None
    assert len(better.variants) == 1
    assert [(update.machine, update.needs) for update in better.updates] == [("old", "580")]


def test_who_holds_torch_back_by_a_driver_is_given_the_newer_one():
    """Driver 520 is too old for CUDA 12."""
    machines = {"old": POOL["old-driver"], "new": BLACKWELL, "plain": PLAIN}
    found = cover_machines(machines, dict.fromkeys(machines, Request()), INDEX)
    (update,) = updates_for_newer_torch(machines, found, INDEX)
    assert (update.machine, update.needs) == ("old", "580")


@settings(max_examples=30)
@given(st.sets(st.sampled_from(sorted(POOL)), min_size=1, max_size=5))
def test_no_smaller_set_serves_all(names):
    """Compared with every set of variants of every release."""
    machines = {name: POOL[name] for name in sorted(names)}
    found = cover(**machines)
    builds = {name: serving_builds(each, Request(), INDEX) for name, each in machines.items()}
    for family in found.families:
        for name in family.machines:
            assert family.variant in builds[name][family.torch]
    assert sorted(name for family in found.families for name in family.machines) == sorted(names)
    if found.shares_release:
        smaller = [
            picked
            for version in set.intersection(*(set(each) for each in builds.values()))
            for picked in combinations(
                sorted({variant for each in builds.values() for variant in each[version]}),
                len(found.families) - 1,
            )
            if all(set(picked) & set(each[version]) for each in builds.values())
        ]
        assert smaller == []


@pytest.mark.parametrize("name", sorted(POOL))
def test_one_machine_gets_what_resolve_would_take(name):
    """`project` and `install` agree."""
    from torchdoctor.resolve import resolve

    (family,) = cover(one=POOL[name]).families
    plan = resolve(POOL[name], Request())
    assert (family.variant, str(family.torch)) == (plan.variant, plan.torch.version.public)
