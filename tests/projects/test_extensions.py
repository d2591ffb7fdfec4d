"""Extensions that are asked for by name: the build, the torch and the reason, on machines of all kinds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.projects.cases import DATA
from torchdoctor.workflows import own_builds

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran

pytestmark = pytest.mark.process

CPU, MAC, AMD = "linux_cpu", "mac_m3", "linux_rx7900xtx"
NVIDIA_13, NVIDIA_12 = "linux_rtx5090_driver580", "win_rtx3060_driver560"


def machine(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "machines" / f"{name}.json").read_text("utf-8"))
    return found


def solved(ran: Ran) -> dict[str, str]:
    """Every version that was chosen, by project."""
    assert ran.status == 0, ran.out + ran.err
    return {row["name"]: row["version"] for row in (*ran.json["packages"], *ran.json["stack"])}


@pytest.mark.parametrize(
    ("names", "where", "expected"),
    [
        # PyPI's torchcodec for Linux links CUDA 13; PyTorch's index has a CPU build.
        ("torchcodec", CPU, {"torchcodec": "0.16.0+cpu", "torch": "2.15.0+cpu"}),
        ("torchcodec", NVIDIA_13, {"torchcodec": "0.17.0", "torch": "2.15.0+cu132"}),
        ("torchcodec", NVIDIA_12, {"torchcodec": "0.17.0", "torch": "2.14.1+cu126"}),
        ("torchcodec", MAC, {"torchcodec": "0.17.0", "torch": "2.15.0"}),
        # Its metadata says torch>=2.3.0; it loads beside torch 2.3 alone.
        ("torchtext", CPU, {"torchtext": "0.18.0", "torch": "2.3.1+cpu"}),
        ("torchtext", NVIDIA_12, {"torchtext": "0.18.0", "torch": "2.3.1+cu121"}),
        # Its PyPI build links CUDA 12; torch 2.13 is the last with a CUDA 12 build for this GPU.
        ("xformers", NVIDIA_13, {"xformers": "0.0.35", "torch": "2.13.0+cu129"}),
        ("onnxruntime-gpu", NVIDIA_12, {"onnxruntime-gpu": "1.26.0", "torch": "2.14.1+cu126"}),
        ("onnxruntime-gpu", NVIDIA_13, {"onnxruntime-gpu": "1.31.1", "torch": "2.15.0+cu132"}),
        ("bitsandbytes", CPU, {"bitsandbytes": "0.50.2", "torch": "2.15.0+cpu"}),
        ("whisperx", NVIDIA_13, {"whisperx": "3.8.6", "torch": "2.8.0+cu129"}),
        ("whisperx", CPU, {"whisperx": "3.8.6", "torch": "2.8.0+cpu"}),
        ("vllm", NVIDIA_13, {"vllm": "0.33.0", "torch": "2.14.0+cu130"}),
        ("timm", NVIDIA_12, {"torch": "2.14.1+cu126", "torchvision": "0.29.1+cu126"}),
        ("timm", AMD, {"torch": "2.15.0+rocm10.0", "torchvision": "0.29.2+rocm10.0"}),
    ],
)
def test_an_extension_comes_in_a_build_that_goes_with_torch(
    names: str, where: str, expected: dict[str, str], resolve_for: Callable[..., Ran]
) -> None:
    """The newest version that any torch for the machine goes with, and that torch."""
    ran = resolve_for(machine(where), *(word for name in names.split() for word in ("--with", name)))
    found = solved(ran)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("names", "where", "message", "fix"),
    [
        ("vllm", NVIDIA_12, "vllm has no build", "WSL2"),
        ("xformers", CPU, "xformers has no build", "scaled_dot_product_attention"),
        (
            "onnxruntime-gpu",
            CPU,
            "onnxruntime-gpu has no build",
            "onnxruntime has the same module for the CPU: --without onnxruntime-gpu --with onnxruntime",
        ),
        ("onnxruntime-gpu", MAC, "onnxruntime-gpu has no build", "Core ML"),
        # No torch is old enough for the one and new enough for the other.
        ("torchcodec torchtext", CPU, "torchtext 0.18.0 is built for torch", "torchcodec"),
        # Its early versions were Python alone: none of them stands in.
        ("torchtext torch==2.13.0", CPU, "torchtext 0.18.0 is built for torch", "torch 2.3"),
        # torch 2.3 has no code for this GPU.
        ("torchtext", NVIDIA_13, "torchtext 0.18.0 is built for torch", "torch 2.3"),
    ],
)
def test_an_extension_without_a_build_is_refused_with_the_reason_and_the_way_out(
    names: str, where: str, message: str, fix: str, resolve_for: Callable[..., Ran]
) -> None:
    """Exit status 3: nothing is chosen that could not be imported."""
    ran = resolve_for(machine(where), *(word for name in names.split() for word in ("--with", name)))
    assert ran.status == 3, ran.out
    error = ran.json["error"]
    assert message in error["message"]
    assert fix in error["fix"]


def test_an_extension_that_loses_its_kernels_alone_is_taken_and_said(resolve_for: Callable[..., Ran]) -> None:
    """xformers for AMD is on PyTorch's index: from PyPI it comes without kernels, and torch stays the newest."""
    ran = resolve_for(machine(AMD), "--with", "xformers")
    assert solved(ran)["torch"] == "2.15.0+rocm10.0"
    assert any("its compiled kernels are left out" in text for text in ran.json["warnings"])


def test_a_torch_below_the_newest_names_the_extension_that_needs_it(resolve_for: Callable[..., Ran]) -> None:
    """The reason of the plan is the extension's build, in words."""
    ran = resolve_for(machine(NVIDIA_13), "--with", "xformers")
    assert ran.json["reasons"][0] == "xformers 0.0.35 is built for CUDA 12, so torch 2.13.0+cu129"


def test_a_version_below_the_newest_is_said_with_its_reason(resolve_for: Callable[..., Ran]) -> None:
    """Nobody finds out later that a newer one exists."""
    ran = resolve_for(machine(CPU), "--with", "torchcodec")
    assert (
        "torchcodec is below 0.17.0: torchcodec 0.17.0 is built for CUDA 13, not for torch 2.15.0+cpu"
        in ran.json["warnings"]
    )


def test_a_plan_builds_nothing_and_says_what_the_installation_builds(resolve_for: Callable[..., Ran]) -> None:
    """openai-whisper has no wheel: what it needs takes part in the choice, and torch is the newest."""
    ran = resolve_for(machine(NVIDIA_13), "--with", "openai-whisper")
    found = solved(ran)
    assert found["torch"] == "2.15.0+cu132"
    assert "tiktoken" in found
    assert "openai-whisper 20250625 has no wheel: install builds it" in ran.json["warnings"]


def test_what_no_index_has_is_said(resolve_for: Callable[..., Ran]) -> None:
    """torchcodec decodes with the system's FFmpeg."""
    ran = resolve_for(machine(MAC), "--with", "torchcodec")
    assert any("FFmpeg" in text for text in ran.json["warnings"])


def test_an_extension_that_only_another_package_needs_may_go_without_its_gpu_part(
    resolve_for: Callable[..., Ran],
) -> None:
    """ctranslate2 is for CUDA 12 alone: where faster-whisper brings it beside CUDA 13 that is said, not changed."""
    ran = resolve_for(machine(NVIDIA_13), "--with", "faster-whisper")
    assert solved(ran)["torch"] == "2.15.0+cu132"
    assert any("ctranslate2" in text and "does not use the GPU" in text for text in ran.json["warnings"])


@pytest.mark.parametrize("name", ["mmcv", "pyg-lib"])
def test_a_page_that_does_not_answer_is_left_out_and_named(
    name: str, resolve_for: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """mmcv has its source on PyPI, which the installation builds; pyg-lib is nowhere else."""
    silent = "http://127.0.0.1:9/whl.html"
    page = own_builds._page
    monkeypatch.setattr(own_builds, "_page", lambda _url: page(silent))
    ran = resolve_for(machine(CPU), "--with", name)
    if name == "mmcv":
        assert solved(ran)["torch"] == "2.15.0+cpu"
        assert f"{silent} does not answer: mmcv is looked for elsewhere" in ran.json["warnings"]
        assert any("--build mmcv" in text for text in ran.json["warnings"])
    else:
        assert ran.status == 4
        assert f"{silent} does not answer, and nothing else has what it has" in ran.json["error"]["message"]
        assert "no index has pyg-lib" in ran.json["error"]["message"]


def test_what_goes_without_its_gpu_part_is_said_for_the_torch_that_is_chosen(
    resolve_for: Callable[..., Ran],
) -> None:
    """ctranslate2 is judged beside a first torch; xformers then takes another one, and both are of CUDA 12."""
    ran = resolve_for(machine(NVIDIA_13), "--with", "faster-whisper", "--with", "xformers")
    assert solved(ran)["torch"] == "2.13.0+cu129"
    assert not any("2.15.0" in text or "ctranslate2" in text for text in ran.json["warnings"])


def test_two_requirements_that_exclude_each_other_are_to_be_changed(resolve_for: Callable[..., Ran]) -> None:
    """No other source helps."""
    ran = resolve_for(machine(CPU), "--with", "numpy<1.20", "--with", "numpy>2")
    assert ran.status == 3
    assert ran.json["error"]["message"].endswith("you asked for numpy <1.20 and numpy >2")
    assert ran.json["error"]["fix"] == "take one of them out, or change it"


def test_what_is_left_out_is_left_out_whoever_requires_it(resolve_for: Callable[..., Ran]) -> None:
    """A refusal says so of packages that only others name."""
    assert "torchmetrics" in solved(resolve_for(machine(CPU), "--with", "lightning"))
    assert "torchmetrics" not in solved(
        resolve_for(machine(CPU), "--with", "lightning", "--without", "torchmetrics")
    )
