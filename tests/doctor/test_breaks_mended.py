"""`doctor --fix` on stand-ins of real builds, from an index on loopback: it mends, or changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.breaks.answers import PROGRAM
from tests.breaks.operations import break_place
from tests.breaks.place import Place
from tests.breaks.real import list_of_files
from tests.breaks.standin import make_standin
from tests.breaks.table import breaks
from tests.breaks.wheels import serve_build
from tests.conftest import TRUSTING, settings_of_nobody

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="the builds are those of Linux"),
]
# One of each kind of repair; the suite marked `huge` has them all.
IN_CI = ("cusolver-removed", "torch-metadata-empty", "torchvision-of-another", "kernel-of-another")
CASES = [
    pytest.param(
        row, row.on[0], id=f"{row.id}-{row.on[0]}", marks=[] if row.id in IN_CI else [pytest.mark.huge]
    )
    for row in breaks()
    if row.standin
]


@pytest.mark.parametrize(("row", "build"), CASES)
def test_fix_mends_or_changes_nothing(row, build, tmp_path, index):
    """What must be mended is well afterwards; of the rest each file is as it was."""
    serve_build(index, build)
    beside = tmp_path / "beside"
    beside.mkdir()
    place = Place(build=build, env=make_standin(build, tmp_path / "env"), folder=beside)
    break_place(place, row.steps)
    before = list_of_files(place)
    command = [
        str(PROGRAM),
        "doctor",
        str(place.env),
        "--no-network",
        "--no-import",
        "--fix",
        "--yes",
        "--json",
    ]
    ran = subprocess.run(
        place.limited([*command, "--index-url", f"{index.url}/whl"]),
        env={**settings_of_nobody(beside, index.url), **place.environ(), **TRUSTING}, cwd=place.here,
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=300,
    )  # fmt: skip
    document = json.loads(ran.stdout)
    left = [finding["id"] for finding in document.get("findings", ()) if finding["severity"] != "note"]
    said = (left, document.get("repairs"), document.get("error"), ran.stderr[-1500:])
    after = list_of_files(place)
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    if row.fix == "mends" or (row.fix == "either" and changed):
        assert (ran.returncode, left) == (0, []), said
    else:
        assert changed == [], said
