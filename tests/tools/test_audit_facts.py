"""The maintainer's check of the facts against their sources."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from pathlib import Path

import pytest

import wheels_index
from wheels_index import bundled

ROOT = Path(wheels_index.__file__).parent.parent


@pytest.fixture(scope="module")
def tool():
    """The tool as it is run: its folder on the path."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        yield importlib.import_module("audit_facts")
    finally:
        sys.path.remove(str(ROOT / "tools"))


@pytest.fixture
def data(tmp_path):
    """A copy of the data to compare."""
    return Path(shutil.copytree(ROOT / "wheels_index" / "data", tmp_path / "data"))


def pypi_document(tmp_path, *, project="torchaudio", **change):
    """PyPI's words of a version as the data have them, with something changed."""
    version = "2.11.1"
    release = bundled().release("2.15.0")
    companion = release.companions[project]
    files = [
        {
            "filename": wheel.filename,
            "url": f"https://files.pythonhosted.org/packages/aa/{wheel.filename}",
            "size": wheel.size,
            "digests": {"sha256": wheel.sha256},
            "requires_python": companion.requires_python[version],
            "upload_time_iso_8601": f"{companion.uploaded[version]}T12:00:00Z",
            "yanked": False,
        }
        for wheel in release.pypi_wheels
        if (wheel.project, wheel.version.public) == (project, version)
    ]
    assert files
    named = change.pop("version", version)
    info = {"name": project, "version": named, "requires_dist": change.pop("requires_dist", ["torch>=2.11"])}
    for file in files:
        file.update(change)
        file["filename"] = file["filename"].replace(version, named)
        file["url"] = file["url"].replace(version, named)
    path = tmp_path / "document.json"
    path.write_text(json.dumps({"info": info, "releases": {named: files}}))
    return path


def test_facts_that_agree_are_status_0(tool, data, tmp_path, capsys):
    """Nothing wrong, nothing missing."""
    assert tool.main([str(data), str(pypi_document(tmp_path))]) == 0
    assert capsys.readouterr().out == "4 files compared: 0 wrong, 0 missing\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"digests": {"sha256": "0" * 64}}, "PyPI JSON API has 0000"),
        ({"requires_python": ">=3.12"}, "PyPI says '>=3.12'"),
        ({"yanked": True}, "yanked is False"),
        ({"requires_dist": ["torch>=2.11", "numpy"]}, "requires numpy"),
    ],
)
def test_what_is_wrong_is_named_and_status_1(tool, data, tmp_path, capsys, change, said):
    """The line has what is stored and what the source says."""
    assert tool.main([str(data), str(pypi_document(tmp_path, **change))]) == 1
    out = capsys.readouterr().out
    assert "wrong: torchaudio" in out
    assert said in out


def test_a_version_that_the_data_lack_is_missing(tool, data, tmp_path, capsys):
    """A companion that came out since."""
    assert tool.main([str(data), str(pypi_document(tmp_path, version="2.11.2"))]) == 1
    assert "missing: torchaudio 2.11.2: 4 files" in capsys.readouterr().out


def test_the_order_of_a_specifier_is_no_difference(tool, data, tmp_path):
    """PyPI sorts its parts in one way, a wheel in another."""
    path = data / "companions" / "torchaudio-2.11.1.json"
    path.write_text(path.read_text().replace('">=3.10"', '">=3.10,!=3.14.1"'))
    assert tool.main([str(data), str(pypi_document(tmp_path, requires_python="!=3.14.1,>=3.10"))]) == 0


def test_facts_without_a_source_are_listed(tool, data):
    """A source that is null, and one that says that it was remembered."""
    path = data / "archs.json"
    facts = json.loads(path.read_bytes())
    facts["lists"][0]["source"] = None
    facts["lists"][1]["source"] = "recalled"
    path.write_text(json.dumps(facts))
    lines = list(tool.unsourced(data))
    assert "archs.json lists: no source" in lines
    assert "archs.json lists: recalled" in lines
