"""The document of the facts, its schema, and the commands of the library."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import wheels_index
from wheels_index.__main__ import main
from wheels_index.matrix import matrix, matrix_document, matrix_schema_file

SCHEMA = json.loads(matrix_schema_file().read_text("utf-8"))


@pytest.fixture(scope="module")
def document():
    """The document as another program reads it."""
    return json.loads(json.dumps(matrix_document()))


def builds_of(document, gpu):
    """The newest torch of each variant on Linux with code for a GPU."""
    (found,) = (row for row in document["gpus"] if row["name"] == gpu)
    return {row["variant"]: row["torch"] for row in found["builds"] if row["platform"] == "linux_x86_64"}


def test_the_document_is_what_the_schema_describes(document):
    """Every key is required, so a document without one is refused."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA)
    for key in document:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({name: value for name, value in document.items() if name != key}, SCHEMA)


def test_it_names_its_schema_its_version_and_its_day(document):
    assert document["schema"] == 1
    assert document["version"] == wheels_index.__version__
    assert document["as_of"] == wheels_index.bundled().as_of


def test_it_has_every_release_and_variant(document):
    """Of a build what was read of it, of a variant what it needs."""
    known = [str(version) for version in wheels_index.bundled().versions()]
    assert [row["torch"] for row in document["releases"]] == known
    release = document["releases"][known.index("2.8.0")]
    (linux,) = (row for row in release["platforms"] if row["platform"] == "linux_x86_64")
    (build,) = (row for row in linux["builds"] if row["variant"] == "cu128")
    assert (build["glibc"], build["sm"][0]) == ("2.28", "7.0")
    assert build["files_seen"] > 0
    (needs,) = (row for row in document["variants"] if row["variant"] == "cu126")
    assert (needs["linux_driver"], needs["newest_torch"]) == ("525.60.13", "2.14.1")


def test_it_says_which_pytorch_runs_on_an_old_gpu(document):
    """A GTX 1080 Ti is 6.1: cu126 up to 2.14.1, and drivers up to 580; no build has code for a K40."""
    assert builds_of(document, "6.1")["cu126"] == "2.14.1"
    assert "cu130" not in builds_of(document, "6.1")
    assert next(row for row in document["gpus"] if row["name"] == "6.1")["last_driver_branch"] == 580
    assert builds_of(document, "3.5") == {}


def test_an_amd_target_has_the_builds_that_serve_it(document):
    """gfx1103 came with 7.2; rocBLAS of 6.4 and later has nothing for gfx906."""
    assert {"rocm7.1", "rocm7.2"} & builds_of(document, "gfx1103").keys() == {"rocm7.2"}
    assert builds_of(document, "gfx906")["rocm6.3"] == "2.9.1"
    assert "rocm6.4" not in builds_of(document, "gfx906")


def test_the_facts_of_a_live_index_can_be_written_as_well():
    """A release that was seen on an index stands first."""
    name = "torch-2.99.0+cu134-cp312-cp312-manylinux_2_28_x86_64.whl"
    wheel = wheels_index.Wheel.from_filename(name, url=f"https://example.org/{name}")
    live = wheels_index.overlay(wheels_index.bundled(), [wheel], as_of="2027-01-01")
    found = matrix(live)
    assert (found.releases[0].torch, found.as_of) == ("2.99.0", "2027-01-01")
    jsonschema.validate(json.loads(json.dumps(matrix_document(live))), SCHEMA)


def test_the_commands_print_the_document_and_its_schema(capsys):
    """One JSON document each, and no fact without a source."""
    assert main(["matrix"]) == 0
    jsonschema.validate(json.loads(capsys.readouterr().out), SCHEMA)
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
    assert main(["unsourced"]) == 0
    assert capsys.readouterr().out == ""


def test_a_fact_without_a_source_is_status_1(capsys, monkeypatch):
    monkeypatch.setattr("wheels_index.source_audit.unsourced", lambda: iter(["gpus.json gpus X: no source"]))
    assert main(["unsourced"]) == 1
    assert capsys.readouterr().out == "gpus.json gpus X: no source\n"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["--version"], 0),
        ([], 2),
        (["nothing"], 2),
        (["inspect"], 2),
        (["inspect", "/no.whl"], 2),
    ],
)
def test_the_exit_statuses_are_those_that_the_help_names(capsys, arguments, status):
    """Help and version on standard output, errors on standard error."""
    try:
        ended = main(arguments)
    except SystemExit as error:
        ended = error.code
    assert ended == status
    said = capsys.readouterr()
    assert bool(said.out) == (status == 0)
    if arguments == ["--help"]:
        assert "  2  wrong usage, or a wheel that cannot be read" in said.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
def test_output_that_cannot_be_written_is_an_error_with_a_status(monkeypatch, capsys):
    """The facts on a full disk, as for any other command."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert main(["schema"]) == 3
    assert "No space left" in capsys.readouterr().err
