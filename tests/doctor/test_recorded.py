"""Recorded machines: what the check-up says of each from its hardware and driver alone."""

from __future__ import annotations

import json

import pytest

from tests.detect.recorded import RECORDED, replay
from torchdoctor.diagnose import Evidence, Observation, diagnose, live_failures
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.doctor.evidence import machine_observations, refusals
from torchdoctor.errors import NoSolution
from torchdoctor.resolve import Request, resolve
from wheels_index import bundled


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_machine_has_the_findings_that_its_file_names(path):
    """None for a healthy machine; the recording's `findings` where something is wrong with its driver."""
    record = json.loads(path.read_text("utf-8"))
    seen = replay(record)
    case = Evidence(facts=tuple(machine_observations(seen))).merged_with(
        parse_report("\n".join(refusals(seen)), printed=True)
    )
    found = diagnose(case, failures=live_failures())
    assert [row.id for row in found.findings] == record.get("findings", [])


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_build_that_fits_a_recorded_machine_is_no_failure(path):
    """With the torch that the resolver chooses nothing is found but what is wrong with the machine."""
    record = json.loads(path.read_text("utf-8"))
    seen = replay(record)
    try:
        plan = resolve(seen.machine, Request(), bundled())
    except NoSolution:
        pytest.skip("no build fits")
    rows = {f"package.{row.name}": str(row.version) for row in plan.packages if row.name != "torch"}
    rows |= {"torch.version": str(plan.torch.version), "torch.build": plan.variant, "live.plan": plan.variant}
    facts = (Observation(name=name, value=value, source=f"{name}: {value}") for name, value in rows.items())
    case = Evidence(facts=(*machine_observations(seen), *facts)).merged_with(
        parse_report("\n".join(refusals(seen)), printed=True)
    )
    found = diagnose(case, failures=live_failures())
    assert [row.id for row in found.findings] == record.get("findings", [])
