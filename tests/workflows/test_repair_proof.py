"""A repair is taken only where it is no worse than what was there."""

from __future__ import annotations

import pytest

from torchdoctor.verify import CheckResult
from torchdoctor.workflows.repair_proof import worse_check


def checks(**statuses):
    """A result on the CPU for each name."""
    return tuple(
        CheckResult(id=name, device="cpu", status=status, seconds=0.0, detail=name)
        for name, status in statuses.items()
    )


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ({"import": "pass", "matmul": "pass"}, {"import": "pass", "matmul": "fail"}, "matmul"),
        ({"import": "pass", "matmul": "fail"}, {"import": "pass", "matmul": "fail"}, None),
        ({"import": "pass", "files": "fail"}, {"import": "fail"}, "import"),
        ({"import": "fail"}, {"import": "pass", "matmul": "fail"}, None),
        ({"import": "fail"}, {"import": "fail"}, None),
        ({"import": "pass", "matmul": "skip"}, {"import": "pass", "matmul": "skip"}, None),
    ],
)
def test_worse_is_what_fails_and_passed_before(before, after, worse):
    """Of a torch that could not be imported nothing else was seen."""
    found = worse_check(checks(**before), checks(**after))
    assert (found.id if found else None) == worse
