"""Reports of other programs: facts are read in each form, its usual words are no failure, and a wrong value is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.diagnose import diagnose_text
from torchdoctor.diagnose.parsers.parse import parse_report

FOLDER = Path(__file__).parents[1] / "cases" / "formats"
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.txt"))}
READ = {
    "accelerate-env": {"torch.version": "2.6.0+cu126", "nvidia.gpu": "NVIDIA GeForce RTX 4070 Ti SUPER"},
    "collect-env-1.0": {"torch.version": "1.0.0", "torch.build": "cu90", "nvidia.driver": "390.87"},
    "collect-env-mac": {"torch.cuda": "none", "os.system": "macos", "arch": "arm64"},
    "collect-env-rocm": {"torch.build": "rocm6.3", "amd.gfx": "gfx1100", "cuda.available": "true"},
    "collect-env-xpu": {"torch.build": "xpu", "xpu.available": "true"},
    "comfyui-start": {"torch.version": "2.7.0+cu128", "python.version": "3.12.10"},
    "conda-info-and-list": {"torch.build": "cu126", "package.torchvision": "0.21.0"},
    "ds-report": {"torch.version": "2.6.0+cu124", "torch.cuda": "12.4", "cuda.toolkit": "12.4"},
    "nvidia-smi-q": {"nvidia.driver": "570.124.06", "nvidia.cuda": "12.8", "nvidia.compute_mode": "Default"},
    "nvidia-smi-q-h100": {"nvidia.gpu": "NVIDIA H100 80GB HBM3", "nvidia.mig_mode": "Disabled"},
    "pip-debug": {"python.version": "3.12", "os.system": "linux"},
    "rocminfo": {"amd.gfx": "gfx1100"},
    "transformers-env": {
        "torch.version": "2.6.0+cu124",
        "cuda.available": "true",
        "nvidia.gpu": "NVIDIA GeForce RTX 3090",
    },
    "uv-pip-list": {"package.torch": "2.7.0", "package.nvidia-cudnn-cu12": "9.5.1.17"},
    "vllm-collect-env": {
        "torch.version": "2.9.0+cu128",
        "nvidia.driver": "570.133.20",
        "package.vllm": "0.11.2",
    },
    "xformers-info": {"torch.version": "2.6.0+cu124", "nvidia.capability": "8.9", "nvidia.gpu": "NVIDIA L4"},
}
# (form, what stands there, what stands there instead, the failure)
CHANGED = [
    ("transformers-env", "2.6.0+cu124 (True)", "2.6.0+cpu (False)", "cpu-only-wheel"),
    ("accelerate-env", "cu126\n- PyTorch accelerator: CUDA", "cpu\n- PyTorch accelerator: N/A", "cpu-only-wheel"),
    ("comfyui-start", "RTX 4070 Ti SUPER", "GTX 1080 Ti", "gpu-arch-too-old"),
    ("vllm-collect-env", "570.133.20", "470.82.01", "driver-too-old"),
    ("vllm-collect-env", "torchvision==0.24.0", "torchvision==0.19.0", "torchvision-mismatch"),
    ("nvidia-smi-q-h100", "DRAM Uncorrectable            : 0", "DRAM Uncorrectable            : 7", "gpu-ecc-errors"),
    ("nvidia-smi-q-h100", "Occurred        : No", "Occurred        : Yes", "gpu-ecc-errors"),
    ("nvidia-smi-q", "Thermal Slowdown           : Not", "Thermal Slowdown           :", "thermal-or-power-throttling"),
    ("nvidia-smi-q", "Action                   : None", "Action                   : Reset", "gpu-xid-hardware"),
    ("xformers-info", "8.9\n", "12.0\n", "gpu-arch-too-new"),
]  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_report_of_a_machine_that_works_gives_nothing(name):
    """The words of its keys, of its notes and warnings are no failure."""
    assert diagnose_text(TEXTS[name]).in_order == ()


@pytest.mark.parametrize("name", READ)
def test_facts_are_read_in_each_form(name):
    """Versions, GPUs and what is available, under the names that every form shares."""
    evidence = parse_report(TEXTS[name])
    assert {fact: evidence.first(fact) for fact in READ[name]} == READ[name]


@pytest.mark.parametrize(("name", "right", "wrong", "failure"), CHANGED)
def test_a_wrong_value_in_a_report_is_the_failure(name, right, wrong, failure):
    """A single value makes the difference."""
    assert right in TEXTS[name]
    text = TEXTS[name].replace(right, wrong)
    if failure == "driver-too-old":
        text = text.replace("Is CUDA available            : True", "Is CUDA available            : False")
    assert [finding.id for finding in diagnose_text(text).findings] == [failure]


def test_a_problem_below_the_output_of_nvidia_smi_is_seen():
    """Only the lines of that output are taken for data."""
    text = (
        TEXTS["nvidia-smi-q"]
        + "\nImportError: libcudnn.so.9: cannot open shared object file\nNo module named 'triton'\n"
    )
    assert "triton-missing" in {finding.id for finding in diagnose_text(text).findings}


STAMPS = ("2024-07-10T12:00:02.1234567Z ", "#10 98.65 ", "00:12 ", "[12:00:01] ", "")


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_list_in_a_log_with_time_stamps_is_read(stamp):
    """What CI writes before each line is no part of the list."""
    text = "\n".join(f"{stamp}{row}" for row in ("torch       2.6.0+cu124", "torchvision 0.19.0+cu124"))
    assert [finding.id for finding in diagnose_text(text).findings] == ["torchvision-mismatch"]


LISTS = {
    "pip list --format json": (
        '[{"name":"torch","version":"2.6.0+cu124"},{"name":"torchvision","version":"0.19.0+cu124"}]'
    ),
    "pip inspect": (
        '{"version": "1", "installed": [{"metadata": {"metadata_version": "2.1", "name": "torch", '
        '"version": "2.6.0+cu124"}, "metadata_location": "/e/site-packages/torch-2.6.0+cu124.dist-info"},\n'
        '{"metadata": {"name": "torchvision", "version": "0.19.0+cu124"}}], "environment": {"python_version": "3.11"}}'
    ),
    "conda list --json": (
        '[{"build_string": "py3.11_cuda12.4_0", "channel": "pytorch", "name": "pytorch", "version": "2.6.0"},\n'
        '{"name": "torchvision", "version": "0.19.0"}]'
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_in_json_is_read(name):
    """Each package with its version, and conda's with its build."""
    evidence = parse_report(LISTS[name])
    assert evidence.first("torch.version") in ("2.6.0+cu124", "2.6.0")
    assert (evidence.first("torch.build"), evidence.first("package.torchvision")[:6]) == ("cu124", "0.19.0")
    assert [finding.id for finding in diagnose_text(LISTS[name]).findings] == ["torchvision-mismatch"]


def test_a_list_with_a_cpu_build_is_no_failure_by_itself():
    """Where nobody misses a GPU, that is what was wanted."""
    text = '[{"build_string": "py3.11_cpu_0", "channel": "pytorch", "name": "pytorch", "version": "2.3.1"}]'
    assert diagnose_text(text).findings == ()
    assert [
        finding.id for finding in diagnose_text(f"{text}\ntorch.cuda.is_available() is False").findings
    ] == ["conda-solver-chose-cpu"]


def test_a_report_without_driver_and_gpu_beside_a_cuda_build_says_what_is_missing():
    """nvidia-smi answered nothing: no driver, or a container that was given none."""
    report = (
        "PyTorch version: 2.6.0+cu124\nCUDA used to build PyTorch: 12.4\nOS: Ubuntu 22.04\nIs CUDA available: False\n"
        "GPU models and configuration: Could not collect\nNvidia driver version: Could not collect\n"
    )
    assert [finding.id for finding in diagnose_text(report).in_order][:1] == ["driver-missing"]
    inside = [finding.id for finding in diagnose_text(f"In a docker container:\n{report}").in_order]
    assert inside[:1] == ["container-without-gpu"]


@given(
    st.lists(
        st.sampled_from(
            ["{", "}", '"name": "torch"', '"version": "2.1.0"', ",", "[", '"build_string": "a"', "\n"]
        )
    )
)
def test_any_pieces_of_json_are_read_without_an_error(pieces):
    """Halves of a list, in any order."""
    for fact in parse_report("".join(pieces)).facts:
        assert fact.value
