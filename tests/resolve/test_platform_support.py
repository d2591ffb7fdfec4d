"""Why no build of a release can run on a machine, as a code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.resolve.machines import linux
from torchdoctor.detect import Libc, Machine, Python
from torchdoctor.resolve.platform_support import python_satisfies, refuse_platform
from wheels_index import bundled

MAC = Machine(os="macos", arch="arm64", os_version="11.0", python=Python(version="3.12.4"))


@pytest.mark.parametrize(
    ("machine", "code"),
    [
        (linux(), None),
        (linux(python="3.8.10"), "python-version"),
        (linux(libc=Libc(name="musl", version="1.2")), "musl"),
        (replace(linux(), arch="s390x"), "platform"),
        (replace(linux(), python=Python(version="3.12.4", bits=32)), "python-bits"),
        (replace(linux(), python=Python(version="3.12.4", implementation="pypy")), "implementation"),
        (MAC, "macos-too-old"),
        (replace(MAC, os_version="14.0"), None),
        (replace(MAC, os_version=None), None),
    ],
)
def test_a_machine_is_refused_with_a_code(machine, code):
    """Nothing but the code tells why; None where a build can run."""
    refusal = refuse_platform(machine, bundled().release("2.15.0"))
    assert (refusal.code if refusal else None) == code


def test_a_release_that_declares_other_pythons_is_refused():
    """`Requires-Python` counts where the list of files does not exclude the Python."""
    release = replace(bundled().release("2.15.0"), requires_python="<3.12")
    refusal = refuse_platform(linux(), release)
    assert refusal is not None
    assert (refusal.code, "it declares <3.12" in refusal.message) == ("requires-python", True)


@pytest.mark.parametrize(
    ("declared", "fits"), [(None, True), (">=3.10", True), (">=3.13", False), ("rubbish", True)]
)
def test_what_a_package_declares_of_python(declared, fits):
    """Text that is no specifier keeps nobody out."""
    assert python_satisfies(declared, "3.12.4") is fits
