"""The statuses of checks in words."""

from __future__ import annotations

from torchdoctor.verify import CheckResult
from torchdoctor.verify.status_text import counted_checks


def test_checks_are_counted_by_status_in_a_fixed_order():
    """A status that no check has is left out."""
    checks = [
        CheckResult(id="conv", device="cpu", status=status, seconds=0.0, detail="")
        for status in ("skip", "pass", "fail", "pass")
    ]

    assert counted_checks(checks) == "2 passed, 1 failed, 1 skipped"
    assert counted_checks([]) == ""
