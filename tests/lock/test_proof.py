"""uv's derivation becomes the few facts that it rests on."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomllib
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.lock.proof import in_words, premises_of

SAMPLES = tomllib.loads((Path(__file__).parent / "uv_samples.toml").read_text("utf-8"))["sample"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("not-found", "no index has absent; you asked for absent"),
        (
            "not-found-transitive",
            "no index has absent; every wants wants absent; you asked for wants",
        ),
        ("no-version", "there is no needed 9; you asked for needed 9"),
        ("no-version-range", "only needed <=2.0 can be had; you asked for needed >5"),
        (
            "conflict",
            "every b wants needed 2.0; every a wants needed 1.0; you asked for a and b",
        ),
        (
            "no-file-with-markers",
            (
                "triton 3.8.0 has no file for this machine and Python; only triton <=3.8.0 or triton >3.9 can be had; "
                "torch >=2.14.0+cu130,<=2.14.0+cu132 wants triton >=3.8.0,<3.9; there is no torch 2.14.0; "
                "vllm 0.33.0 wants torch 2.14.0; you asked for vllm 0.33.0"
            ),
        ),
        ("constraint", "you asked for needed >=2 and needed <2"),
        ("sdist-only", "needed 1.0 has no file for this machine and Python; you asked for needed 1.0"),
        (
            "requires-python",
            "Python 3.11.7 is not >=3.99; needed 1.0 wants Python >=3.99; you asked for needed 1.0",
        ),
    ],
)
def test_a_proof_is_told_in_a_few_words(name, words):
    """What is wanted and missing comes first, what was asked for last."""
    (sample,) = [sample for sample in SAMPLES if sample["name"] == name]
    pinned = {"vllm": "0.33.0"} if "vllm" in sample["names"] else {}
    assert in_words(premises_of(sample["stderr"], pinned)) == words


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_what_uv_calls_unsatisfiable_has_a_proof(sample):
    """And other failures have none."""
    proven = "we can conclude" in sample["stderr"]
    assert bool(premises_of(sample["stderr"])) == proven


@given(st.text(alphabet="Because and you require depends on ab<>=!,.: \n0123456789", max_size=300))
def test_any_text_is_read(text):
    """A text that is no proof has no premises, and none is empty."""
    assert all(str(premise.text).strip() for premise in premises_of(text))
