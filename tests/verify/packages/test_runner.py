"""Every package that was asked for, or that requires torch, is imported in a process of its own."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from tests.verify.packages.environments import Packages
from torchdoctor.errors import UsageError
from torchdoctor.verify import verify
from torchdoctor.verify.packages.model import PackageOptions
from torchdoctor.verify.packages.runner import verify_packages

pytestmark = pytest.mark.process

HANGS = "import time\ntime.sleep(600)"
CRASHES = "import ctypes\nctypes.string_at(0)"
EATS_MEMORY = "import time\nhoard = [bytearray(1 << 24) for _ in range(40)]\ntime.sleep(60)"
CODES = 'raise ValueError("\\x1b[31mred\\x1b]0;title\\x07 \\u202eturned\\nlast \\x1b[2Jline")'
LEAVES = "import os\nos._exit(0)"
DAEMON = """
import os, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
"""


@pytest.fixture
def packages(tmp_path) -> Packages:
    return Packages(tmp_path / "env")


def results(packages: Packages, **options):
    """The checks of packages alone, by name; where one comes twice, the last."""
    report = verify(packages.python, only=["packages"], **options)
    return {check.id: check for check in report.checks}


def _processes_of(python: Path) -> list[bytes]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # gone by now
            lines.append(path.read_bytes())
    return [line for line in lines if str(python).encode() in line]


def test_packages_that_misbehave_have_a_result_each_and_disturb_no_other(packages):
    """A hang, a crash, an end of Python, terminal codes: each has its code, and what is well passes."""
    for name, source in {
        "hangs": HANGS,
        "crashes": CRASHES,
        "leaves": LEAVES,
        "codes": CODES,
        "well": "",
    }.items():
        packages.put(name, source, "torch>=2")

    found = results(packages, time_limit_scale=0.03)

    codes = {name: (check.status, check.code) for name, check in found.items()}
    assert codes == {
        "package:codes": ("fail", "import-raised"),
        "package:crashes": ("fail", "process-signal"),
        "package:hangs": ("fail", "time-limit"),
        "package:leaves": ("fail", "process-exit"),
        "package:well": ("pass", None),
    }
    assert found["package:codes"].detail == "import codes: ValueError: red\\x1b]0;title\\x07 \\u202eturned"
    assert found["package:crashes"].detail == "import crashes: the process was killed by SIGSEGV"
    assert found["package:leaves"].detail == "import leaves: the process ended with status 0"
    assert "took longer than 3.6 s" in found["package:hangs"].detail
    assert any("hangs/__init__.py" in line for line in found["package:hangs"].evidence)
    shown = "".join(line for check in found.values() for line in (check.detail, *check.evidence))
    assert shown.isprintable()


def test_a_package_that_takes_too_much_memory_is_stopped_alone(packages):
    """It first runs beside others within its share, then once more alone within the whole limit."""
    packages.put("greedy", EATS_MEMORY, "torch")
    packages.put("modest", "", "torch")

    found = results(packages, memory_limit_mib=300)

    assert (found["package:greedy"].status, found["package:greedy"].code) == ("fail", "memory-limit")
    assert found["package:modest"].status == "pass"


def test_a_process_that_a_package_leaves_behind_is_ended(packages):
    """Also one that is in a session of its own, as a daemon is."""
    packages.put("daemon", DAEMON, "torch")

    assert results(packages)["package:daemon"].status == "pass"

    until = time.monotonic() + 30
    while left := _processes_of(packages.python):  # a kill takes effect a little later
        assert time.monotonic() < until, left
        time.sleep(0.05)


def test_what_was_asked_for_is_imported_although_it_requires_no_torch(packages):
    """It comes first, a missing one fails, and a requirement of another system asks for nothing."""
    packages.put("einops", "")
    packages.put("needs-torch", "", "torch")
    packages.put("bystander", "raise SystemError")
    packages.ask(
        "einops>=1", "absent==2", "winonly; sys_platform == 'win32'", "torch==2.9", "not a requirement"
    )

    report = verify(packages.python, only=["packages"])

    assert [(check.id, check.status, check.code) for check in report.checks] == [
        ("package:einops", "pass", None),
        ("package:absent", "fail", "package-not-installed"),
        ("package:needs-torch", "pass", None),
    ]
    assert report.checks[0].detail == "einops 1.0: einops is imported"
    assert report.checks[1].detail == "absent was asked for (--with) and is not installed"


def test_a_version_that_was_not_asked_for_is_a_warning(packages):
    """It can be imported, but it is another one."""
    packages.put("einops", "", version="0.7")
    packages.ask("einops>=0.8")

    check = results(packages)["package:einops"]

    assert (check.status, check.code) == ("warn", "package-version")
    assert "einops>=0.8 was asked for (--with), and 0.7 is installed" in check.detail


def test_without_torch_what_requires_it_is_skipped_and_the_rest_is_imported(tmp_path):
    """One cause, one failure."""
    packages = Packages(tmp_path / "env", torch='raise ImportError("no")')
    packages.put("needs-torch", "import torch", "torch")
    packages.put("einops", "")
    packages.ask("einops")

    found = results(packages)

    assert found["package:needs-torch"].code == "no-torch"
    assert found["package:einops"].status == "pass"


def test_a_quick_run_leaves_out_pure_python_that_nobody_asked_for(packages):
    """What such a package lacks is in its metadata."""
    packages.put("pure", "", "torch")

    (check,) = verify(packages.python, only=["packages"], quick=True).checks

    assert (check.id, check.status, check.code) == ("packages", "skip", "no-packages")


def test_one_package_can_be_named(packages):
    """`package:NAME` selects it, however it is written; one that is not there is a wrong use."""
    packages.put("one-of", "", "torch")
    packages.put("other", "", "torch")

    assert [check.id for check in verify(packages.python, only=["package:One_Of"]).checks] == [
        "package:one-of"
    ]
    with pytest.raises(UsageError, match="no package 'third'"):
        verify(packages.python, only=["package:third"])


def test_a_package_finds_no_arguments_and_no_input(packages):
    """Some read the arguments of the program that imports them, or ask."""
    packages.put("asks", "import sys\nassert sys.argv == ['']\nassert sys.stdin.read() == ''", "torch")

    assert results(packages)["package:asks"].status == "pass"


def test_packages_run_side_by_side(packages):
    """Each writes when it starts and waits until the other has."""
    for name, other in (("first", "second"), ("second", "first")):
        folder = packages.folder
        source = f"""
import pathlib, time
pathlib.Path({str(folder)!r}, {name!r}).touch()
while not pathlib.Path({str(folder)!r}, {other!r}).exists():
    time.sleep(0.01)
"""
        packages.put(name, source, "torch")
    seen = []
    checks = verify_packages(
        packages.python,
        PackageOptions(cores=2, proving=False),
        os.environ,
        on_progress=lambda done, total: seen.append((done, total)),
    )

    assert {check.status for check in checks} == {"pass"}
    assert seen == [(1, 2), (2, 2)]


def test_a_run_that_is_interrupted_leaves_no_process(packages):
    """Ctrl-C ends the imports too."""
    packages.put("hangs", HANGS, "torch")
    packages.put("well", "", "torch")

    def interrupt(_check):
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        verify_packages(
            packages.python, PackageOptions(cores=2, proving=False), os.environ, on_result=interrupt
        )
    assert time.monotonic() - started < 60
