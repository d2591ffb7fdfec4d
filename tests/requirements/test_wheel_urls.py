"""Wheels by URL, for this machine or another one."""

from __future__ import annotations

import pytest
from packaging.tags import Tag

from torchdoctor.errors import NoSolution
from torchdoctor.requirements import AskedRequirement
from torchdoctor.requirements.wheel_urls import refuse_wheels_of_other_machines

TAGS = (Tag("cp312", "cp312", "manylinux_2_28_x86_64"), Tag("py3", "none", "any"))


def asked(line: str) -> AskedRequirement:
    return AskedRequirement(line=line, name=line.partition(" ")[0], origin="requirements.txt:3")


def test_a_wheel_for_windows_is_refused_on_linux() -> None:
    """The error names the line, the file and what it is for."""
    link = asked("x @ https://example.org/x-1.0-cp312-cp312-win_amd64.whl")
    with pytest.raises(NoSolution, match=r"^requirements.txt:3: x-1\.0.*cp312-cp312-win_amd64") as caught:
        refuse_wheels_of_other_machines([link], TAGS)
    assert caught.value.code == "wheel-of-other-machine"


def test_wheels_for_the_machine_and_other_requirements_pass() -> None:
    """A wheel of one of the machine's tags is fine, and so is everything that is no wheel."""
    lines = ("x @ https://example.org/x-1.0-py3-none-any.whl", "y>=1", "z @ git+https://example.org/z.git")
    refuse_wheels_of_other_machines(map(asked, lines), TAGS)
