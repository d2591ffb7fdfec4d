"""A line for each check: its own judgement, and the findings that belong to it."""

from __future__ import annotations

import pytest

from tests.doctor.check_ups import check_up, finding
from torchdoctor.diagnose import all_failures
from torchdoctor.doctor import check_lines
from torchdoctor.doctor.checks import CHECKS
from torchdoctor.doctor.lines import check_for


def test_the_worst_finding_gives_the_mark(site):
    """An error goes before a warning, and both before the check's own judgement."""
    findings = (finding("cpu-only-wheel", "warning"), finding("gpu-arch-too-new", "error"))
    (line,) = check_lines(check_up(site), findings, ("pytorch.build",))
    assert (line.mark, line.findings, line.section) == (
        "error",
        ("cpu-only-wheel", "gpu-arch-too-new"),
        "pytorch",
    )


def test_a_note_does_not_make_a_check_worse(site):
    """It is worth knowing, no more."""
    (line,) = check_lines(check_up(site), (finding("cpu-only-wheel", "note"),), ("pytorch.build",))
    assert line.mark in ("ok", "unknown")


def test_without_findings_the_check_judges_itself(site):
    """Unknown where there is no torch."""
    (line,) = check_lines(check_up(site), (), ("pytorch.build",))
    assert (line.mark, line.to_json()["status"]) == ("unknown", "unknown")


@pytest.mark.parametrize("failure", all_failures(), ids=lambda failure: failure.id)
def test_every_failure_of_the_catalogue_belongs_to_a_check(failure):
    """So that none is left out by `--only`."""
    assert check_for(finding(failure.id)) in CHECKS
