"""The probe against the real torch: healthy it passes, and each thing spoilt is found by the check that proves it."""

from __future__ import annotations

import shutil

import pytest

from tests.probe.fakes import patching, spoilt
from torchdoctor import verify
from torchdoctor.probe import suite

SMALL_BOX = """
    def nms(boxes, scores, threshold): return scores.new_tensor({kept}).long()
    class ops: nms = staticmethod(nms)
"""


@pytest.fixture(scope="module")
def _spoil(tmp_path_factory):
    made = []

    def spoil(torch_python, **modules):
        made.append(tmp_path_factory.mktemp("spoilt"))
        return spoilt(torch_python, made[-1] / "env", **modules)

    yield spoil
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture
def verify_with(torch_python, _spoil):
    """The checks by name, of the real torch with these modules beside it."""

    def run(*, only=(), quick=False, **modules):
        report = verify.verify(_spoil(torch_python, **modules), only=only, quick=quick)
        return {check.id: check for check in report.checks}

    return run


def test_a_healthy_environment_passes_every_check(torch_python):
    """The proof, as a user sees it."""
    # The compiler has a test of its own: it takes longer than all the rest.
    report = verify.verify(torch_python, skip=["compile"])

    said = {check.id: check.detail for check in report.checks if check.status != "pass"}
    assert report.passed, said
    not_here = {"torchinfo", "safetensors", "copies", "peers", "nccl"}
    not_here |= {"torchvision", "torchvision-transforms", "torchvision-images", "torchaudio"}
    assert set(said) == not_here
    assert {check.status for check in report.checks if check.id in not_here} == {"skip"}
    assert report.environment["torch"] == "2.13.0+cpu"
    assert report.environment["variant"] == "cpu"
    assert report.environment["cuda"] is None
    assert [row["device"] for row in report.environment["devices"]] == ["cpu"]


def test_a_healthy_environment_writes_nothing_to_standard_error(torch_python, tmp_path):
    """A warning of torch's would be the probe's own fault."""
    from torchdoctor.verify.probe_process import ProbeProcess

    every = [step.id for step in suite.VERIFY if step.id != "compile"]
    request = {"suite": "verify", "selected": every, "devices": None}
    child = ProbeProcess(torch_python, {**request, "finished": [], "scale": 1}, tmp_path, {})
    try:
        while (child.next_event(120) or {"event": "end"})["event"] != "end":
            pass
        assert child.stderr == ()
    finally:
        child.stop()


def test_the_quick_checks_do_not_import_what_takes_long(verify_with):
    """torch._dynamo and sympy each cost as much as many checks."""
    guard = """
        import sys, builtins
        class Slow:
            def find_spec(self, name, path=None, target=None):
                if name in ("torch._dynamo", "sympy"):
                    raise RuntimeError("imported " + name)
        sys.meta_path.insert(0, Slow())
    """
    checks = verify_with(quick=True, sitecustomize=patching(guard))

    assert {check.detail for check in checks.values() if check.status == "fail"} == set()


@pytest.mark.parametrize(
    ("spoiling", "said"),
    [
        ("real = torch.mm\ntorch.mm = lambda a, b: real(a, b) * 1.05", "float32 5.0e-02 (limit 2e-06)"),
        ("real = torch.mm\ntorch.mm = lambda a, b: real(a, b) + 1e-3", "(limit 2e-06)"),
        ("real = torch.mm\ntorch.mm = lambda a, b: real(a, b) * 0", "float64 gives zeros only"),
        ("real = torch.mm\ntorch.mm = lambda a, b: real(a, b) / 0", "float64 gives NaN or infinity"),
        ("real = torch.mm\ntorch.mm = lambda a, b: real(a, b)[:1]", "float64 has shape (1, 64), not (64, 64)"),
    ],
    ids=["5 % off", "1e-3 off", "zeros", "infinite", "shape"],
)  # fmt: skip
def test_wrong_products_fail_the_matmul_check_with_the_number(verify_with, spoiling, said):
    """On a CPU nothing coarser than float32 is expected."""
    matmul = verify_with(only=["matmul"], sitecustomize=patching(spoiling))["matmul"]

    assert matmul.status == "fail"
    assert said in matmul.detail


def test_a_lowered_precision_that_was_asked_for_is_a_note(verify_with):
    """A setting that explains it is not a fault."""
    spoiling = "torch.set_float32_matmul_precision('high')\nreal = torch.mm\n"
    spoiling += "torch.mm = lambda a, b: real(a, b) * (1.0005 if a.dtype is torch.float32 else 1)"

    matmul = verify_with(only=["matmul"], sitecustomize=patching(spoiling))["matmul"]

    assert matmul.status == "pass"
    assert "float32 matmul precision is high" in matmul.detail


def test_a_coarse_exponential_fails_the_tensor_check(verify_with):
    """Half precision where float32 was asked for."""
    spoiling = "real = torch.exp\ntorch.exp = lambda x: real(x.half()).to(x.dtype)"

    tensor = verify_with(only=["tensor"], sitecustomize=patching(spoiling))["tensor"]

    assert tensor.status == "fail"
    assert "elementwise" in tensor.detail


def test_a_wrong_convolution_fails_the_conv_check(verify_with):
    """A transposed kernel gives garbage of the right size."""
    spoiling = "f = torch.nn.functional\nreal = f.conv2d\n"
    spoiling += (
        "f.conv2d = lambda x, w, **more: real(x, w.flip(3) if x.dtype is torch.float32 else w, **more)"
    )

    conv = verify_with(only=["conv"], sitecustomize=patching(spoiling))["conv"]

    assert conv.status == "fail"
    assert "forward" in conv.detail


def test_a_wrong_gradient_fails_the_autograd_check(verify_with):
    """Exactly 2x or not at all."""
    spoiling = "real = torch.Tensor.backward\n"
    spoiling += "torch.Tensor.backward = lambda self: real(self * 1.0000001)"

    assert verify_with(only=["autograd"], sitecustomize=patching(spoiling))["autograd"].status == "fail"


def test_parameters_that_do_not_move_fail_the_training_check(verify_with):
    """A step that changes nothing is no training."""
    spoiling = "torch.Tensor.sub_ = lambda self, other: self"

    training = verify_with(only=["training"], sitecustomize=patching(spoiling))["training"]

    assert training.detail == "4 of 4 parameters did not change in a step"


def test_a_crash_inside_torch_leaves_the_other_checks(verify_with):
    """The process starts again without the check that crashed."""
    spoiling = patching("import ctypes\ntorch.mm = lambda a, b: ctypes.string_at(0)")

    checks = verify_with(quick=True, sitecustomize=spoiling)

    assert checks["matmul"].detail == "the process was killed by SIGSEGV"
    assert any("linear_algebra.py" in line for line in checks["matmul"].evidence)
    assert [checks[name].status for name in ("autograd", "training", "conv")] == ["pass"] * 3


def test_a_device_that_does_not_exist_is_named(torch_python):
    """What was asked for and what there is."""
    report = verify.verify(torch_python, devices=["cuda:7"])
    checks = {check.id: check for check in report.checks}

    assert not report.passed
    assert checks["devices"].detail == "cuda:7 requested; available: cpu"
    assert (checks["tensor"].status, checks["tensor"].device) == ("skip", "cuda:7")


def test_a_companion_of_another_build_is_named_with_both_builds(verify_with):
    """What pip takes for consistent, because only the file says cu130."""
    raising = 'raise RuntimeError("operator torchvision::nms does not exist")'

    vision = verify_with(only=["torchvision"], torchvision=raising)["torchvision"]

    assert vision.status == "fail"
    assert "does not work with torch 2.13.0+cpu: RuntimeError: operator torchvision::nms" in vision.detail


@pytest.mark.parametrize(("kept", "status"), [([0, 2], "pass"), ([0, 1, 2], "fail")])
def test_torchvision_is_judged_by_the_boxes_it_keeps(verify_with, kept, status):
    """An import alone proves nothing about compiled code."""
    vision = verify_with(only=["torchvision"], torchvision=SMALL_BOX.format(kept=kept))["torchvision"]

    assert vision.status == status
