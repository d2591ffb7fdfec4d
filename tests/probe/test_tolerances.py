"""How an error against float64 is graded."""

from __future__ import annotations

import pytest

from torchdoctor.probe.verify.tolerances import grade_error


@pytest.mark.parametrize(
    ("error", "lowered", "status"),
    [
        (3e-7, None, "pass"),
        (3e-4, None, "fail"),
        (3e-4, "TF32 in use", "pass"),
        (3e-3, "TF32 in use", "warn"),
        (3e-2, "TF32 in use", "fail"),
        (float("nan"), "TF32 in use", "fail"),
    ],
)
def test_a_coarse_product_needs_a_reason(error, lowered, status):
    """TF32 is information, garbage is a failure."""
    judged, note = grade_error(error, 2e-6, lowered)

    assert judged == status
    assert bool(note) is (error > 2e-6 or error != error)  # noqa: PLR0124
