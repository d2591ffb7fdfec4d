"""Real environments broken on purpose: the right check says so, with the cause, and the rest has its results.

Each is the real torch, linked file by file into an environment of its own, with one thing spoilt.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.probe.fakes import Copy, distribution, patching, spoilt
from torchdoctor import verify
from torchdoctor.diagnose.verify_findings import findings_from

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.verify import CheckResult, VerifyReport


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


class Checks(dict[str, "CheckResult"]):
    """The results by name, and the causes that they end in."""

    def __init__(self, report: VerifyReport) -> None:
        super().__init__({check.id: check for check in report.checks})
        self.findings = findings_from(report)
        self.causes = [finding.id for finding in self.findings]


def checks_of(python: Path, *only: str, **more: object) -> Checks:
    """The proof of this environment."""
    return Checks(verify.verify(python, only=only, **more))


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
    assert "pip install --force-reinstall" in checks["files"].detail
    assert "libtorch_cpu.so" in checks["import"].detail
    assert checks["tensor"].status == "skip"
    assert checks.causes == ["partial-install"]
    assert checks.findings[0].fix == (f"torchdoctor install {broken.python.parents[1]} --torch 2.13.0",)


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


def test_a_deleted_module_is_named(broken):
    """Python's own error says which; RECORD says that it was there."""
    broken.replace("torch/nn/functional.py", None)

    checks = checks_of(broken.python, "files", "import")

    assert checks["files"].status == "warn"
    assert "torch/nn/functional.py is missing" in checks["files"].detail
    assert checks["import"].status == "fail"


def test_a_dependency_that_is_missing_is_named(broken):
    """torch was installed with --no-deps."""
    broken.replace("typing_extensions.py", None)

    checks = checks_of(broken.python, "import", "conv")

    assert "No module named 'typing_extensions'" in checks["import"].detail
    assert checks.causes == ["torch-dependency-missing"]
    assert checks["conv"].status == "skip"


def test_a_record_that_cannot_be_read_is_no_crash(broken):
    """The check says what it lacks, the others go on."""
    (record,) = broken.site.glob("torch-*.dist-info/RECORD")
    broken.replace(record.relative_to(broken.site), b'\xff\xfe"unclosed,,\n' * 3)

    checks = checks_of(broken.python, "files", "version")

    assert checks["files"].status != "fail"
    assert checks["version"].status == "pass"


def test_two_installations_in_one_folder_are_told(broken):
    """pip was interrupted while it replaced one by another."""
    broken.distribution("torch", "2.4.1")

    checks = checks_of(broken.python, "files")
    files = checks["files"]

    assert checks.causes == ["partial-install"]
    assert files.status == "fail"
    assert "torch is installed more than once: 2.13.0+cpu and 2.4.1" in files.detail


def test_files_of_another_version_than_the_metadata_are_told(broken):
    """One installation was copied over another."""
    text = (broken.site / "torch" / "version.py").read_text().replace("2.13.0+cpu", "2.4.1+cpu")
    broken.replace("torch/version.py", text.encode())

    version = checks_of(broken.python, "version")["version"]

    assert version.status == "warn"
    assert "2.4.1+cpu" in version.detail
    assert "metadata says 2.13.0" in version.detail


@pytest.mark.parametrize(
    ("version", "requires", "said"),
    [
        ("0.28.0+cu130", "torch (==2.13.0)", "torchvision 0.28.0+cu130 and torch 2.13.0+cpu are different builds"),
        ("0.19.1", "torch==2.4.1", "torchvision 0.19.1 is made for torch 2.4.1, and torch 2.13.0+cpu is here"),
    ],
    ids=["of another accelerator", "of another release"],
)  # fmt: skip
def test_a_wrong_companion_is_told_before_it_is_imported(beside, version, requires, said):
    """What `pip check` passes: the build's tag is in the files alone."""
    python = beside(torchvision='raise RuntimeError("operator torchvision::nms does not exist")')
    site = next(python.parents[1].glob("lib/python3*/site-packages"))
    (site / "torchvision" / "version.py").write_text(f"__version__ = '{version}'\n")
    distribution(site, "torchvision", version.partition("+")[0], requires)

    checks = checks_of(python, "pairing", "torchvision", "torchvision-images")

    assert checks["pairing"].status == "fail"
    assert said in checks["pairing"].detail
    assert "torchdoctor install --with torchvision" in checks["pairing"].detail
    assert checks["torchvision"].status == "fail"
    assert f"torchvision {version} does not work with torch 2.13.0+cpu" in checks["torchvision"].detail
    assert checks.causes == ["torchvision-mismatch"]


def test_a_cuda_library_that_torch_pins_and_that_is_missing_is_told(beside):
    """Another package replaced it, and pip let that happen."""
    python = beside(torch='__version__ = "2.13.0+cu130"')
    site = next(python.parents[1].glob("lib/python3*/site-packages"))
    linux = 'platform_system == "Linux"'
    distribution(
        site, "torch", "2.13.0",
        f"nvidia-cudnn-cu13==9.20.0 ; {linux}", f"nvidia-nccl-cu13==2.28.0 ; {linux}",
        'nvidia-nothing==1.0 ; platform_system == "Plan9"', "sympy>=1.13",
    )  # fmt: skip
    distribution(site, "nvidia_cudnn_cu13", "9.1.0")

    checks = checks_of(python, "pairing")
    pairing = checks["pairing"]

    # Whether that keeps torch from working is what the import shows.
    assert pairing.status == "warn"
    assert "nvidia-wheels-missing" in checks.causes
    assert "nvidia-cudnn-cu13 is 9.1.0, and torch needs 9.20.0" in pairing.detail
    assert "nvidia-nccl-cu13 2.28.0 is not installed, and torch needs it" in pairing.detail
    assert "nothing" not in pairing.detail


def test_a_torch_py_in_the_current_folder_is_named(torch_python, tmp_path, monkeypatch):
    """The environment is well; nothing that is started here is."""
    (tmp_path / "torch.py").write_text("print('my first network')\n")
    monkeypatch.chdir(tmp_path)

    checks = checks_of(torch_python, "import", "shadow")

    assert checks["import"].status == "pass"
    assert checks["shadow"].status == "fail"
    assert f"{tmp_path / 'torch.py'} is taken for torch by every program" in checks["shadow"].detail
    assert checks.causes == ["local-file-shadows-torch"]


def test_a_random_py_on_pythonpath_is_a_warning(torch_python, tmp_path, monkeypatch):
    """It takes the name of a module that torch imports; one with a name of its own does not."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "random.py").touch()
    (tmp_path / "lib" / "mine.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))

    shadow = checks_of(torch_python, "shadow")["shadow"]

    assert shadow.status == "warn"
    assert str(tmp_path / "lib" / "random.py") in shadow.detail
    assert "mine" not in shadow.detail


def test_a_sitecustomize_that_prints_changes_no_result(beside):
    """Its output is not the results'."""
    python = beside(sitecustomize='import os; print("{\\"event\\": 1}"); os.write(1, b"\\xff no newline")')

    checks = checks_of(python, quick=True)

    assert {check.detail for check in checks.values() if check.status == "fail"} == set()
    assert checks["matmul"].status == "pass"
    assert checks.causes == []


def test_numpy_that_is_missing_is_a_warning(broken):
    """torch works without, tensor.numpy() does not."""
    for file in broken.site.glob("numpy*"):
        broken.replace(file.name, None)

    numpy = checks_of(broken.python, "numpy")["numpy"]

    assert numpy.status == "warn"
    assert "NumPy is not installed" in numpy.detail


def test_numpy_that_cannot_be_imported_is_told(beside):
    """torch imports it too: the import fails, in NumPy's own words, and the traceback shows where."""
    python = beside(numpy='raise ImportError("numpy.core.multiarray failed to import")')

    checks = checks_of(python, "numpy")
    imported = checks["import"]

    assert imported.status == "fail"
    assert checks.causes[0].startswith("numpy")
    assert imported.detail == "ImportError: numpy.core.multiarray failed to import"
    assert any("numpy.py" in line for line in imported.evidence)


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
    assert checks.causes == ["memory-exhausted"]
    assert checks["views"].status == checks["conv"].status == "pass"


def test_a_check_that_eats_memory_is_stopped_and_the_rest_still_runs(beside):
    """The machine is not brought down for a proof."""
    spoiling = "held = []\n"
    spoiling += "def eat(*_, **__):\n    while True: held.append(torch.ones(4 * 2**20))\n"
    spoiling += "torch.linspace = eat"

    checks = checks_of(
        beside(sitecustomize=patching(spoiling)), "creation", "views", "conv", memory_limit_mib=900
    )

    assert checks["creation"].status == "fail"
    assert "over the limit of 900 MiB, and was stopped" in checks["creation"].detail
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


def test_more_threads_than_cores_are_told_with_the_variable_to_set(beside):
    """As in a container that may use fewer cores than it sees."""
    threads = checks_of(beside(sitecustomize=patching("torch.set_num_threads(64)")), "threads")["threads"]

    assert threads.status == "warn"
    assert "torch uses 64 threads" in threads.detail
    assert "set OMP_NUM_THREADS=" in threads.detail


def test_a_missing_compiler_is_named_with_what_to_install(torch_python, tmp_path):
    """It is no fault of torch's, so it is a skip."""
    compiled = checks_of(torch_python, "compile", environ={"PATH": str(tmp_path)})["compile"]

    assert compiled.status == "skip"
    assert "no C++ compiler (g++, clang++) is on PATH" in compiled.detail


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
def test_an_environment_without_a_space_compiles(torch_python, tmp_path):
    """The compiled function and its gradient are those of the function."""
    (tmp_path / "env").symlink_to(torch_python.parents[1])

    compiled = checks_of(tmp_path / "env" / "bin" / "python", "compile")["compile"]

    assert compiled.status == "pass", compiled.detail
