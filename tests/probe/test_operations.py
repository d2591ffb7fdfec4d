"""The operations that prove extensions: which there are, and what they say of extensions that work and that do not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from torchdoctor.probe.operations.onnx_model import addition
from torchdoctor.probe.operations.registry import OPERATIONS
from wheels_index.extension import extensions

HERE = Path(__file__).parent
PROBE = HERE.parents[1] / "torchdoctor" / "probe"
# Of each operation, the case in which its extension works.
WORKING = {
    "apex-layer-norm": "apex", "bitsandbytes-linear": "bitsandbytes", "ctranslate2-devices": "ctranslate2",
    "deepspeed-import": "deepspeed", "detectron2-nms": "detectron2", "flash-attention": "flash",
    "flash-attention-3": "flash 3", "geometric-convolution": "geometric", "llama-cpp-backend": "llama",
    "mmcv-nms": "mmcv", "onnxruntime-session": "onnxruntime", "pyg-lib-matmul": "pyg-lib",
    "pytorch3d-knn": "pytorch3d", "sage-attention": "sage", "sglang-kernels": "sglang",
    "torch-cluster-knn": "cluster", "torch-scatter-add": "scatter",
    "torch-sparse-matmul": "sparse", "torch-spline-basis": "spline", "torchao-quantize": "torchao",
    "torchcodec-decode": "torchcodec", "torchdata-loader": "torchdata", "torchtext-vocab": "torchtext",
    "triton-kernel": "triton", "vllm-kernels": "vllm", "xformers-attention": "xformers",
}  # fmt: skip


def test_each_operation_that_the_data_name_is_there_and_each_that_is_there_is_named():
    """Data of extensions and the probe know the same ids."""
    named = {known.proof.operation for known in extensions().values() if known.proof is not None}

    assert named == set(OPERATIONS)


def test_every_operation_is_for_some_device_within_a_limit():
    """A GPU's operation is never run on the CPU, where it would prove nothing."""
    for operation in OPERATIONS.values():
        assert operation.kinds
        assert set(operation.kinds) <= {"cpu", "cuda", "xpu", "mps"}
        assert 0 < operation.limit <= 300
    assert {name for name, operation in OPERATIONS.items() if "cpu" not in operation.kinds} == {
        "apex-layer-norm", "flash-attention", "flash-attention-3", "sage-attention", "sglang-kernels", "triton-kernel",
        "xformers-attention",
    }  # fmt: skip


def test_the_model_of_one_addition_is_a_message_of_onnx():
    """Every field is read again with its number and length."""

    def fields(data):
        at = 0
        while at < len(data):
            number, kind = data[at] >> 3, data[at] & 7
            if kind == 2:
                yield number, data[at + 2 : at + 2 + data[at + 1]]
                at += 2 + data[at + 1]
            else:
                yield number, data[at + 1]
                at += 2
        assert at == len(data)

    model = dict(fields(addition()))
    graph = list(fields(model[7]))

    assert model[1] == 8
    assert list(fields(model[8])) == [(2, 13)]
    assert [number for number, _ in graph] == [1, 2, 11, 11, 12]
    assert list(fields(graph[0][1])) == [(1, b"a"), (1, b"b"), (2, b"c"), (4, b"Add")]


@pytest.fixture
def outcomes(torch_python, once):
    """What each operation says in each case, run once."""

    def run(_):
        done = subprocess.run(
            [torch_python, "-B", "-E", "-s", HERE / "operation_cases", PROBE],
            check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return json.loads(done.stdout)

    return once("operation-stand-ins", run)


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_an_extension_that_works_passes(outcomes, operation):
    """With a stand-in that computes right."""
    outcome = outcomes[WORKING[operation]]

    assert outcome["status"] == "pass", outcome


@pytest.mark.parametrize(
    ("case", "status", "code"),
    [
        ("flash of zeros", "fail", "wrong-result"),
        ("flash in another order", "fail", "wrong-result"),
        ("flash on Turing", "skip", "gpu-too-old-for-it"),
        ("flash on AMD", "pass", None),
        ("flash 3 on AMD", "skip", "not-for-device"),
        ("sage on AMD", "skip", "not-for-device"),
        ("scatter that forgets", "fail", "wrong-result"),
        ("mmcv without its operators", "fail", "exception"),
        ("apex without kernels", "warn", "kernels-missing"),
        ("vllm for a GPU alone", "skip", "needs-gpu"),
        ("sglang without kernels", "skip", "kernels-not-installed"),
        ("onnxruntime without CUDA", "fail", "gpu-not-used"),
        ("onnxruntime that falls back", "fail", "gpu-not-used"),
        ("ctranslate2 without CUDA", "fail", "gpu-not-used"),
        ("ctranslate2 on a GPU", "pass", None),
        ("ctranslate2 on AMD", "skip", "not-for-device"),
        ("llama for the CPU", "warn", "cpu-only-build"),
        ("torchcodec that is silent", "fail", "wrong-result"),
        ("torchcodec without an encoder", "pass", None),
        ("torchcodec of old", "pass", None),
        ("torchdata of old", "pass", None),
        ("bitsandbytes that is coarse", "fail", "wrong-result"),
        ("torchao of old", "pass", None),
    ],
)
def test_an_operation_tells_right_from_wrong(outcomes, case, status, code):
    """Each failure by its code; where a device is missing a skip, never a pass."""
    assert (outcomes[case]["status"], outcomes[case]["code"]) == (status, code), outcomes[case]
