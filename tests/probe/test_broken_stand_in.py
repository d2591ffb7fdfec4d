"""Environments broken on purpose in which torch is a stand-in: what is found does not rest on torch's own code.

Faults that only the real torch shows are in test_broken.py.
"""

from __future__ import annotations

import pytest

from tests.probe.checks import checks_of
from tests.probe.fakes import ODD_TORCH, distribution, environment

pytestmark = pytest.mark.process

LINUX = 'platform_system == "Linux"'


def stand_in(*lines, version="2.13.0+cpu"):
    """A torch of this version that does this on import."""
    return ODD_TORCH + "###\n" + "\n".join([f"__version__ = {version!r}", *lines])


def site_of(python):
    """The site-packages of an environment."""
    return next(python.parents[1].glob("lib/python3*/site-packages"))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """The checks of one environment with several faults, each of another check."""
    folder = tmp_path_factory.mktemp("faulty")
    lines = ("def get_num_threads(): return 64", "def compile(): pass")
    python = environment(folder / "env", torch=stand_in(*lines, version="2.4.1+cpu"))
    info = distribution(site_of(python), "torch", "2.13.0")
    (info / "RECORD").write_bytes(b'\xff\xfe"unclosed,,\n' * 3)
    checks = ("files", "version", "threads", "numpy", "compile")
    return checks_of(python, *checks, environ={"PATH": str(folder)})


def test_files_of_another_version_than_the_metadata_are_reported(faulty):
    """One installation was copied over another."""
    version = faulty["version"]

    assert (version.status, version.code) == ("warn", "versions-mixed")
    assert "2.4.1+cpu" in version.detail
    assert "metadata says 2.13.0" in version.detail


def test_a_record_that_cannot_be_read_is_no_crash(faulty):
    """The check says what it lacks, the others go on."""
    assert faulty["files"].status == "pass"
    assert "torch has no list of its files (RECORD)" in faulty["files"].detail


def test_numpy_that_is_missing_is_a_warning(faulty):
    """torch works without, tensor.numpy() does not."""
    assert faulty["numpy"].status == "warn"
    assert "NumPy is not installed" in faulty["numpy"].detail


def test_more_threads_than_cores_are_reported_with_the_variable_to_set(faulty):
    """As in a container that may use fewer cores than it sees."""
    threads = faulty["threads"]

    assert threads.status == "warn"
    assert "torch uses 64 threads" in threads.detail
    assert "set OMP_NUM_THREADS=" in threads.detail


def test_a_missing_compiler_is_named_with_what_to_install(faulty):
    """It is no fault of torch's, so it is a skip."""
    assert faulty["compile"].status == "skip"
    assert "no C++ compiler (g++, clang++) is on PATH" in faulty["compile"].detail


def test_a_deleted_module_is_named(tmp_path):
    """Python's own error says which; RECORD says that it was there."""
    python = environment(tmp_path / "env", torch="import torch.functional")
    info = distribution(site_of(python), "torch", "2.13.0")
    (info / "RECORD").write_text("torch/__init__.py,,\ntorch/functional.py,,\n")

    checks = checks_of(python, "files", "import")

    assert checks["files"].status == "warn"
    assert "torch/functional.py is missing" in checks["files"].detail
    assert checks["import"].status == "fail"


def test_two_installations_in_one_folder_are_reported(tmp_path):
    """pip was interrupted while it replaced one by another."""
    python = environment(tmp_path / "env", torch=stand_in())
    for version in ("2.13.0+cpu", "2.4.1"):
        distribution(site_of(python), "torch", version)

    checks = checks_of(python, "files")

    assert checks.causes == ["partial-install"]
    assert checks["files"].status == "fail"
    assert "torch is installed more than once: 2.13.0+cpu and 2.4.1" in checks["files"].detail


@pytest.mark.parametrize(
    ("version", "requires", "said"),
    [
        ("0.28.0+cu130", "torch (==2.13.0)", "torchvision 0.28.0+cu130 and torch 2.13.0+cpu are different builds"),
        ("0.19.1", "torch==2.4.1", "torchvision 0.19.1 is made for torch 2.4.1, and torch 2.13.0+cpu is here"),
    ],
    ids=["of another accelerator", "of another release"],
)  # fmt: skip
def test_a_wrong_companion_is_reported_before_it_is_imported(tmp_path, version, requires, said):
    """What `pip check` passes: the build's tag is in the files alone."""
    raising = 'raise RuntimeError("operator torchvision::nms does not exist")'
    python = environment(tmp_path / "env", torch=stand_in(), torchvision=raising)
    site = site_of(python)
    (site / "torch" / "version.py").write_text("__version__ = '2.13.0+cpu'\n")
    (site / "torchvision" / "version.py").write_text(f"__version__ = '{version}'\n")
    distribution(site, "torchvision", version.partition("+")[0], requires)

    checks = checks_of(python, "pairing", "torchvision", "torchvision-images")

    assert checks["pairing"].status == "fail"
    assert said in checks["pairing"].detail
    assert "torchdoctor install --with torchvision" in checks["pairing"].detail
    assert checks["torchvision"].status == "fail"
    assert f"torchvision {version} does not work with torch 2.13.0+cpu" in checks["torchvision"].detail
    assert checks.causes == ["torchvision-mismatch"]


def test_a_cuda_library_that_torch_pins_and_that_is_missing_is_reported(tmp_path):
    """Another package replaced it, and pip let that happen."""
    python = environment(tmp_path / "env", torch=stand_in(version="2.13.0+cu130"))
    site = site_of(python)
    distribution(
        site, "torch", "2.13.0",
        f"nvidia-cudnn-cu13==9.20.0 ; {LINUX}", f"nvidia-nccl-cu13==2.28.0 ; {LINUX}",
        'nvidia-nothing==1.0 ; platform_system == "Plan9"', "sympy>=1.13",
    )  # fmt: skip
    distribution(site, "nvidia_cudnn_cu13", "9.1.0")

    checks = checks_of(python, "pairing")
    pairing = checks["pairing"]

    # Whether that keeps torch from working is what the import shows.
    assert pairing.status == "warn"
    assert checks.causes == ["nvidia-wheels-missing"]
    assert "nvidia-cudnn-cu13 is 9.1.0, and torch needs 9.20.0" in pairing.detail
    assert "nvidia-nccl-cu13 2.28.0 is not installed, and torch needs it" in pairing.detail
    assert "nothing" not in pairing.detail


def test_a_triton_of_another_version_is_reported(tmp_path):
    """With the cause that a missing one has: only torch.compile needs it."""
    python = environment(tmp_path / "env", torch=stand_in())
    distribution(site_of(python), "torch", "2.13.0", f"triton==3.5.0 ; {LINUX}")
    distribution(site_of(python), "triton", "3.4.0")

    checks = checks_of(python, "pairing")

    assert (checks["pairing"].status, checks["pairing"].code) == ("warn", "triton-mismatch")
    assert checks.causes == ["triton-missing"]


def test_a_torch_py_in_the_current_folder_is_named(tmp_path, monkeypatch):
    """The environment is well; nothing that is started here is."""
    python = environment(tmp_path / "env", torch=stand_in())
    (tmp_path / "torch.py").write_text("print('my first network')\n")
    monkeypatch.chdir(tmp_path)

    checks = checks_of(python, "import", "shadow")

    assert checks["import"].status == "pass"
    assert checks["shadow"].status == "fail"
    assert f"{tmp_path / 'torch.py'} is taken for torch by every program" in checks["shadow"].detail
    assert checks.causes == ["local-file-shadows-torch"]


def test_a_random_py_on_pythonpath_is_a_warning(tmp_path, monkeypatch):
    """It has the name of a module that torch imports; one with a name of its own does not."""
    python = environment(tmp_path / "env", torch=stand_in("import random"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "random.py").touch()
    (tmp_path / "lib" / "mine.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))

    shadow = checks_of(python, "shadow")["shadow"]

    assert shadow.status == "warn"
    assert str(tmp_path / "lib" / "random.py") in shadow.detail
    assert "mine" not in shadow.detail


def test_numpy_that_cannot_be_imported_is_reported(tmp_path):
    """torch imports it too: the import fails, in NumPy's own words, and the traceback shows where."""
    raising = 'raise ImportError("numpy.core.multiarray failed to import")'
    python = environment(tmp_path / "env", torch=stand_in("import numpy"), numpy=raising)

    checks = checks_of(python, "numpy")
    imported = checks["import"]

    assert imported.status == "fail"
    assert checks.causes == ["numpy2-abi"]
    assert imported.detail == "ImportError: numpy.core.multiarray failed to import"
    assert any("numpy.py" in line for line in imported.evidence)


def test_a_check_that_eats_memory_is_stopped_and_the_rest_still_runs(tmp_path):
    """The machine is not brought down by a check."""
    eating = "def tensor(*_, **__):\n    held = []\n    while True: held.append(bytearray(16 << 20))"
    python = environment(tmp_path / "env", torch=stand_in(eating))

    checks = checks_of(python, "creation", "views", "conv", memory_limit_mib=900)

    assert (checks["creation"].status, checks["creation"].code) == ("fail", "memory-limit")
    assert "over the limit of 900 MiB, and was stopped" in checks["creation"].detail
    assert checks["views"].code == checks["conv"].code == "exception"
    assert checks.causes == ["memory-exhausted"]
