"""Possible causes by the symptom: added where the cause is open, never claimed, and not against the facts."""

from __future__ import annotations

import pytest

from torchdoctor.diagnose import diagnose_text
from torchdoctor.diagnose.catalogue import failures_by_id
from torchdoctor.diagnose.compiled_data import DataFileError
from torchdoctor.diagnose.symptom_causes import _FILE, compile_symptoms

ROWS = compile_symptoms(_FILE)


def test_each_cause_of_a_symptom_is_a_failure_of_the_catalogue():
    """And none twice in a row."""
    for row in ROWS:
        assert set(row["causes"]) <= failures_by_id().keys()
        assert len(set(row["causes"])) == len(row["causes"])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "nvcc is there, and the build of the extension fails, why? error: nvcc stops",
            "cuda-toolkit-mismatch",
        ),
        ("How can I solve this? It says that operator torchvision::nms has an error", "torchvision-mismatch"),
    ],
)
def test_what_the_text_shows_has_its_usual_causes(text, name):
    """No word of the cause stands in the text: it is possible, with the line that shows the symptom."""
    found = diagnose_text(text)
    assert found.findings == ()
    cause = next(finding for finding in found.possible if finding.id == name)
    assert cause.evidence


def test_there_are_three_causes_at_most():
    """Those of the rules count."""
    found = diagnose_text(
        "RuntimeError: CUDA error: no kernel image is available for execution on the device\nWhy?"
    )
    assert [finding.id for finding in found.in_order] == [
        "gpu-arch-too-new", "gpu-arch-too-old", "extension-built-for-other-arch",
    ]  # fmt: skip


def test_a_cause_of_another_system_is_left_out():
    """A DLL that is missing on Windows says nothing of Linux's libraries, nor the other way round."""
    found = diagnose_text("Ubuntu 22.04\nOSError: libfoo.so: cannot open shared object file\nWhat can I do?")
    assert all("linux" in failures_by_id()[finding.id].os for finding in found.in_order)


@pytest.mark.parametrize(
    "text",
    ["", "torch 2.9.1 works on the RTX 4090", "feat: build with nvcc\n\nThis PR fixes an error of nvcc"],
)
def test_where_nothing_fails_nothing_is_added(text):
    """A healthy machine, a description of a change, an empty text."""
    assert diagnose_text(text).in_order == ()


def test_a_row_that_is_wrong_is_named(tmp_path):
    """By its number and key."""
    path = tmp_path / "symptoms.toml"
    path.write_text('[[symptom]]\nwhen = { test = ["x"] }\ncauses = ["driver-missing"]\n', "utf-8")
    with pytest.raises(DataFileError, match=r"symptom\[0\]"):
        compile_symptoms(path)
