"""The check-up on a terminal: short where all is well, and a verdict in the last line."""

from __future__ import annotations

import pytest

from tests.doctor.check_ups import finding
from torchdoctor.doctor.lines import CheckLine
from torchdoctor.doctor.repair_model import RemoveLeftovers, Repaired
from torchdoctor.report.terminal.doctor import doctor_lines, planned_lines, repair_lines, verdict


def plain(text, _kind):
    return text


def line(name, mark="ok", **more):
    return CheckLine(id=name, mark=mark, text=f"text of {name}", **more)


GPU = (line("gpu.devices"), line("gpu.driver"), line("gpu.access", "error", findings=("a-failure",)))


def test_a_section_that_is_well_is_one_line():
    """What is wrong in the other one is shown, with its findings."""
    shown = list(doctor_lines((line("machine.system"), line("machine.room"), *GPU), plain, verbose=False))
    assert [row.split("  ")[0] for row in shown] == ["✓ machine", "✓ GPU", "✗"]
    assert shown[-1].endswith("text of gpu.access  → a-failure")


def test_verbose_shows_every_check_with_its_evidence():
    """And the ids to choose by."""
    shown = list(doctor_lines((line("gpu.devices", evidence=("seen",)), *GPU[1:]), plain, verbose=True))
    assert [row.strip() for row in shown[1:3]] == ["[gpu.devices]", "seen"]
    assert len(shown) == 7


@pytest.mark.parametrize(
    ("findings", "lines", "command", "text"),
    [
        ((), (line("pytorch.build"),), "", "All is well."),
        ((), (line("pytorch.build", "unknown"),), "",
         "Nothing is wrong, and torch is not installed yet: torchdoctor install env"),
        ((), (line("gpu.devices", "unknown"),), "", "Nothing wrong was found, but the GPU could not be asked."),
        ((finding("a"), finding("b", "warning")), (), "", "1 thing to repair, 1 thing to know."),
        ((finding("a"), finding("b")), (), "cmd", "2 things to repair. Some of it can be repaired here: cmd"),
        ((), (line("pytorch.import", "error"),), "", "1 thing to repair."),
    ],
)  # fmt: skip
def test_the_verdict_counts_what_is_wrong(findings, lines, command, text):
    """A check that failed without a finding counts by itself."""
    assert verdict(findings, lines, command, "torchdoctor install env") == text


def test_repairs_are_told_before_and_after():
    """What would be done; then how it ended, and why."""
    repair = RemoveLeftovers(findings=("a",), leftovers=())
    assert list(planned_lines((repair.what,)))[1] == "What can be repaired here:"
    assert list(planned_lines(())) == []
    outcome = Repaired(findings=("a",), what="remove x", outcome="skipped", reason="declined")
    assert list(repair_lines((outcome,))) == ["skipped: remove x (declined)"]
