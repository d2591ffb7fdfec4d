"""The watch over the GPUs: a summary a case, of the right GPU, and nothing where there is no driver."""

from __future__ import annotations

import contextlib
import ctypes
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.made import on_gpu
from torchdoctor.bench import gpu_telemetry
from torchdoctor.bench.gpu_telemetry import GpuTelemetry, summarize, throttle_reasons

H100 = on_gpu("NVIDIA H100 PCIe")["devices"][1]
ROW = {"name": "NVIDIA H100 PCIe", "clock_mhz": 1755, "highest_clock_mhz": 1755, "temperature_c": 60, "power_w": 340.0,
       "power_limit_w": 350.0, "reasons": 0x4}  # fmt: skip


def watched(*samples, **environ):
    """A watch that has taken these samples of a case."""
    watch = GpuTelemetry(environ)
    watch._samples["matmul"] = list(samples)
    return watch.of_case("matmul", H100)


def test_a_case_is_summed_up():
    """The clock that it mostly had, the worst of the rest, and each reason once."""
    found = watched(
        [ROW], [ROW | {"clock_mhz": 1200, "temperature_c": 84, "reasons": 0x24}], [ROW | {"clock_mhz": 1200}]
    )

    assert found == {
        "samples": 3, "clock_mhz": 1200, "highest_clock_mhz": 1755, "temperature_c": 84, "power_w": 340.0,
        "power_limit_w": 350.0, "throttle_reasons": ["power cap", "thermal slowdown"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("environ", "clock"),
    [({}, 1755), ({"CUDA_VISIBLE_DEVICES": "1,0"}, 900), ({"CUDA_VISIBLE_DEVICES": "GPU-1234"}, None),
     ({"CUDA_VISIBLE_DEVICES": "7"}, None)],
)  # fmt: skip
def test_the_samples_are_of_the_gpu_that_torch_uses(environ, clock):
    """CUDA_VISIBLE_DEVICES deals the numbers out anew; where it cannot be told which, nothing is said."""
    found = watched([ROW, ROW | {"clock_mhz": 900}], **environ)

    assert (found or {}).get("clock_mhz") == clock


def test_a_gpu_of_another_name_is_not_the_one():
    assert watched([ROW | {"name": "NVIDIA T4"}]) is None


def test_idling_and_a_clock_that_was_set_are_no_reasons():
    assert throttle_reasons(0x1 | 0x2) == []
    assert throttle_reasons(0x4 | 0x80) == ["power cap", "power brake"]
    assert throttle_reasons(None) == []


@given(st.lists(st.dictionaries(st.sampled_from(list(ROW)), st.none() | st.integers() | st.text())))
def test_any_answer_can_be_summed_up(rows):
    """A driver says what it likes."""
    found = summarize(rows)

    assert (found is None) == (not rows)


@pytest.mark.process
def test_without_a_driver_the_process_ends_by_itself():
    """And says why on standard error, which nobody shows."""
    with contextlib.suppress(OSError):
        ctypes.CDLL("libnvidia-ml.so.1")
        pytest.skip("there is a driver")
    folder = gpu_telemetry.find_spec("pynvml").origin.rpartition("/")[0]
    done = subprocess.run(
        [sys.executable, "-I", gpu_telemetry._SCRIPT, folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout == ""
    assert done.returncode == 1
