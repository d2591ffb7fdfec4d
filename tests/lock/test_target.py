"""A machine in the words of uv and of environment markers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.markers import Marker

from tests.resolve.machines import linux
from torchdoctor.detect import Libc, Machine, Python
from torchdoctor.errors import NoSolution
from torchdoctor.lock.target import environment_marker, marker_environment, requires_python, target_of

PYTHON = Python(version="3.12.4")
WINDOWS = Machine(os="windows", arch="x86_64", python=PYTHON)
MAC = Machine(os="macos", arch="arm64", os_version="14.2", python=PYTHON)


@pytest.mark.parametrize(
    ("machine", "platform"),
    [
        (linux(glibc="2.35"), "x86_64-manylinux_2_35"),
        (linux(glibc="2.99"), "x86_64-manylinux_2_40"),
        (linux(glibc="2.30"), "x86_64-manylinux_2_28"),
        (replace(linux(), arch="aarch64"), "aarch64-manylinux_2_35"),
        (linux(libc=Libc(name="musl", version="1.2")), "x86_64-unknown-linux-musl"),
        (WINDOWS, "x86_64-pc-windows-msvc"),
        (replace(WINDOWS, python=replace(PYTHON, bits=32)), "i686-pc-windows-msvc"),
        (MAC, "aarch64-apple-darwin"),
    ],
)
def test_uv_has_a_name_for_the_machine(machine, platform):
    """The newest glibc that uv has a name for and that the machine has."""
    target = target_of(machine)
    assert target.platform == platform
    assert target.options == ("--python-platform", platform, "--python-version", "3.12.4")


def test_uv_is_told_of_the_version_of_macos():
    """It assumes an old one otherwise."""
    assert target_of(MAC).environ == {"MACOSX_DEPLOYMENT_TARGET": "14.2"}
    assert target_of(linux()).environ == {}


@pytest.mark.parametrize(
    "machine",
    [
        replace(linux(), arch="i686"),
        linux(glibc="2.12"),
        linux(libc=None),
        replace(linux(), python=replace(PYTHON, free_threaded=True)),
        replace(linux(), python=replace(PYTHON, implementation="pypy")),
    ],
    ids=["i686", "old glibc", "no libc", "free-threaded", "pypy"],
)
def test_a_machine_that_uv_has_no_name_for_is_an_error(machine):
    """Said with what can be done."""
    with pytest.raises(NoSolution) as caught:
        target_of(machine)
    assert caught.value.code == "no-lock"


@pytest.mark.parametrize("machine", [linux(), WINDOWS, MAC, replace(WINDOWS, arch="arm64")])
def test_the_marker_of_a_machine_is_true_there(machine):
    """And not on another kind of machine."""
    marker = Marker(environment_marker(machine))
    assert marker.evaluate(marker_environment(machine))
    other = linux() if machine.os != "linux" else MAC
    assert not marker.evaluate(marker_environment(other))


def test_the_marker_values_are_those_of_the_machine():
    """A 32-bit Python on a 64-bit Windows, a version without a patch."""
    machine = replace(WINDOWS, python=Python(version="3.12", bits=32))
    values = marker_environment(machine)
    assert values["platform_machine"] == "x86"
    assert values["python_full_version"] == "3.12.0"
    assert (values["os_name"], values["sys_platform"]) == ("nt", "win32")
    assert requires_python(machine) == "==3.12.*"
