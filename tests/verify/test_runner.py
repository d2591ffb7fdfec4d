"""The runner: whatever the environment does, every check has a named result and nothing is left behind."""

from __future__ import annotations

import fcntl
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.probe.fakes import ODD_TORCH, environment
from torchdoctor import verify
from torchdoctor.bench import bench
from torchdoctor.errors import EnvironmentUnusable, UsageError
from torchdoctor.probe import suite
from torchdoctor.verify import CheckResult

if TYPE_CHECKING:
    from torchdoctor.verify import VerifyReport

CHECKS = [step.id for step in suite.CHECKS]
BEFORE = [step.id for step in suite.BEFORE]


def by_id(report: VerifyReport) -> dict[str, CheckResult]:
    """The results by the name of the check."""
    return {check.id: check for check in report.checks}


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """An environment without torch."""
    return environment(tmp_path_factory.mktemp("bare") / "env")


@pytest.mark.process
def test_an_environment_without_torch_fails_the_import_and_says_what_to_run(bare):
    """Torch's absence is a result with the fix, and nothing else is tried."""
    report = verify.verify(bare)

    assert not report.passed
    assert [check.id for check in report.checks] == CHECKS
    assert by_id(report)["import"].detail == (
        f"torch is not installed in this environment; run: torchdoctor install {shlex.quote(str(bare.parents[1]))}"
    )
    assert {check.status for check in report.checks if check.id != "import"} == {"skip"}
    assert report.environment["python"] == ".".join(map(str, sys.version_info[:3]))
    assert report.environment["torch"] is None


@pytest.mark.process
def test_an_import_error_is_the_detail_and_its_traceback_the_evidence(tmp_path):
    """What torch raised is said in its own words."""
    python = environment(tmp_path / "env", torch='raise ImportError("libgomp.so.1: no such file")')

    imported = by_id(verify.verify(python))["import"]

    assert imported.status == "fail"
    assert imported.detail == "ImportError: libgomp.so.1: no such file"
    assert any("torch/__init__.py" in line for line in imported.evidence)


@pytest.mark.process
def test_a_crash_in_the_import_is_named_by_its_signal(tmp_path):
    """A segmentation fault is a failed check, and the place where it happened is evidence."""
    python = environment(tmp_path / "env", torch="import ctypes; ctypes.string_at(0)")

    report = verify.verify(python)

    imported = by_id(report)["import"]
    assert imported.status == "fail"
    assert imported.detail == "the process was killed by SIGSEGV"
    assert any("torch/__init__.py" in line for line in imported.evidence)
    assert [check.id for check in report.checks] == CHECKS
    assert by_id(report)["conv"].status == "skip"


@pytest.mark.process
def test_a_hang_is_stopped_at_its_limit_and_shows_where_it_hung(tmp_path):
    """A check that never ends is a failure with its time limit."""
    python = environment(tmp_path / "env", torch="import time; time.sleep(600)")
    started = time.monotonic()

    imported = by_id(verify.verify(python, time_limit_scale=0.01))["import"]

    assert time.monotonic() - started < 30
    assert imported.status == "fail"
    assert "took longer than 1.8 s" in imported.detail
    assert any("torch/__init__.py" in line for line in imported.evidence)


@pytest.mark.process
@pytest.mark.parametrize(
    ("last", "named"),
    [
        ("os._exit(0)", "ended with status 0"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
        ("os.abort()", "killed by SIGABRT"),
    ],
)
def test_checks_after_one_that_takes_the_process_with_it_still_run(tmp_path, last, named):
    """Each that crashes is a failure of its own; the others have their own results."""
    python = environment(tmp_path / "env", torch=ODD_TORCH + f"###\ndef Generator(): {last}")

    checks = by_id(verify.verify(python))

    assert list(checks) == CHECKS
    assert checks["import"].status == "pass"
    for name in ("tensor", "training", "conv", "matmul"):
        assert checks[name].status == "fail"
        assert named in checks[name].detail
    assert checks["autograd"].detail == "AttributeError: module 'torch' has no attribute 'arange'"
    assert checks["torchaudio"].status == "skip"


@pytest.mark.process
def test_a_check_that_raises_system_exit_is_a_failure(tmp_path):
    """Nor can a library end the probe politely."""
    python = environment(tmp_path / "env", torch=ODD_TORCH + '###\ndef Generator(): sys.exit("enough")')

    assert by_id(verify.verify(python))["conv"].detail == "SystemExit: enough"


@pytest.mark.process
def test_an_environment_that_dies_every_time_still_ends(tmp_path):
    """A process that cannot even begin again gives up instead of trying for ever."""
    # It imports once; from then on, never again.
    once = "###\nimport pathlib\nmark = pathlib.Path(__file__).with_name('seen')\n"
    once += "if mark.exists(): os._exit(7)\nmark.touch()\ndef Generator(): os._exit(3)"
    python = environment(tmp_path / "env", torch=ODD_TORCH + once)

    checks = by_id(verify.verify(python))

    assert list(checks) == CHECKS
    assert "ended with status 3" in checks["tensor"].detail
    assert checks["conv"].status == "fail"
    assert "status 7" in checks["conv"].detail


@pytest.mark.process
def test_a_search_for_devices_that_crashes_leaves_the_cpu_to_be_proven(tmp_path):
    """A driver that kills the process is found, and is not asked again."""
    crash = "###\nclass cuda:\n    is_available = staticmethod(lambda: os.kill(os.getpid(), signal.SIGSEGV))"
    python = environment(tmp_path / "env", torch=ODD_TORCH + crash)

    checks = by_id(verify.verify(python))

    assert "SIGSEGV" in checks["devices"].detail
    assert checks["tensor"].device == "cpu"
    assert checks["tensor"].detail.startswith("AttributeError")


@pytest.mark.process
def test_output_of_others_does_not_reach_the_results(tmp_path):
    """A sitecustomize that prints, also without a line's end, and a chatty torch break nothing."""
    python = environment(
        tmp_path / "env",
        sitecustomize='import os, sys; print("hello"); os.write(1, b"\\xff{no newline")',
        torch='import os; print("{}"); os.write(1, b"\\n{\\"event\\": \\"end\\"}\\n"); raise OSError("bad")',
    )

    report = verify.verify(python)

    assert [check.id for check in report.checks] == CHECKS
    assert by_id(report)["import"].detail == "OSError: bad"


@pytest.mark.process
def test_a_flood_of_output_is_drained_and_only_its_end_is_kept(tmp_path):
    """100 MB on each stream neither block nor fill the memory."""
    flood = 'import os\nfor _ in range(1600): os.write({0}, b"x" * 65536)\n'
    python = environment(
        tmp_path / "env",
        sitecustomize=flood.format(1),
        torch=flood.format(2) + "os._exit(9)",
    )

    imported = by_id(verify.verify(python))["import"]

    assert "ended with status 9" in imported.detail
    assert 0 < sum(map(len, imported.evidence)) <= 8192


@pytest.mark.process
def test_a_torch_elsewhere_is_not_taken_for_the_environments(bare, tmp_path, monkeypatch):
    """Neither the current folder nor PYTHONPATH can shadow what is proven."""
    (tmp_path / "torch.py").write_text('raise SystemError("shadow")')
    (tmp_path / "json.py").write_text('raise SystemError("shadow")')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    assert "not installed" in by_id(verify.verify(bare))["import"].detail


@pytest.mark.process
def test_a_torch_on_pythonpath_only_is_told_apart_from_none(bare, tmp_path, monkeypatch):
    """Where module systems put it, the proof of an environment does not look, and says so."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    detail = by_id(verify.verify(bare))["import"].detail

    assert f"torch is in PYTHONPATH ({tmp_path}) only" in detail


@pytest.mark.process
def test_a_folder_left_by_a_broken_removal_is_not_torch(tmp_path):
    """An empty namespace package imports, and is named for what it is."""
    python = environment(tmp_path / "env", torch="")
    next((tmp_path / "env").rglob("torch/__init__.py")).unlink()

    imported = by_id(verify.verify(python))["import"]

    assert imported.status == "fail"
    assert "is named torch and is not PyTorch" in imported.detail


@pytest.mark.process
def test_nothing_is_left_behind(tmp_path, monkeypatch):
    """No bytecode in the environment, no file in the temporary folder."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    python = environment(
        tmp_path / "env",
        torch=ODD_TORCH + '###\nimport tempfile; tempfile.mkstemp(); open("here", "w").close()',
    )

    verify.verify(python)

    assert list(scratch.iterdir()) == []
    assert not list((tmp_path / "env").rglob("__pycache__"))


@pytest.mark.process
def test_results_are_heard_as_they_come(bare):
    """The callback gets what the report will hold, in the same order."""
    heard: list[CheckResult] = []

    report = verify.verify(bare, on_result=heard.append)

    assert tuple(heard) == report.checks


@pytest.mark.process
def test_an_error_in_the_callback_is_the_callers_own(bare):
    """A closed terminal is not mistaken for a broken environment."""

    def shut(_result):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        verify.verify(bare, on_result=shut)


@pytest.mark.process
def test_only_and_skip_choose_the_checks(bare):
    """A failing import is reported whatever was chosen."""
    assert [check.id for check in verify.verify(bare, only=["tensor", "conv"], skip=["conv"]).checks] == [
        "import",
        "tensor",
    ]


def test_a_check_that_does_not_exist_is_wrong_usage(bare):
    """The error lists those that do."""
    with pytest.raises(UsageError) as caught:
        verify.verify(bare, only=["tensro"])

    assert "tensro" in str(caught.value)
    assert "autograd" in caught.value.fix


@pytest.mark.process
def test_verify_writes_the_contracts_json(bare):
    """The keys that scripts rest on; a code where a check did not pass, and evidence only where there is some."""
    document = verify.verify(bare).to_json()
    keys = ["id", "device", "status", "seconds", "detail"]
    passed = CheckResult(id="conv", device="cpu", status="pass", seconds=0.1, detail="1e-7")

    assert list(document) == ["schema", "environment", "checks", "passed"]
    assert document["schema"] == 1
    assert list(document["checks"][0]) == [*keys, "code"]
    assert list(passed.to_json()) == keys


@pytest.mark.process
@pytest.mark.parametrize(
    ("content", "mode"),
    [(None, 0), ("#!/bin/sh\nexit 3\n", 0o755), ("#!/bin/sh\n", 0o644), ("\x7fELF rubbish", 0o755)],
    ids=["missing", "not Python", "not executable", "not a program"],
)
def test_an_interpreter_that_cannot_be_run_is_an_error_with_a_fix(tmp_path, content, mode):
    """There is nothing to prove without one."""
    python = tmp_path / "python"
    if content is not None:
        python.write_text(content)
        python.chmod(mode)

    with pytest.raises(EnvironmentUnusable) as caught:
        verify.verify(python)

    assert str(python) in str(caught.value)
    assert caught.value.fix


@pytest.mark.process
def test_a_python_that_dies_at_its_start_says_why(tmp_path):
    """The last of what it wrote is in the error."""
    python = environment(tmp_path / "env", sitecustomize='import os; os.write(2, b"no\\n"); os.abort()')

    with pytest.raises(EnvironmentUnusable, match="SIGABRT"):
        verify.verify(python)


def test_a_temporary_folder_that_cannot_be_made_is_an_error_with_a_fix(bare, monkeypatch):
    """A full or missing disk is named."""
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")

    with pytest.raises(EnvironmentUnusable, match="temporary folder"):
        verify.verify(bare)


@pytest.mark.process
def test_ctrl_c_ends_the_probe_and_its_workers(tmp_path):
    """The interrupt goes on to the caller; no process of ours is left."""
    # The probe and a worker of its own hold a lock on this file for as long as they live.
    lock = tmp_path / "lock"
    python = environment(
        tmp_path / "env",
        torch=f"""
        import fcntl, os, time
        held = open({str(lock)!r}, "w")
        fcntl.flock(held, fcntl.LOCK_EX)
        os.fork()
        held.write("x"); held.flush()
        time.sleep(600)
        """,
    )
    call = f"from pathlib import Path; from torchdoctor.verify import verify; verify(Path({str(python)!r}))"
    caller = subprocess.Popen([sys.executable, "-c", call], stderr=subprocess.PIPE)
    wait_for(lambda: lock.exists() and lock.stat().st_size == 2)

    caller.send_signal(signal.SIGINT)
    _, said = caller.communicate(timeout=30)

    assert said.rstrip().endswith(b"KeyboardInterrupt")
    with lock.open() as file:
        wait_for(lambda: locks(file))


@pytest.mark.process
def test_ctrl_c_in_the_command_is_130_and_no_traceback(tmp_path):
    """As the contract has it."""
    reached = tmp_path / "reached"
    python = environment(
        tmp_path / "env", torch=f"import time; open({str(reached)!r}, 'w').close(); time.sleep(600)"
    )
    command = [sys.executable, "-m", "torchdoctor", "verify", python.parents[1]]
    caller = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(reached.exists)

    caller.send_signal(signal.SIGINT)
    _, said = caller.communicate(timeout=30)

    assert caller.returncode == 130
    assert b"Traceback" not in said
    assert b"interrupted" in said


@pytest.mark.process
def test_an_error_that_spoils_the_process_does_not_spoil_the_next_checks(tmp_path):
    """After a CUDA error every call in that process raises it again: the rest goes on in a new one."""
    gpu = """
    ###
    import collections
    Properties = collections.namedtuple("Properties", "name total_memory major minor")
    spoilt = False
    class cuda:
        is_available = staticmethod(lambda: True)
        device_count = staticmethod(lambda: 1)
        get_arch_list = staticmethod(lambda: [])
        get_device_properties = staticmethod(lambda device: Properties("GPU", 0, 9, 0))
    class Generator:
        def manual_seed(self, seed): raise ValueError("spoilt" if spoilt else "well")
    def arange(*_, device="cpu", **__):
        global spoilt
        spoilt = device != "cpu"
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    """
    python = environment(tmp_path / "env", torch=ODD_TORCH + gpu)

    checks = verify.verify(python, only=["views", "matmul"], devices=["cuda:0"]).checks

    assert [(check.id, check.status) for check in checks] == [("views", "fail"), ("matmul", "fail")]
    assert "illegal memory access" in checks[0].detail
    assert checks[1].detail == "ValueError: well"


@pytest.mark.process
def test_a_gpu_on_which_nothing_runs_is_one_failure(tmp_path):
    """The cause once, and the rest skipped with it."""
    gpu = """
    ###
    import collections
    Properties = collections.namedtuple("Properties", "name total_memory major minor")
    class cuda:
        is_available = staticmethod(lambda: True)
        device_count = staticmethod(lambda: 1)
        get_arch_list = staticmethod(lambda: ["sm_90"])
        get_device_properties = staticmethod(lambda device: Properties("GPU", 0, 6, 1))
    def Generator(): raise RuntimeError("CUDA error: no kernel image is available for execution on the device")
    """
    python = environment(tmp_path / "env", torch=ODD_TORCH + gpu)

    report = verify.verify(python, only=["devices", "tensor", "views", "conv"], devices=["cuda:0"])

    assert {check.id: check.status for check in report.checks} == {
        "devices": "warn", "tensor": "fail", "views": "skip", "conv": "skip",
    }  # fmt: skip
    assert "older than all that this build has kernels for" in by_id(report)["devices"].detail
    assert by_id(report)["conv"].detail == "not run, because nothing runs on cuda:0"


@pytest.mark.process
def test_workers_of_a_probe_that_crashed_do_not_delay_it(tmp_path):
    """A forked worker that holds the pipe is ended, not waited for."""
    python = environment(
        tmp_path / "env", torch="import os, time\nif os.fork(): os._exit(1)\ntime.sleep(600)"
    )
    started = time.monotonic()

    report = verify.verify(python)

    assert time.monotonic() - started < 30
    assert "status 1" in by_id(report)["import"].detail


@pytest.mark.process
def test_bench_without_torch_is_one_error(bare):
    """The cause once, not once a case."""
    report = bench(bare)

    assert not report.passed
    assert [(result.id, result.value) for result in report.results] == [("import", None)]
    assert "torchdoctor install" in (report.results[0].error or "")


@pytest.mark.process
def test_a_bench_case_that_crashes_is_an_error_and_the_others_run(tmp_path):
    """As in verify."""
    crash = "###\ndef __getattr__(name):\n    if name == 'randn': os._exit(4)\n    raise AttributeError(name)"
    python = environment(tmp_path / "env", torch=ODD_TORCH + crash)

    errors = {result.id: result.error for result in bench(python, only=["launch", "autograd"]).results}

    assert set(errors) == {"launch", "autograd"}
    assert all("status 4" in (error or "") for error in errors.values())


@pytest.mark.process
def test_importing_the_runner_costs_the_standard_library_only():
    """No package is loaded for it."""
    listing = subprocess.run(
        [sys.executable, "-c", "import sys, torchdoctor.verify; print(*sys.modules)"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert {"rich", "click", "requests", "packaging", "torch"}.isdisjoint(listing.stdout.split())


@pytest.mark.process
def test_the_oldest_python_runs_the_probe():
    """Python 3.8 without torch gives a result, not a syntax error."""
    on_path = shutil.which("python3.8", path="/usr/bin:/usr/local/bin")
    found = [Path(on_path)] if on_path else sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python"))
    if not found:
        pytest.skip("no Python 3.8 on this machine")

    assert "not installed" in by_id(verify.verify(found[0]))["import"].detail


def wait_for(met, seconds=30.0):
    """Until the condition is met, or fail."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def locks(file) -> bool:
    """Whether nobody else holds the lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
