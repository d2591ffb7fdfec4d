"""Environments of the real torch, broken on purpose: the right check says so, with the cause, and the rest has results.

Each is the real torch, seen from or linked into an environment of its own, with one thing spoilt. Faults for which a
stand-in does are in test_broken_stand_in.py.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.probe.checks import checks_of
from tests.probe.fakes import Copy, patching, spoilt

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def _copies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    made: list[Copy] = []
    yield lambda python: made[0] if made else made.append(Copy(python, folder / "env")) or made[0]
    shutil.rmtree(folder)


@pytest.fixture
def broken(torch_python, _copies):
    """A copy of the real environment, mended after each test."""
    copy = _copies(torch_python)
    yield copy
    copy.mend()


@pytest.fixture
def beside(torch_python, tmp_path):
    """The interpreter of an environment that sees the real torch, with these modules before it."""
    return lambda **modules: spoilt(torch_python, tmp_path / "env", **modules)


def wrapper(file: Path, python: Path, line: str) -> Path:
    """An interpreter that runs the line of shell before it becomes the real one."""
    file.write_text(f'#!/bin/sh\nexec unshare -m sh -c \'{line} && exec "$0" "$@"\' "{python}" "$@"\n')
    file.chmod(0o755)
    return file


def can_mount() -> bool:
    """Whether this user may make mounts of his own."""
    return not subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True
    ).returncode


needs_mounts = pytest.mark.skipif(
    shutil.which("unshare") is None or not can_mount(), reason="mounts need root or user namespaces"
)


def test_a_deleted_library_is_named_and_the_import_fails(broken):
    """A virus scanner or a broken removal took it."""
    broken.replace("torch/lib/libtorch_cpu.so", None)

    checks = checks_of(broken.python, "files", "import", "tensor")

    assert checks["files"].status == checks["import"].status == "fail"
    assert "torch/lib/libtorch_cpu.so is missing" in checks["files"].detail
    assert "pip install --force-reinstall --no-deps torch==2.13.0" in checks["files"].detail
    assert "libtorch_cpu.so" in checks["import"].detail
    assert checks["tensor"].status == "skip"
    assert checks.causes == ["partial-install"]
    assert f"torchdoctor install {broken.python.parents[1]} --torch 2.13.0+cpu" in checks.findings[0].fix


def test_a_library_cut_short_is_named_with_both_sizes(broken):
    """A disk that was full while installing: the import dies, or says that the file is too short."""
    library = broken.site / "torch" / "lib" / "libtorch_cpu.so"
    size = library.stat().st_size
    with library.open("rb") as file:
        broken.replace("torch/lib/libtorch_cpu.so", file.read(100_000))

    checks = checks_of(broken.python, "files", "import")

    assert f"torch/lib/libtorch_cpu.so has 100000 bytes, not {size}" in checks["files"].detail
    assert checks["import"].status == "fail"
    assert checks.causes[0] == "partial-install"


def test_a_dependency_that_is_missing_is_named(broken):
    """torch was installed with --no-deps."""
    broken.replace("typing_extensions.py", None)

    checks = checks_of(broken.python, "import", "conv")

    assert "No module named 'typing_extensions'" in checks["import"].detail
    assert checks.causes == ["torch-dependency-missing"]
    assert checks["conv"].status == "skip"


def test_numpy_that_torch_cannot_use_is_told_with_both_versions(beside):
    """As NumPy 2 beside a torch built for NumPy 1: both import, and the bridge is down."""
    spoiling = """
        import sys
        def down(*_): raise RuntimeError("Numpy is not available")
        torch.from_numpy = down
        torch.__version__ = type(torch.__version__)("2.2.2+cpu")
    """

    checks = checks_of(beside(sitecustomize=patching(spoiling)), "numpy")
    numpy = checks["numpy"]

    assert numpy.status == "fail"
    assert checks.causes == ["numpy2-abi"]
    assert "torch 2.2.2+cpu and NumPy 2." in numpy.detail
    assert "Numpy is not available" in numpy.detail
    assert "pip install 'numpy<2'" in numpy.detail


def test_no_memory_left_fails_the_memory_check_by_name(beside):
    """A limit of the shell or a batch system; the other checks go on."""
    spoiling = """
        import resource
        pages = int(open("/proc/self/statm").read().split()[0])
        most = pages * resource.getpagesize() + 200 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    """

    checks = checks_of(beside(sitecustomize=patching(spoiling)), "memory", "views", "conv")

    assert checks["memory"].status == "fail"
    assert "can't allocate memory" in checks["memory"].detail
    assert checks.causes == ["address-space-limit"]
    assert checks["views"].status == checks["conv"].status == "pass"


@needs_mounts
def test_a_full_disk_is_said_to_be_full(torch_python, tmp_path):
    """Not that torch cannot save. One page is left: with none, Python takes another folder by itself."""
    full = wrapper(
        tmp_path / "python",
        torch_python,
        'mount -t tmpfs -o size=8k tmpfs "$TMPDIR" && head -c 4096 /dev/zero > "$TMPDIR/full"',
    )

    checks = checks_of(full, "saving", "saving-model", "views")

    for name in ("saving", "saving-model"):
        assert checks[name].status == "fail"
        assert "the disk is full: " in checks[name].detail
    assert checks.causes == ["disk-full"]
    assert checks["views"].status == "pass"


@needs_mounts
def test_a_shared_memory_too_small_for_workers_is_named(torch_python, tmp_path):
    """Docker's /dev/shm, smaller still: the workers die of a bus error, and the cause is not in their message."""
    tiny = wrapper(tmp_path / "python", torch_python, "mount -t tmpfs -o size=512k tmpfs /dev/shm")

    checks = checks_of(tiny, "workers", "dataset")

    assert checks["workers"].status == "fail"
    assert "shm has only 0 MiB" in checks["workers"].detail
    assert "--shm-size" in checks["workers"].detail
    assert checks.causes == ["shm-too-small"]
    assert checks["dataset"].status == "pass"


@needs_mounts
def test_a_container_with_dockers_default_gets_a_warning(torch_python, tmp_path):
    """64 MiB are enough for small batches."""
    small = wrapper(tmp_path / "python", torch_python, "mount -t tmpfs -o size=64m tmpfs /dev/shm")

    workers = checks_of(small, "workers")["workers"]

    assert workers.status == "warn"
    assert "shm has only 64 MiB" in workers.detail


def test_workers_that_are_started_anew_find_their_data(beside):
    """macOS, Windows and Python 3.14 do not fork."""
    spoiling = "import torch.multiprocessing\ntorch.multiprocessing.set_start_method('spawn', force=True)"

    workers = checks_of(beside(sitecustomize=patching(spoiling)), "workers")["workers"]

    assert workers.detail == "2 workers (spawn) gave each sample once"


needs_compiler = pytest.mark.skipif(
    not (shutil.which("g++") or shutil.which("clang++")), reason="no C++ compiler"
)


@needs_compiler
def test_a_path_with_a_space_is_named_as_what_breaks_the_compiler(torch_python):
    """torch gives its folders to the compiler without quotes."""
    checks = checks_of(torch_python, "compile")
    compiled = checks["compile"]

    assert checks.causes == ["path-with-space"]
    assert " " in str(torch_python)
    assert compiled.status == "fail"
    assert "the environment's path has a space" in compiled.detail


@needs_compiler
@pytest.mark.slow
def test_an_environment_without_a_space_compiles(torch_python, tmp_path):
    """The compiled function and its gradient are those of the function."""
    (tmp_path / "env").symlink_to(torch_python.parents[1])

    compiled = checks_of(tmp_path / "env" / "bin" / "python", "compile")["compile"]

    assert compiled.status == "pass", compiled.detail
