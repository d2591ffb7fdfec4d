"""Libraries that are loaded when they are used: each is tried, and what does not load is named with who needs it."""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest

from torchdoctor.probe.requirements import Requirement
from torchdoctor.probe.session import plan
from torchdoctor.probe.verify import late_libraries as module
from torchdoctor.probe.verify.registry import VERIFY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="CUDA's wheels for Linux")

# A library that Python itself can load, whatever its name.
LOADS = next(Path(sysconfig.get_config_var("DESTSHARED")).glob("_heapq*.so"), None)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site-packages with a torch for CUDA 13 that requires cuSOLVER and cuDNN, whose libraries are there."""
    monkeypatch.setattr(
        module,
        "required_packages",
        lambda _root: [
            Requirement("torch", name, "", "1") for name in ("nvidia-cusolver", "nvidia-cudnn-cu13")
        ],
    )
    (tmp_path / "torch").mkdir()
    for file in ("cu13/lib/libcusolver.so.12", "cudnn/lib/libcudnn.so.9", "cudnn/lib/libcudnn_ops.so.9"):
        place = tmp_path / "nvidia" / file
        place.parent.mkdir(parents=True, exist_ok=True)
        if LOADS is None:
            pytest.skip("this Python has its modules inside")
        shutil.copy(LOADS, place)
    return tmp_path


def torch_in(site, cuda="13.0", eye=None, used=None):
    """A torch of which what is computed on a GPU is `eye` and `used`."""
    return SimpleNamespace(
        __file__=str(site / "torch/__init__.py"),
        version=SimpleNamespace(cuda=cuda),
        fft=SimpleNamespace(rfft=used),
        special=SimpleNamespace(bessel_j0=used),
        eye=eye,
    )


def _outcome(site, cuda="13.0"):
    return module.late_libraries(torch_in(site, cuda), "cpu")


def test_libraries_that_load_pass(site):
    """Each is counted."""
    outcome = _outcome(site)
    assert (outcome.status, outcome.code) == ("pass", None)
    assert outcome.detail == "3 libraries can be loaded"


def test_a_missing_one_is_named_with_what_needs_it(site):
    """torch is imported without it."""
    (site / "nvidia/cu13/lib/libcusolver.so.12").unlink()
    outcome = _outcome(site)
    assert (outcome.status, outcome.code) == ("fail", "late-library-missing")
    assert outcome.detail == "libcusolver.so.12 is missing, and torch.linalg needs it"


def test_one_of_the_python_below_is_torchs_too(site, tmp_path_factory, monkeypatch):
    """An environment that shares the packages of its Python: torch looks for NVIDIA's on the whole path."""
    below = tmp_path_factory.mktemp("below")
    (site / "nvidia").rename(below / "nvidia")
    assert _outcome(site).code == "late-library-missing"
    monkeypatch.syspath_prepend(str(below))
    assert _outcome(site).status == "pass"


def test_one_of_another_cuda_is_not_taken_for_it(site):
    """nvidia/cu12 may belong to another package."""
    (site / "nvidia/cu13").rename(site / "nvidia/cu12")
    assert _outcome(site).code == "late-library-missing"


def test_a_cut_one_is_named(site):
    """A full disk, or an interrupted installation: to load it could end the process."""
    place = site / "nvidia/cudnn/lib/libcudnn_ops.so.9"
    content = place.read_bytes()[:3000]
    place.unlink()
    place.write_bytes(content)
    outcome = _outcome(site)
    assert (outcome.status, outcome.code) == ("fail", "late-library-cut")
    assert outcome.detail == "libcudnn_ops.so.9 (torch.nn.Conv2d) is cut or damaged"


@pytest.mark.process
def test_a_program_that_does_not_run_is_named(site):
    """Triton's assembler, of which a zero page is left."""
    place = site / "triton/backends/nvidia/bin/ptxas"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"\0" * 4096)
    place.chmod(0o755)
    outcome = _outcome(site)
    assert (outcome.status, outcome.code) == ("fail", "late-library-cut")
    assert "ptxas (torch.compile) does not run" in outcome.detail


def test_a_build_without_cuda_is_skipped(site):
    """It loads nothing of this."""
    assert _outcome(site, cuda=None).status == "skip"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (
            "libx.so: undefined symbol: __nvJitLinkCreate_12_8, version libnvJitLink.so.12",
            "late-library-mixed",
        ),
        (
            "libnvJitLink.so.13: cannot open shared object file: No such file or directory",
            "late-library-missing",
        ),
        ("/x/libcudnn_ops.so.9: file too short", "late-library-cut"),
        ("/x/libcudnn_ops.so.9: invalid ELF header", "late-library-cut"),
        ("CUDA error: unknown error", "late-library-unusable"),
    ],
)
def test_the_loaders_words_tell_the_kind(said, code):
    """They are glibc's, which does not translate them."""
    assert module._code(said) == code


def test_every_row_of_the_table_says_where_it_is_from():
    """And its patterns can be read."""
    for row in module.table()["libraries"]:
        assert re.compile(row["project"]).match("x") is None
        assert row["source"]
        assert set(row["sonames"]) <= {"11", "12", "13"}
        assert (row["version"] is None) <= (row["numbers"] == 0)
    assert all(row["source"] for row in module.table()["programs"])


def test_a_library_whose_headers_lie_is_cut(site):
    """It is named, and not loaded."""
    (site / "nvidia/cu13/lib/libcusolver.so.12").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\xff" * 48)
    outcome = _outcome(site)
    assert (outcome.status, outcome.code) == ("fail", "late-library-cut")


def test_a_library_that_an_older_build_left_is_not_torchs(site):
    """torch for CUDA 13 asks for libcusolver.so.12; CUDA 12's has another name, and may be broken."""
    left = site / "nvidia/cusolver/lib/libcusolver.so.11"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"cut")
    assert _outcome(site).status == "pass"


def test_a_gpu_that_is_full_hides_no_library_that_is_cut(site):
    """What was found before is told with it."""
    (site / "nvidia/cu13/lib/libcusolver.so.12").write_bytes(b"cut")

    def full(*_, **__):
        raise RuntimeError("CUDA error: out of memory")

    outcome = module.late_libraries(torch_in(site, eye=full, used=full), "cuda:0")
    assert (outcome.status, outcome.code) == ("fail", "late-library-cut")


@pytest.mark.parametrize(("device", "used"), [("cpu", []), ("cuda:1", ["cuda:1"] * 5)])
def test_a_gpu_is_used_only_where_it_is_the_device(site, device, used):
    """With `--device cpu` no GPU is touched; with a GPU each library is used once, on that one."""
    made = []

    def eye(_size, *, device):
        made.append(device)
        raise RuntimeError("CUDA error: out of memory")

    module.late_libraries(torch_in(site, eye=eye), device)
    assert made == used


def test_the_check_runs_on_the_devices_that_were_asked_for():
    """On the CPU with `--device cpu`, where a GPU is there too; on the GPU without it."""
    step = next(step for step in VERIFY if step.id == "late-libraries")
    assert list(plan([step], ["cpu"])) == [(step, "cpu")]
    assert list(plan([step], ["cpu", "cuda:0", "cuda:1"])) == [(step, "cuda:0")]
