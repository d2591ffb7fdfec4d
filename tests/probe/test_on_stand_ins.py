"""Checks with parts of torch replaced: what they report of a device that works and of one that does not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROBE = HERE.parents[1] / "torchdoctor" / "probe"


@pytest.fixture
def outcomes(torch_python, once):
    """What each check says in each case, run once."""

    def run(_):
        done = subprocess.run(
            [torch_python, "-I", "-B", HERE / "stand_ins.py", PROBE],
            check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return json.loads(done.stdout)

    return once("stand-ins", run)


@pytest.mark.parametrize(
    ("case", "status", "said"),
    [
        ("memory", "pass", "32 of 40 MiB free (80 in all) allocated, filled, read and freed"),
        ("memory taken meanwhile", "warn", "20 of 40 MiB free"),
        ("memory that forgets", "fail", "do not keep what was written"),
        ("memory not given back", "fail", "200 MiB of cuda:0 are not freed"),
        ("copies", "pass", "pageable and pinned: every byte is the same"),
        ("copies not pinned", "fail", "memory that is not pinned"),
        ("copies that change", "fail", "within the device: 8388608 of 8388608 bytes differ"),
        ("peers", "pass", "copies between all 2 GPUs are right; 1 of 2 ways are direct"),
        ("peers that change", "fail", "a copy from cuda:0 to cuda:1 arrives changed"),
        ("nccl", "pass", "NCCL 2.28.3 sums over 2 GPUs exactly"),
        ("nccl that is wrong", "fail", "all-reduce over 2 GPUs gives 4.0 on cuda:0, not 3.0"),
        ("one gpu", "skip", "needs two GPUs"),
        ("matmul of an old gpu", "pass", "not available: bfloat16"),
    ],
)
def test_a_check_of_gpus_tells_right_from_wrong(outcomes, case, status, said):
    """Each failure in its own words."""
    assert outcomes[case]["status"] == status, outcomes[case]
    assert said in outcomes[case]["detail"]


@pytest.mark.parametrize(
    ("case", "status", "said"),
    [
        ("products 5 % off", "fail", "float32 5.0e-02 (limit 2e-06)"),
        ("products 1e-3 off", "fail", "(limit 2e-06)"),
        ("products of zeros", "fail", "float64 gives zeros only"),
        ("infinite products", "fail", "float64 gives NaN or infinity"),
        ("products of another shape", "fail", "float64 has shape (1, 64), not (64, 64)"),
        ("products of a lower precision that was asked for", "pass", "float32 matmul precision is high"),
    ],
)
def test_wrong_products_fail_the_matmul_check_with_the_number(outcomes, case, status, said):
    """On a CPU nothing coarser than float32 is expected, but where a setting explains it."""
    assert outcomes[case]["status"] == status, outcomes[case]
    assert said in outcomes[case]["detail"]


def test_one_library_from_two_places_is_seen_and_its_parts_are_not(outcomes):
    """libnvrtc-builtins is a part of libnvrtc; libcudnn twice is one too many."""
    assert outcomes["twice"] == ["/a/libcudnn.so.9", "/b/libcudnn.so.9"]
    assert outcomes["once"] == []
