"""How many of something, in words."""

from __future__ import annotations

import pytest

from torchdoctor.core.i18n import plurals


@pytest.mark.parametrize("name", plurals.__all__)
def test_one_has_no_s_and_all_others_have(name):
    """0 packages, 1 package, 2 packages."""
    told = getattr(plurals, name)
    assert [told(count) for count in (0, 1, 2)] == [f"0 {name}", f"1 {name.removesuffix('s')}", f"2 {name}"]
