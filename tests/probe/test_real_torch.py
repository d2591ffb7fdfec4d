"""The probe against the real torch: healthy it passes, and each thing spoilt is found by the check that proves it."""

from __future__ import annotations

import shutil
from unittest import mock

import pytest

from tests.probe.fakes import patching, spoilt
from torchdoctor import verify
from torchdoctor.verify import runner
from torchdoctor.verify.probe_process import ProbeProcess

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


@pytest.fixture(scope="module")
def _healthy():
    return []


@pytest.fixture
def healthy(torch_python, _healthy):
    """The report of the real torch as it is, and what the probe wrote to standard error."""
    if not _healthy:
        written = []

        class Recorded(ProbeProcess):
            def stop(self):
                super().stop()
                written.append(self.stderr)

        with mock.patch.object(runner, "ProbeProcess", Recorded):
            # The compiler has a test of its own: it takes longer than all the rest.
            _healthy.extend((verify.verify(torch_python, skip=["compile"], environ={}), written))
    return _healthy


def test_a_healthy_environment_passes_every_check(healthy):
    """What a user sees."""
    report, _ = healthy
    said = {check.id: check.detail for check in report.checks if check.status != "pass"}
    assert report.passed, said
    not_here = {"torchinfo", "safetensors", "late-libraries", "operations", "copies", "peers", "nccl"}
    not_here |= {"torchvision", "torchvision-transforms", "torchvision-images", "torchaudio"}
    assert set(said) == not_here
    assert {check.status for check in report.checks if check.id in not_here} == {"skip"}
    assert report.environment["torch"] == "2.13.0+cpu"
    assert report.environment["variant"] == "cpu"
    assert report.environment["cuda"] is None
    assert [device["device"] for device in report.environment["devices"]] == ["cpu"]


def test_a_healthy_environment_writes_nothing_to_standard_error(healthy):
    """A warning of torch's would be the probe's own fault."""
    _, written = healthy

    assert written == [()]


def test_the_quick_checks_do_not_import_what_takes_long(verify_with):
    """torch._dynamo and sympy each cost as much as many checks; a sitecustomize that prints changes no result."""
    printing = 'import os; print("{\\"event\\": 1}"); os.write(1, b"\\xff no newline")'
    guard = """
        import sys, builtins
        class Slow:
            def find_spec(self, name, path=None, target=None):
                if name in ("torch._dynamo", "sympy"):
                    raise RuntimeError("imported " + name)
        sys.meta_path.insert(0, Slow())
    """
    checks = verify_with(quick=True, sitecustomize=printing + "\n###\n" + patching(guard))

    assert {check.detail for check in checks.values() if check.status == "fail"} == set()
    assert checks["matmul"].status == "pass"


SPOILT = """
    functional, exp, backward = torch.nn.functional, torch.exp, torch.Tensor.backward
    conv2d = functional.conv2d
    torch.exp = lambda x: exp(x.half()).to(x.dtype)
    functional.conv2d = lambda x, w, **more: conv2d(x, w.flip(3) if x.dtype is torch.float32 else w, **more)
    torch.Tensor.backward = lambda self: backward(self * 1.0000001)
    torch.Tensor.sub_ = lambda self, other: self
"""


@pytest.fixture(scope="module")
def _shared():
    return {}


@pytest.fixture
def spoilt_checks(verify_with, _shared):
    """The checks of one torch that is spoilt in four places, each for another check."""
    if not _shared:
        only = ["tensor", "conv", "autograd", "training", "views"]
        _shared.update(verify_with(only=only, sitecustomize=patching(SPOILT)))
    return _shared


def test_a_coarse_exponential_fails_the_tensor_check(spoilt_checks):
    """Half precision where float32 was asked for."""
    assert spoilt_checks["tensor"].status == "fail"
    assert "elementwise" in spoilt_checks["tensor"].detail


def test_a_wrong_convolution_fails_the_conv_check(spoilt_checks):
    """A mirrored kernel gives garbage of the right size."""
    assert spoilt_checks["conv"].status == "fail"
    assert "forward" in spoilt_checks["conv"].detail


def test_a_wrong_gradient_fails_the_autograd_check(spoilt_checks):
    """Exactly 2x or not at all."""
    assert spoilt_checks["autograd"].status == "fail"
    assert "the gradient of x**2 is" in spoilt_checks["autograd"].detail


def test_parameters_that_do_not_move_fail_the_training_check(spoilt_checks):
    """A step that changes nothing is no training."""
    assert spoilt_checks["training"].detail == "4 of 4 parameters did not change in a step"


def test_a_check_of_what_is_not_spoilt_passes(spoilt_checks):
    """Each failure is of its own fault."""
    assert spoilt_checks["views"].status == "pass"


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


@pytest.mark.parametrize(("kept", "status"), [([0, 2], "pass"), ([0, 1, 2], "fail")])
def test_torchvision_is_judged_by_the_boxes_it_keeps(verify_with, kept, status):
    """An import alone proves nothing about compiled code."""
    vision = verify_with(only=["torchvision"], torchvision=SMALL_BOX.format(kept=kept))["torchvision"]

    assert vision.status == status
