"""An interpreter describes itself, and what is none is refused with a reason."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded_system import RecordedSystem, said
from torchdoctor.core.system import host_system
from torchdoctor.detect import describe_python
from torchdoctor.detect.python.describe import parse_description
from torchdoctor.errors import EnvironmentUnusable

posix = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")

TOLD = {
    "executable": "/usr/bin/python3.12", "implementation": "cpython", "version": "3.12.3", "free_threaded": False,
    "bits": 64, "soabi": "cpython-312-x86_64-linux-gnu", "host": "x86_64-pc-linux-gnu", "sys_platform": "linux",
    "platform": "linux-x86_64", "machine": "x86_64", "prefix": "/usr", "base_prefix": "/usr",
    "site_packages": ["/usr/lib/python3/dist-packages"], "externally_managed": True, "libc": "glibc 2.39",
    "system_version": None,
}  # fmt: skip


def _line(**changes: object) -> str:
    return "torchdoctor-python " + json.dumps({**TOLD, **changes})


@pytest.mark.process
def test_the_running_interpreter_is_described_as_it_is():
    """Run as a process, it says what it says here."""
    info = describe_python(host_system(os.environ), sys.executable)
    assert info.version == ".".join(map(str, sys.version_info[:3]))
    assert info.implementation == sys.implementation.name
    assert info.prefix == Path(sys.prefix)
    assert info.is_venv == (sys.prefix != sys.base_prefix)
    assert Path(sysconfig.get_path("purelib")) in info.site_packages
    assert info.executable.exists()


@pytest.mark.process
@posix
def test_a_venv_in_a_folder_of_any_name_is_described(tmp_path):
    """Blanks and letters beyond ASCII survive, though the probe speaks C."""
    folder = tmp_path / "mein Gerät 机器"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    info = describe_python(host_system(os.environ), folder / "bin/python")
    assert info.is_venv
    assert info.prefix == folder
    assert info.executable == folder / "bin/python"


@pytest.mark.process
@posix
def test_a_venv_that_prints_at_start_is_still_read(tmp_path):
    """A .pth file may print; the description is found between its lines."""
    folder = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib*/python3*/site-packages"))
    (packages / "loud.pth").write_text("import sys; sys.stdout.write('{hello')\n")
    assert describe_python(host_system(os.environ), folder / "bin/python").prefix == folder


def test_an_interpreter_that_is_not_there_is_named():
    """The message names the path, the fix says what to type."""
    with pytest.raises(EnvironmentUnusable) as caught:
        describe_python(host_system(os.environ), "/nowhere/bin/python")
    assert caught.value.message == "there is no Python at /nowhere/bin/python"
    assert "--python" in caught.value.fix
    assert caught.value.code == "no-python"


@pytest.mark.process
@posix
@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'Unknown option: -I' >&2; exit 2", "is Python 2"),
        ("exit 1", "failed with status 1"),
        ("echo 3.12", "it did not say what it is"),
        ("echo 'torchdoctor-python [1]'", "it is not an object"),
        ("echo 'torchdoctor-python {}'", "lacks"),
        ("yes", "printed more than"),
    ],
)
def test_a_program_that_is_no_python_is_refused(tmp_path, script, message):
    """Whatever it does, the user reads why it cannot be used."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    with pytest.raises(EnvironmentUnusable, match=message):
        describe_python(host_system(os.environ), path)


def test_the_facts_of_another_machines_python_are_read():
    """A captured description gives every field."""
    info = parse_description(f"noise\n{_line()}\nmore noise\n")
    assert (info.version, info.bits, info.libc) == ("3.12.3", 64, "glibc 2.39")
    assert info.externally_managed
    assert not info.is_venv


@pytest.mark.parametrize(
    ("version", "read"),
    [("3.11.2+chromium.1", "3.11.2"), ("3.15.0rc1", "3.15.0rc1"), ("3.13.0b2+", "3.13.0b2")],
)
def test_a_distributions_own_suffix_is_left_out(version, read):
    """The version is the one that wheels are chosen by."""
    assert parse_description(_line(version=version)).version == read


@pytest.mark.parametrize("field", sorted(TOLD))
@given(
    value=st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=9)
    | st.lists(st.integers(), max_size=2)
)
def test_no_value_in_any_field_breaks_the_reader(field, value):
    """A program that pretends to be a Python gives a description or ValueError."""
    with contextlib.suppress(ValueError):
        parse_description(_line(**{field: value}))


@given(st.text())
def test_no_text_breaks_the_reader(text):
    """Any text at all is refused as ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011
        parse_description("torchdoctor-python " + text)


def test_the_interpreter_runs_apart_from_the_users_settings():
    """-I keeps PYTHONPATH, user site and the current folder out of the description."""
    seen: list[tuple[str, ...]] = []

    class Watching(RecordedSystem):
        def run(self, argv, *, timeout=5.0):
            seen.append(tuple(argv))
            return said(_line())

    describe_python(Watching(), "/usr/bin/python3.12")
    assert seen[0][:3] == ("/usr/bin/python3.12", "-I", "-c")
