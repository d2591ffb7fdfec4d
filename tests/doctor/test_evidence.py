"""What was seen becomes observations: by codes and values, whatever the sentences beside them say."""

from __future__ import annotations

import json

import pytest

from tests.detect.recorded_system import RecordedSystem, paper_python, said
from torchdoctor.detect import detect
from torchdoctor.doctor.evidence import machine_observations, refusals


def machine_whose_nvml_says(code):
    """A machine on which NVML fails with this code, in words that nobody knows."""
    answer = json.dumps({"error": code, "detail": "Reworded in another release"})
    return detect(RecordedSystem(commands={"nvml": said(answer)}), python=paper_python())


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("version-mismatch", "Failed to initialize NVML: Driver/library version mismatch"),
        ("nvml-999", "Failed to initialize NVML: Reworded in another release"),
        ("library-unusable", "Reworded in another release"),
    ],
)
def test_nvml_s_code_decides_which_refusal_it_is(code, sentence):
    """Not the words of the binding, which change from release to release."""
    assert sentence in refusals(machine_whose_nvml_says(code))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("no-permission", "live.nvidia.no_permission"),
        ("driver-not-loaded", "live.nvidia.not_loaded"),
        ("version-mismatch", None),
    ],
)
def test_nvml_s_code_decides_which_part_is_missing(code, name):
    """The driver that is not loaded, or the right to open its nodes."""
    names = {row.name for row in machine_observations(machine_whose_nvml_says(code))}
    both = {"live.nvidia.no_permission", "live.nvidia.not_loaded"}
    assert names & both == ({name} if name else set())
