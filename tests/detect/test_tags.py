"""Wheel tags from facts alone: as packaging gives them on this machine, and right for others."""

from __future__ import annotations

import os
import sys

import packaging.tags
import pytest

from torchdoctor.core.system import host_system
from torchdoctor.detect import Libc, Machine, Python, describe_python, detect, supported_tags


def _tags(**changes: object) -> set[str]:
    facts: dict[str, object] = {"os": "linux", "arch": "x86_64", "python": Python(version="3.12.4")}
    return {str(tag) for tag in supported_tags(Machine(**{**facts, **changes}))}  # type: ignore[arg-type]


@pytest.mark.process
def test_here_they_are_what_packaging_says():
    """The tags computed from the detected facts are those of the running interpreter, all of them."""
    system = host_system(os.environ)
    machine = detect(system, python=describe_python(system, sys.executable)).machine
    assert set(supported_tags(machine)) == set(packaging.tags.sys_tags())


def test_the_best_tag_comes_first():
    """The interpreter's own ABI leads, pure Python for any platform is last."""
    tags = [str(t) for t in supported_tags(
        Machine(os="windows", arch="x86_64", python=Python(version="3.12.4"))
    )]  # fmt: skip
    assert tags[0] == "cp312-cp312-win_amd64"
    assert tags[-1] == "py30-none-any"


@pytest.mark.parametrize(
    ("arch", "version", "has", "lacks"),
    [
        ("x86_64", "2.35", ["manylinux_2_35", "manylinux_2_28", "manylinux2014", "manylinux1", "linux"],
         ["manylinux_2_36", "manylinux_2_4", "musllinux_1_1"]),
        ("x86_64", "2.17", ["manylinux2014"], ["manylinux_2_28"]),
        ("aarch64", "2.31", ["manylinux_2_28", "manylinux_2_17", "manylinux2014"],
         ["manylinux_2_16", "manylinux2010", "manylinux1"]),
    ],
)  # fmt: skip
def test_glibc_decides_manylinux(arch, version, has, lacks):
    """PEP 600: from the machine's glibc down to the oldest that the processor has."""
    tags = _tags(arch=arch, libc=Libc(name="glibc", version=version))
    assert {f"cp312-cp312-{name}_{arch}" for name in has} <= tags
    assert not {f"cp312-cp312-{name}_{arch}" for name in lacks} & tags


def test_musl_takes_musllinux_and_nothing_of_glibc():
    """Alpine takes no manylinux wheel."""
    tags = _tags(libc=Libc(name="musl", version="1.2.4"))
    assert "cp312-cp312-musllinux_1_2_x86_64" in tags
    assert "cp312-cp312-linux_x86_64" in tags
    assert not any("manylinux" in tag for tag in tags)


def test_an_unknown_glibc_takes_no_manylinux():
    """Unknown is not a guess."""
    assert not any("manylinux" in tag for tag in _tags())


@pytest.mark.parametrize(
    ("system", "arch", "bits", "tag"),
    [
        ("windows", "x86_64", 64, "cp312-cp312-win_amd64"),
        ("windows", "arm64", 64, "cp312-cp312-win_arm64"),
        ("windows", "x86_64", 32, "cp312-cp312-win32"),
        ("macos", "arm64", 64, "cp312-cp312-macosx_14_0_arm64"),
        ("macos", "x86_64", 64, "cp312-cp312-macosx_10_9_x86_64"),
        ("linux", "x86_64", 32, "cp312-cp312-manylinux_2_17_i686"),
    ],
)
def test_each_system_has_its_tag(system, arch, bits, tag):
    """Windows, macOS and narrow interpreters take what is built for them."""
    python = Python(version="3.12.4", bits=bits)
    tags = _tags(
        os=system, arch=arch, os_version="14.5", libc=Libc(name="glibc", version="2.35"), python=python
    )
    assert tag in tags


def test_a_narrow_python_takes_no_wide_wheel():
    """A 32-bit Python on 64-bit Windows does not take win_amd64."""
    tags = _tags(os="windows", python=Python(version="3.12.4", bits=32))
    assert not any("win_amd64" in tag for tag in tags)


def test_macos_takes_nothing_newer_than_itself():
    """A wheel for macOS 14 is not for macOS 13."""
    tags = _tags(os="macos", arch="arm64", os_version="13.6.1")
    assert "cp312-cp312-macosx_11_0_arm64" in tags
    assert "cp312-cp312-macosx_14_0_arm64" not in tags


def test_free_threaded_python_has_its_own_abi():
    """3.13t takes cp313t wheels and neither cp313 nor abi3 ones."""
    tags = _tags(os="windows", python=Python(version="3.13.0", free_threaded=True))
    assert "cp313-cp313t-win_amd64" in tags
    assert not any("-cp313-" in tag or "-abi3-" in tag for tag in tags)


def test_pypy_takes_no_wheel_of_cpython():
    """PyPy takes pure wheels."""
    tags = _tags(python=Python(version="3.10.14", implementation="pypy"))
    assert "py3-none-any" in tags
    assert not any(tag.startswith("cp") for tag in tags)
