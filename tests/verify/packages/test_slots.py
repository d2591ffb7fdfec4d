"""How many packages are imported side by side."""

from __future__ import annotations

import pytest

from torchdoctor.verify.packages.slots import plan_slots


@pytest.mark.parametrize(
    ("given", "count", "share"),
    [
        ({"packages": 40, "cores": 16, "free_mib": 64_000, "torch_mib": 300}, 8, 8000),
        ({"packages": 40, "cores": 2, "free_mib": 64_000, "torch_mib": 300}, 2, 32_000),
        ({"packages": 1, "cores": 16, "free_mib": 64_000, "torch_mib": 300}, 1, 51_200),
        ({"packages": 40, "cores": 16, "free_mib": 2000, "torch_mib": 300}, 3, 666),
        ({"packages": 40, "cores": 16, "free_mib": 2000, "torch_mib": 1200}, 1, 51_200),
        ({"packages": 40, "cores": 16, "free_mib": 100, "torch_mib": 300}, 1, 51_200),
        ({"packages": 40, "cores": 4, "free_mib": None, "torch_mib": None}, 4, 51_200),
    ],
)
def test_as_many_as_cores_and_free_memory_allow(given, count, share):
    """Each is expected to take twice what torch takes; one always runs, with the whole limit."""
    slots = plan_slots(**given, limit_mib=51_200)

    assert (slots.count, slots.share_mib) == (count, share)


def test_the_shares_of_all_fit_into_what_is_free():
    """No two packages that keep to their share push each other out."""
    for cores in range(1, 20):
        for free in range(400, 20_000, 777):
            slots = plan_slots(40, cores=cores, free_mib=free, torch_mib=200, limit_mib=max(free, 4096))
            assert slots.count == 1 or slots.count * slots.share_mib <= free
