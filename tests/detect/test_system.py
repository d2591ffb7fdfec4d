"""The operating system by its files and the interpreter's word."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded_system import RecordedSystem, paper_python, said
from torchdoctor.detect import Libc
from torchdoctor.detect.host.container import probe_container, probe_wsl
from torchdoctor.detect.host.operating_system import (
    name_of_system,
    normal_arch,
    parse_musl_loader,
    parse_os_release,
    probe_libc,
    probe_os_name,
    probe_os_version,
)
from torchdoctor.errors import EnvironmentUnusable

UBUNTU = """\
PRETTY_NAME="Ubuntu 22.04.4 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
# a comment
HOME_URL="https://www.ubuntu.com/"
"""
ARCH_LINUX = 'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n'
MUSL = """\
musl libc (x86_64)
Version 1.2.4_git20230717
Dynamic Program Loader
Usage: /lib/ld-musl-x86_64.so.1 [options] [--] pathname [args]
"""


def test_the_release_is_the_distributions_number():
    """VERSION_ID, and its full name beside it for people."""
    system = RecordedSystem(files={"/etc/os-release": UBUNTU})
    assert probe_os_version(system, paper_python()).value == "22.04"
    assert probe_os_name(system, paper_python()).value == "Ubuntu 22.04.4 LTS"


def test_a_rolling_distribution_has_no_release():
    """Absent, which is not unknown."""
    assert (
        probe_os_version(RecordedSystem(files={"/etc/os-release": ARCH_LINUX}), paper_python()).state
        == "absent"
    )


def test_without_os_release_the_release_is_unknown():
    """A minimal container has no such file."""
    assert probe_os_version(RecordedSystem(), paper_python()).state == "unknown"


@given(st.text())
def test_no_text_breaks_the_reader_of_os_release(text):
    """Values come without control characters, whatever the file holds."""
    assert not any(re.search(r"[\x00-\x1f\x7f]", value) for value in parse_os_release(text).values())


def test_terminal_commands_in_os_release_are_shown_as_escapes():
    """A hostile name cannot paint the terminal."""
    assert parse_os_release('PRETTY_NAME="a\x1b[31mb"') == {"PRETTY_NAME": "a\\x1b[31mb"}


@pytest.mark.parametrize(
    ("sys_platform", "platform", "machine", "arch"),
    [
        ("linux", "linux-x86_64", "x86_64", "x86_64"),
        ("linux", "linux-aarch64", "aarch64", "aarch64"),
        ("linux", "linux-i686", "i686", "i686"),
        ("linux", "linux-riscv64", "riscv64", "riscv64"),
        ("win32", "win-amd64", "AMD64", "x86_64"),
        ("win32", "win-arm64", "ARM64", "arm64"),
        ("win32", "win-amd64", "ARM64", "x86_64"),
        ("win32", "win32", "AMD64", "x86_64"),
        ("darwin", "macosx-11.0-arm64", "arm64", "arm64"),
        ("darwin", "macosx-10.9-universal2", "arm64", "arm64"),
        ("darwin", "macosx-10.9-universal2", "x86_64", "x86_64"),
        ("linux", "linux", "../etc", "unknown"),
    ],
)
def test_a_processor_has_one_name(sys_platform, platform, machine, arch):
    """The interpreter's own processor, an emulated one too, by the contract's name."""
    assert normal_arch(paper_python(sys_platform=sys_platform, platform=platform, machine=machine)) == arch


def test_a_system_without_builds_is_refused():
    """FreeBSD's Python is told that there is nothing for it."""
    with pytest.raises(EnvironmentUnusable, match="runs on freebsd14"):
        name_of_system(paper_python(sys_platform="freebsd14"))


def test_glibc_says_its_version_itself():
    """The interpreter's confstr decides."""
    assert probe_libc(RecordedSystem(), paper_python(libc="glibc 2.35")).value == Libc(
        name="glibc", version="2.35"
    )


def test_musl_is_asked_by_its_loader():
    """The loader prints its version when it is run."""
    system = RecordedSystem(
        files={"/lib/ld-musl-x86_64.so.1": ""},
        commands={"/lib/ld-musl-x86_64.so.1": said("", status=1, stderr=MUSL)},
    )
    python = paper_python(libc=None, host="x86_64-alpine-linux-musl")
    assert probe_libc(system, python).value == Libc(name="musl", version="1.2.4")


def test_musls_loader_on_a_glibc_system_decides_nothing():
    """The interpreter is linked with glibc, whatever else is installed."""
    system = RecordedSystem(files={"/lib/ld-musl-x86_64.so.1": ""})
    assert probe_libc(system, paper_python()).value == Libc(name="glibc", version="2.35")


def test_a_c_library_that_does_not_say_is_unknown():
    """Neither glibc's answer nor musl's name."""
    assert probe_libc(RecordedSystem(), paper_python(libc=None)).state == "unknown"


@given(st.text())
def test_no_text_breaks_the_reader_of_musl(text):
    """A version or None."""
    assert (
        parse_musl_loader(text) is None or parse_musl_loader(f"musl libc\nVersion 1.2.3\n{text}") == "1.2.3"
    )


@pytest.mark.parametrize(
    ("kernel", "wsl"),
    [
        ("5.15.153.1-microsoft-standard-WSL2\n", True),
        ("4.4.0-19041-Microsoft\n", True),
        ("6.8.0-45-generic\n", False),
        (None, None),
    ],
)
def test_wsl_is_known_by_its_kernel(kernel, wsl):
    """Both versions; unknown where the kernel's name cannot be read."""
    files = {"/proc/sys/kernel/osrelease": kernel} if kernel else {}
    assert probe_wsl(RecordedSystem(files=files)).value is wsl


@pytest.mark.parametrize(
    ("files", "environ", "name"),
    [
        (["/.dockerenv"], {}, "docker"),
        (["/run/.containerenv"], {}, "podman"),
        (["/.dockerenv"], {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ([], {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ([], {"APPTAINER_CONTAINER": "/x.sif"}, "apptainer"),
        ([], {"SINGULARITY_CONTAINER": "/x.sif"}, "singularity"),
        ([], {"container": "lxc"}, "lxc"),
        ([], {}, None),
    ],
)
def test_a_container_is_known_by_its_marks(files, environ, name):
    """Files first, then variables."""
    assert probe_container(RecordedSystem(files=dict.fromkeys(files, ""), environ=environ)).value == name
