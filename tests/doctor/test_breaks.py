"""The table of breaks on stand-ins of real builds: what is said first of each."""

from __future__ import annotations

import sys

import pytest

from tests.breaks.answers import complaint, diagnose_of, doctor_of, doctor_reads, verify_of
from tests.breaks.operations import OPERATIONS, break_place
from tests.breaks.place import Place
from tests.breaks.standin import BUILDS, make_standin
from tests.breaks.table import breaks, gaps

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the builds are those of Linux")
ROWS = breaks()
READ = [(row, build) for row in ROWS for build in row.on if row.standin and row.seen == "files"]
RUN = [(row, row.on[0]) for row in ROWS if row.standin]
IMPORTED = [(row, row.on[0]) for row in ROWS if row.standin and row.seen != "files"]
GAPS = gaps()


def cases(tool, pairs):
    """A case for each, those that are known to fail marked so."""
    found = []
    for row, build in pairs:
        why = GAPS.get(f"{tool}: {row.id}-{build}")
        marks = [pytest.mark.xfail(reason=why, strict=True)] if why else []
        found.append(pytest.param(row, build, id=f"{row.id}-{build}", marks=marks))
    return found


def broken(row, build, tmp_path):
    """The stand-in of this build, broken."""
    (tmp_path / "beside").mkdir()
    place = Place(build=build, env=make_standin(build, tmp_path / "env"), folder=tmp_path / "beside")
    break_place(place, row.steps)
    return place


@pytest.mark.parametrize(("row", "build"), cases("doctor", READ))
def test_doctor_names_the_break_first(row, build, tmp_path):
    """By the files alone, and says nothing of what breaks nothing."""
    assert complaint(row, "doctor", doctor_reads(broken(row, build, tmp_path))) is None


@pytest.mark.process
@pytest.mark.parametrize(("row", "build"), cases("doctor", IMPORTED))
def test_doctor_names_a_break_that_no_file_shows(row, build, tmp_path):
    """By the import, or because the interpreter does not start."""
    assert complaint(row, "doctor", doctor_of(broken(row, build, tmp_path))) is None


@pytest.mark.process
@pytest.mark.parametrize(("row", "build"), cases("verify", RUN))
def test_verify_names_the_break_first(row, build, tmp_path):
    """With the same cause as doctor."""
    assert complaint(row, "verify", verify_of(broken(row, build, tmp_path), row.checks)) is None


@pytest.mark.process
@pytest.mark.parametrize(("row", "build"), cases("diagnose", RUN))
def test_diagnose_names_the_break_first(row, build, tmp_path):
    """From what Python printed, with the same cause."""
    assert complaint(row, "diagnose", diagnose_of(broken(row, build, tmp_path))) is None


def test_the_table_breaks_each_build_in_forty_ways():
    """But for the build without CUDA, which has less to break; each row has a name of its own."""
    for build in BUILDS[:2]:
        assert sum(build in row.on and row.real and row.cause != ("nothing",) for row in ROWS) >= 40
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert {step["op"] for row in ROWS for step in row.steps} == set(OPERATIONS)
    assert {row.fix for row in ROWS} == {"mends", "changes-nothing", "either"}
