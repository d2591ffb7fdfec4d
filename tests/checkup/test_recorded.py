"""Recorded machines: what the check-up says of each from its hardware and driver alone."""

from __future__ import annotations

import json

import pytest

from tests.machine.recorded import RECORDED, replay
from torchdoctor.checkup.case import machine_facts, refusals
from torchdoctor.checkup.signs import LIVE, live_rules
from torchdoctor.diagnosis.case_file import CaseFile
from torchdoctor.diagnosis.judge import judge
from torchdoctor.diagnosis.reading import read_paste
from torchdoctor.diagnosis.rules import RULES


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_machine_has_the_findings_that_its_file_names(path):
    """None for a healthy machine; the recording's `findings` where something is wrong with its driver."""
    record = json.loads(path.read_text("utf-8"))
    seen = replay(record)
    case = CaseFile(facts=tuple(machine_facts(seen))).beside(read_paste("\n".join(refusals(seen))))
    found = judge(case, rules=live_rules())
    assert [row.id for row in found.findings] == record.get("findings", [])


def test_every_live_sign_belongs_to_a_failure_of_the_catalogue():
    """A mistyped id would never be told."""
    assert set(LIVE) <= {rule.id for rule in RULES}
