"""Data that is written as TOML: compiled for a wheel, cached in a checkout, and the same by every way."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest

from torchdoctor.diagnose.compiled_data import DataFileError, load_compiled
from torchdoctor.diagnose.failure_files import compile_failures
from torchdoctor.diagnose.parsers.pattern_files import (
    compile_descriptions,
    compile_hints,
    compile_outputs,
    compile_prose,
    compile_speakers,
)
from torchdoctor.diagnose.question_table import compile_questions
from torchdoctor.diagnose.symptom_causes import compile_symptoms

ROOT = Path(__file__).parents[2]
DIAGNOSE = ROOT / "torchdoctor" / "diagnose"
SOURCES = {
    "failures": (DIAGNOSE / "failures", compile_failures),
    "symptoms": (DIAGNOSE / "symptoms.toml", compile_symptoms),
    "questions": (DIAGNOSE / "questions.toml", compile_questions),
    "command_outputs": (DIAGNOSE / "parsers" / "command_outputs.toml", compile_outputs),
    "descriptions": (DIAGNOSE / "parsers" / "descriptions.toml", compile_descriptions),
    "environment_hints": (DIAGNOSE / "parsers" / "environment_hints.toml", compile_hints),
    "prose_patterns": (DIAGNOSE / "parsers" / "prose_patterns.toml", compile_prose),
    "speakers": (DIAGNOSE / "parsers" / "speakers.toml", compile_speakers),
}


def as_json(data):
    """The data as a file gives it back: JSON has no tuples."""
    return json.loads(json.dumps(data))


@pytest.fixture
def failures(tmp_path):
    """A folder of failures with one file of its own, since all of them take a moment to compile."""
    folder = tmp_path / "failures"
    (folder / "driver").mkdir(parents=True)
    for name in ("_shared.toml", "driver/driver-missing.toml"):
        shutil.copy(DIAGNOSE / "failures" / name, folder / name)
    return folder


@pytest.fixture
def bytecode(monkeypatch):
    """Python may write beside the code."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


@pytest.mark.usefixtures("bytecode")
def test_a_checkout_sees_a_file_that_was_changed_or_added(failures):
    """The cache is used while no file is another, and never longer."""
    assert load_compiled(failures, compile_failures) == compile_failures(failures)
    assert (failures.parent / "__pycache__" / "failures.json").exists()
    path = failures / "driver" / "driver-missing.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace('severity = "error"', 'severity = "warning"'), "utf-8")
    assert load_compiled(failures, compile_failures)["failures"]["driver-missing"]["severity"] == "warning"
    (failures / "driver" / "driver-lost.toml").write_text(
        text.replace("driver-missing", "driver-lost"), "utf-8"
    )
    assert "driver-lost" in load_compiled(failures, compile_failures)["failures"]


@pytest.mark.usefixtures("bytecode")
def test_what_did_not_change_is_not_compiled_again(failures):
    """The second start reads the cache alone."""
    first = load_compiled(failures, compile_failures)
    assert load_compiled(failures, pytest.fail) == first


@pytest.mark.usefixtures("bytecode")
@pytest.mark.parametrize("damage", ["", "{", "[]", '{"key": 1}'])
def test_a_damaged_cache_is_made_again(failures, damage):
    """It is not trusted without its key."""
    expected = load_compiled(failures, compile_failures)
    (failures.parent / "__pycache__" / "failures.json").write_text(damage, "utf-8")
    assert load_compiled(failures, compile_failures) == expected


def test_without_bytecode_no_cache_is_written(failures, monkeypatch):
    """A checkout in which Python writes nothing is left as it is."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    load_compiled(failures, compile_failures)
    assert not (failures.parent / "__pycache__").exists()


def test_the_build_puts_the_compiled_data_into_the_wheel(tmp_path):
    """Each JSON is what a checkout compiles, lies where it is looked for, and goes when the wheel is complete."""
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hook = module.CustomBuildHook(str(ROOT), {}, None, None, str(tmp_path), "wheel")
    build_data = {"force_include": {}}
    hook.initialize("standard", build_data)
    written = {ROOT / place: Path(made) for made, place in build_data["force_include"].items()}
    for source, compile_source in SOURCES.values():
        made = written.pop(source.with_suffix(".json"))
        assert json.loads(made.read_text("utf-8")) == as_json(compile_source(source))
    assert written == {}
    hook.finalize("standard", build_data, str(tmp_path))
    assert not made.exists()


@pytest.mark.parametrize(("source", "compile_source"), SOURCES.values(), ids=SOURCES)
def test_a_built_package_reads_the_json_and_needs_no_toml(tmp_path, source, compile_source):
    """The wheel has the JSON in the place of the TOML."""
    built = tmp_path / f"{source.stem}.json"
    built.write_text(json.dumps(compile_source(source)), "utf-8")
    assert load_compiled(tmp_path / source.name, pytest.fail) == as_json(compile_source(source))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("\n[words]", "\n[word", "prose_patterns.toml: "),
        ("{gpu}", "{gpus}", r"meaning\[0\]: KeyError"),
        (r"\b{not}", "({not}", r"meaning\[0\]: .*error"),
        ('fact = "prose.gpu_unused"\nall = [', "all = [", r"meaning\[0\]: KeyError\('fact'\)"),
    ],
)
def test_a_wrong_pattern_of_prose_is_named_with_its_entry(tmp_path, old, new, reason):
    """Whoever edits the patterns learns which one is wrong."""
    text = (DIAGNOSE / "parsers" / "prose_patterns.toml").read_text("utf-8")
    assert old in text
    (tmp_path / "prose_patterns.toml").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(DataFileError, match=reason):
        compile_prose(tmp_path / "prose_patterns.toml")
