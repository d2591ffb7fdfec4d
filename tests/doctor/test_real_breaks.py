"""The table of breaks on the CUDA builds that pip installs: `pytest -m huge tests/doctor/test_real_breaks.py -n0 -s`.

TORCHDOCTOR_REAL_ENVIRONMENTS names a folder with ready environments `cu130` and `cu128`, and `cpu` to replace one by.
The figures are printed at the end: how many of how many breaks each names first, and what `--fix` did.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict

import pytest

from tests.breaks.answers import PROGRAM, complaint, diagnose_of, doctor_of, verify_of
from tests.breaks.operations import break_place
from tests.breaks.place import Place
from tests.breaks.real import WANTED, forget, list_of_files, real_copy, real_environments
from tests.breaks.table import NOTHING, breaks

pytestmark = [
    pytest.mark.huge,
    pytest.mark.process,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(sys.platform != "linux", reason="the builds are those of Linux"),
]
PAIRS = [(row, build) for build in WANTED for row in breaks() if row.real and build in row.on]
CASES = [pytest.param(row, build, id=f"{row.id}-{build}") for row, build in PAIRS]
TOOLS = {"doctor": doctor_of, "verify": verify_of, "diagnose": diagnose_of}


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """The originals."""
    return real_environments(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def figures():
    """What is counted, printed at the end."""
    counted = defaultdict(list)
    yield counted
    for (build, what), results in sorted(counted.items()):
        sys.stderr.write(f"\n{build}: {what}: {sum(results)} of {len(results)}")


@pytest.fixture
def broken(environments, tmp_path):
    """A function that gives a broken copy."""

    def make(row, build):
        beside = tmp_path / "beside"
        beside.mkdir()
        place = Place(
            build=build, env=real_copy(tmp_path, environments[build]), folder=beside, real=environments
        )
        break_place(place, row.steps)
        return place

    yield make
    forget(tmp_path)


@pytest.mark.parametrize(("row", "build"), CASES)
def test_each_names_the_break_first(row, build, broken, figures):
    """doctor, verify and diagnose: one cause, and nothing where nothing is broken."""
    place = broken(row, build)
    wrong = []
    for tool, ask in TOOLS.items():
        answer = ask(place)
        said = complaint(row, tool, answer)
        what = "false alarms avoided by" if row.cause == (NOTHING,) else "named first by"
        figures[build, f"{what} {tool}"].append(said is None)
        if row.cause != (NOTHING,) and NOTHING not in row.expected(tool):
            figures[build, f"not called well by {tool}"].append(said is None or "says nothing" not in said)
        wrong += [said] if said else []
    assert wrong == []


@pytest.mark.parametrize(("row", "build"), CASES)
def test_fix_mends_or_changes_nothing(row, build, broken, figures):
    """And tells by its exit status which of the two it was."""
    place = broken(row, build)
    before = list_of_files(place)
    command = [str(PROGRAM), "doctor", str(place.env), "--fix", "--yes", "--json"]
    ran = subprocess.run(
        place.limited(command), env=place.environ(), cwd=place.here, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=3000,
    )  # fmt: skip
    after = list_of_files(place)
    document = json.loads(ran.stdout)
    found = [row["id"] for row in document.get("findings", ()) if row["severity"] != "note"]
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    mended = ran.returncode == 0 and not found
    figures[build, "--fix mends or changes nothing"].append(mended or not changed)
    said = (found, document.get("repairs"), document.get("error"), ran.stderr[-2000:])
    if row.fix == "mends":
        figures[build, "--fix mends what it must"].append(mended)
    if row.fix == "mends" or (row.fix == "either" and changed):
        assert mended, said
    else:
        assert changed == [], said
