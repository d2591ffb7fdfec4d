"""Runs on disk: what was saved comes back, and a file that is none is a clear error, never a traceback."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.made import product, report
from tests.conftest import run_torchdoctor
from torchdoctor.bench import BenchResult, load_run, save_run
from torchdoctor.bench.saved_runs import UnreadableRun, parse_run
from torchdoctor.errors import UsageError

FULL = report(
    product(187.0, telemetry={"clock_mhz": 1980.0}, cause="x", note="y", peak=233.8, peak_source="z"),
    BenchResult(id="conv", device="cpu", seconds=1.0, error="lost", evidence=("line",)),
)


def test_what_was_saved_comes_back(tmp_path):
    """By its name, and by its file's path."""
    path = save_run(FULL, "before", tmp_path / "bench")

    assert load_run("before", tmp_path / "bench") == FULL
    assert load_run(str(path), tmp_path / "elsewhere") == FULL


def test_what_json_printed_can_be_compared_with(tmp_path):
    file = tmp_path / "ci.json"
    file.write_text(json.dumps(FULL.to_json()))

    assert load_run(str(file), tmp_path / "bench") == FULL


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "C:x",
        "nul",
        "COM1.json",
        "-x",
        "x" * 65,
        "a b",
        "é",
        "a\n",
        "a.",
    ],
)
def test_names_that_could_be_paths_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be the name"):
        save_run(FULL, name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_not_there_says_which_are(tmp_path):
    save_run(FULL, "before", tmp_path)

    with pytest.raises(UnreadableRun) as caught:
        load_run("bfore", tmp_path)
    assert "before" in caught.value.fix


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 2}, "version '2'"),
        ({"schema": None}, "version 'None'"),
        ({"kind": "other"}, "version"),
        ({"results": None}, "no results"),
        ({"results": [1]}, r"results\[0\]: expected an object, found 1"),
        ({"results": [{"device": "cpu"}]}, r"results\[0\].id: expected a text, found nothing"),
        (
            {"results": [{"id": "a", "device": "cpu", "value": "1"}]},
            r"results\[0\].value: expected a number, found '1'",
        ),
        ({"results": [{"id": "a", "device": "cpu", "value": True}]}, "value: expected a number, found True"),
        ({"results": [{"id": "a", "device": "cpu", "rounds_s": [1, "x"]}]}, "rounds_s"),
        ({"environment": []}, "environment"),
    ],
)
def test_a_spoilt_file_says_where(tmp_path, change, words):
    with pytest.raises(UnreadableRun, match=words):
        parse_run(json.dumps(FULL.to_json() | change).encode(), tmp_path)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"schema": 1, "results": [NaN]}']
)
def test_what_is_no_json_is_no_run(tmp_path, text):
    with pytest.raises(UnreadableRun, match="is not a run of bench"):
        parse_run(text, tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: (
        st.lists(parts) | st.dictionaries(st.sampled_from(["id", "value", "params", "rounds_s"]), parts)
    ),
)


@given(JSON)
def test_no_result_raises_anything_else(value):
    """Whatever stands in a row."""
    row = {"id": "a", "device": "cpu"} | (value if isinstance(value, dict) else {"value": value})
    text = json.dumps({"schema": 1, "environment": {}, "results": [row]}).encode()
    with contextlib.suppress(UnreadableRun):
        assert parse_run(text, "x").results[0].id == row["id"]


def test_the_command_saves_compares_and_fails(torch_python, tmp_path):
    """Against a run that was a hundred times as fast."""
    data = {"TORCHDOCTOR_DATA_DIR": str(tmp_path)}
    common = ("bench", torch_python.parent.parent, "--quick", "--only", "launch")

    first = run_torchdoctor(*common, "--save", "now", environ=data)
    assert first.status == 0, first.err
    file = tmp_path / "bench" / "now.json"
    document = json.loads(file.read_text())
    for row in document["results"]:
        for key in ("value", "best_value", "median_s", "best_s", "iqr_s"):
            row[key] /= 100
        row["rounds_s"] = [part / 100 for part in row["rounds_s"]]
        row["cpu_share"] = 1.0
    file.write_text(json.dumps(document))
    slower = run_torchdoctor(*common, "--compare", "now", "--fail-if", "5", "--json", environ=data)
    (change,) = slower.json["comparison"]["changes"]

    assert change["id"] == "launch"
    assert change["percent"] < -50
    # A machine busy enough for the noise to hide a hundredfold is no regression.
    assert slower.status == (1 if change["verdict"] == "slower" else 0)


@pytest.mark.process
def test_what_is_wrong_is_said_before_anything_is_measured(tmp_path):
    """A minute's work is not thrown away for a name."""
    data = {"TORCHDOCTOR_DATA_DIR": str(tmp_path)}
    for wrong in (
        ("--compare", "none"),
        ("--save", "../x"),
        ("--fail-if", "5"),
        ("--distributed", "--save", "a"),
    ):
        ran = run_torchdoctor("bench", tmp_path / "no-env", *wrong, "--json", environ=data)
        assert ran.status == 2
        assert "environment" not in ran.json["error"]["kind"]
