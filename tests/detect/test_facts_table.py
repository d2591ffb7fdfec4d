"""docs/facts.md says what the code does: the same names, types, places and systems."""

from __future__ import annotations

import json
import os
import re
import sys
import types
import typing
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.detect.recorded import RECORDED, replay
from tests.detect.recorded_system import RecordedSystem, paper_python
from torchdoctor.core.system import host_system
from torchdoctor.detect import AmdGpu, Apple, IntelGpu, Libc, NvidiaGpu, describe_python, detect
from torchdoctor.detect.nvidia.gpu_state import MigInstance
from torchdoctor.detect.nvidia.visible_devices import VisibleDevices

DOCUMENT = Path(__file__).parents[2] / "docs" / "facts.md"
ROW = re.compile(r"\| `([\w.]+)` \| `([^`]+)` \| (.+?) \| ([\w, ]+) \| .*\|")
NAMES = {"AmdGpu": AmdGpu, "Apple": Apple, "IntelGpu": IntelGpu, "Libc": Libc, "MigInstance": MigInstance,
    "NvidiaGpu": NvidiaGpu, "Visible": VisibleDevices}  # fmt: skip
SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}


def _table() -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Name -> type, sources, systems."""
    rows = [ROW.fullmatch(line) for line in DOCUMENT.read_text("utf-8").splitlines()]
    return {row[1]: (row[2], tuple(re.findall(r"`([^`]+)`", row[3])), row[4]) for row in rows if row}


TABLE = _table()


def _is(value: object, kind: typing.Any) -> bool:
    if typing.get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_is(item, typing.get_args(kind)[0]) for item in value)
    if isinstance(kind, types.UnionType):
        return any(_is(value, part) for part in typing.get_args(kind))
    return type(value) is (type(None) if kind is None else kind)


def _check(detection, system):
    python = str(detection.fact("python.version").source)
    for row in detection.facts:
        kind, sources, systems = TABLE[row.name]
        if SYSTEMS[system] not in systems:
            assert row.fact.state != "found", row.name
        if row.fact.state != "found":
            continue
        assert _is(row.fact.value, eval(kind.replace(" or ", " | "), dict(NAMES))), row  # noqa: S307
        places = ["python", *sources] if row.fact.source.startswith(python) else sources
        source = "python" if row.fact.source.startswith(python) else row.fact.source
        assert any(fnmatchcase(source, place) or source.startswith(f"{place}/") for place in places), row


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_table_has_every_fact_and_no_other(system):
    """On each system the names are those of the table."""
    detection = detect(RecordedSystem(), python=paper_python(sys_platform=system))
    assert sorted(row.name for row in detection.facts) == sorted(TABLE)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_machines_facts_are_as_the_table_says(path):
    """Each found value has the type, and comes from one of the places, that the table names."""
    record = json.loads(path.read_text("utf-8"))
    _check(replay(record), record["python"].get("sys_platform", "linux"))


@pytest.mark.process
def test_this_machines_facts_are_as_the_table_says():
    """The same for the machine that runs the tests."""
    system = host_system(os.environ)
    _check(detect(system, python=describe_python(system, sys.executable)), sys.platform)
