"""The record of what torchdoctor installed into an environment."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace

import pytest

from torchdoctor.core.system import host_system
from torchdoctor.detect import describe_python
from torchdoctor.fetch import Wheelhouse
from torchdoctor.install.model import InstallContext
from torchdoctor.install.record import (
    asked_in,
    package_changes,
    read_record,
    record_asked,
    record_install,
)
from torchdoctor.requirements import AskedRequirement


@pytest.fixture
def context(tmp_path):
    python = describe_python(host_system(os.environ), sys.executable)
    return InstallContext(python=python, run_dir=tmp_path, lock_dir=tmp_path, environ={})


def test_changes_are_new_packages_and_other_versions():
    """A package that stays as it is is no change."""
    changes = package_changes({"a": "1", "b": "1"}, {"a": "2", "b": "1", "c": "1"})
    assert [str(change) for change in changes] == ["~ a 1 -> 2", "+ c 1"]


@pytest.mark.process
@pytest.mark.parametrize("files", ["null", "3", '"text"', "{}", "[1, {}, null]"])
def test_a_record_that_somebody_has_edited_is_replaced(tmp_path, context, files):
    """Whatever it holds, the next record is right."""
    (tmp_path / "torchdoctor.json").write_text(f'{{"schema": 1, "files": {files}}}')
    record_install(tmp_path, tmp_path, Wheelhouse(wheels=()), context)
    assert json.loads((tmp_path / "torchdoctor.json").read_text())["files"] == []


def asked(line, origin="requirements.txt:1"):
    return AskedRequirement(line=line, name=line.partition("=")[0].partition(" ")[0], origin=origin)


@pytest.mark.process
def test_what_was_asked_for_is_recorded_and_joined(tmp_path, context):
    """Each install adds to it, and asking for a package again replaces what was asked of it; no password is written."""
    link = "x @ https://me:secret@example.org/x-1-py3-none-any.whl"
    first = replace(context, asked=(asked("timm==1.0"), asked("einops"), asked(link)))
    record_install(tmp_path, tmp_path, Wheelhouse(wheels=()), first)
    record_install(tmp_path, tmp_path, Wheelhouse(wheels=()), replace(context, asked=(asked("timm==1.1"),)))
    assert [each.line for each in asked_in(tmp_path)] == [
        "einops", "x @ https://****@example.org/x-1-py3-none-any.whl", "timm==1.1",
    ]  # fmt: skip
    assert "secret" not in (tmp_path / "torchdoctor.json").read_text()


@pytest.mark.process
def test_what_is_asked_for_and_there_already_is_recorded(tmp_path, context):
    """An environment that has everything gets the record alone; one without a record gets none."""
    record_asked(tmp_path, [asked("timm")])
    assert read_record(tmp_path) is None
    record_install(tmp_path, tmp_path, Wheelhouse(wheels=()), context)
    record_asked(tmp_path, [asked("timm")])
    assert [each.line for each in asked_in(tmp_path)] == ["timm"]


@pytest.mark.parametrize(
    "rows", ["3", "[3]", '[{"requirement": 1}]', '[{"requirement": "a b", "origin": "x"}]']
)
def test_rows_that_somebody_has_edited_are_left_out(tmp_path, rows):
    """A record may hold anything."""
    (tmp_path / "torchdoctor.json").write_text(f'{{"schema": 1, "asked": {rows}}}')
    assert asked_in(tmp_path) == ()


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 2}', "\xff", "[" * 99999])
def test_what_is_no_record_is_none(tmp_path, text):
    """A later schema is not understood."""
    (tmp_path / "torchdoctor.json").write_bytes(text.encode("latin-1"))
    assert read_record(tmp_path) is None


@pytest.mark.process
def test_the_record_of_the_old_environment_is_not_written_through(tmp_path, context):
    """In a copy of the environment it is a hard link of it."""
    old, stage = tmp_path / "old", tmp_path / "stage"
    old.mkdir()
    stage.mkdir()
    record_install(old, old, Wheelhouse(wheels=()), context)
    before = (old / "torchdoctor.json").read_bytes()
    os.link(old / "torchdoctor.json", stage / "torchdoctor.json")
    record_install(stage, old, Wheelhouse(wheels=()), context)
    assert (old / "torchdoctor.json").read_bytes() == before
    assert read_record(stage)["previous"] is not None
