"""A check-up looks at everything, and at no more than it may."""

from __future__ import annotations

from tests.detect.recorded_system import RecordedSystem
from torchdoctor.doctor import InspectOptions, inspect
from wheels_index import bundled


def test_a_check_up_neither_imports_nor_connects_where_it_may_not(site):
    """What was not tried is None, not a failure; the plan is made of what came with torchdoctor."""
    site.torch("2.9.1+cpu")
    system = RecordedSystem(environ={"HOME": str(site.prefix / "home")})
    seen = inspect(
        system,
        site.python,
        here=site.prefix,
        cache=site.prefix / "cache",
        index=bundled(),
        options=InspectOptions(importing=False, asking=False),
    )
    assert (seen.imported, seen.reach, seen.healthy_import) == (None, None, None)
    assert seen.inventory.torch.value.version == "2.9.1+cpu"
    assert seen.plan.torch.name == "torch"
    assert seen.elsewhere == ""
