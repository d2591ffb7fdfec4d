"""`--only` and `--exclude`: checks by id or section."""

from __future__ import annotations

import pytest

from torchdoctor.doctor.check_selection import select_doctor_checks
from torchdoctor.doctor.checks import CHECKS
from torchdoctor.errors import UsageError


def test_all_are_selected_if_none_is_named():
    """In their order."""
    assert select_doctor_checks() == tuple(CHECKS)


def test_a_section_selects_its_checks_and_the_excluded_go():
    """A finding may be excluded too, which removes no check."""
    assert select_doctor_checks(["gpu"], ["gpu.driver", "cpu-only-wheel"]) == ("gpu.devices", "gpu.access")


def test_an_unknown_name_offers_the_nearest():
    """Wrong usage."""
    with pytest.raises(UsageError) as error:
        select_doctor_checks(["gpu.drivers"])
    assert "gpu.driver" in error.value.fix
