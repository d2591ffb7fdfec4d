"""The maintainer's tools: how data files are laid out, and what an import refuses."""

import importlib
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wheels_index

ROOT = Path(wheels_index.__file__).parent.parent
DATA = ROOT / "wheels_index" / "data"


@pytest.fixture(scope="module")
def tools():
    """Import the tools as they are run: their folder on the path."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        yield {name: importlib.import_module(name) for name in ("layout", "facts_wheels", "import_facts")}
    finally:
        sys.path.remove(str(ROOT / "tools"))


def _row(**changes):
    row = {
        "project": "torch",
        "version": "2.4.1+cu124",
        "variant": "cu124",
        "filename": "torch-2.4.1+cu124-cp312-cp312-win_amd64.whl",
        "path": "whl/cu124/torch-2.4.1%2Bcu124-cp312-cp312-win_amd64.whl",
        "sha256": "0" * 64,
        "source": "lockfile: one/one, two/two (+3 more)",
    }
    return row | changes


@pytest.mark.parametrize("path", sorted(DATA.rglob("*.json")), ids=lambda path: path.stem)
def test_every_data_file_is_laid_out_as_the_writer_lays_it_out(tools, path):
    """Reading and writing a data file changes no byte, so a diff shows facts alone."""
    text = path.read_text("utf-8")
    assert tools["layout"].dumps(json.loads(text)) + "\n" == text


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_the_layout_is_json(tools, value):
    """Whatever is written reads back as it was."""
    assert json.loads(tools["layout"].dumps(value)) == value


def test_a_group_holds_its_files_and_where_they_were_seen(tools):
    """Rows of one project, version and folder become one group."""
    (group,) = tools["facts_wheels"].groups([_row()])
    assert (group["project"], group["version"], group["folder"]) == ("torch", "2.4.1+cu124", "whl/cu124/")
    assert group["source"] == "lockfile: one/one, two/two"
    assert group["files"] == [["torch-2.4.1+cu124-cp312-cp312-win_amd64.whl", "0" * 64]]


def test_a_file_with_two_digests_is_refused(tools):
    """A name seen again with another digest stops the import."""
    with pytest.raises(ValueError, match="two digests"):
        tools["facts_wheels"].groups([_row(), _row(sha256="1" * 64)])


def test_a_path_that_is_not_folder_and_name_is_refused(tools):
    """The URL is made of folder and name, so the path that was seen must be that."""
    with pytest.raises(ValueError, match="not the folder and the name"):
        tools["facts_wheels"].groups([_row(path="whl/cu121/other.whl")])


def test_wrong_usage_is_status_2(tools, capsys):
    """Without a folder the tool says how it is used."""
    assert tools["import_facts"].main([]) == 2
    assert "FACTS_DIR" in capsys.readouterr().err
