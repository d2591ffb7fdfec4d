"""doctor's advice names the environment that it looked at, so that doing it changes what doctor sees."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doctor.check_ups import check_up
from torchdoctor.core.fact import found
from torchdoctor.doctor.install_command import install_command


def test_the_environment_that_was_checked_is_named(site):
    """Otherwise the advice is followed, and doctor says the same again."""
    seen = check_up(site)
    assert install_command(seen) == f"torchdoctor install {seen.python.prefix}"


@pytest.mark.parametrize("kind", ["interpreter", "conda-base"])
def test_a_python_that_many_use_stays(site, kind):
    """The system's, and conda's base: a new environment is made instead."""
    seen = check_up(site)
    seen = replace(seen, inventory=replace(seen.inventory, kind=found(kind, "here")))
    assert install_command(seen) == "torchdoctor install"


def test_the_environment_of_torchdoctor_itself_stays(site):
    """A tool that was installed by pipx or uv has an environment of its own."""
    seen = check_up(site)
    seen = replace(seen, python=replace(seen.python, prefix=Path(sys.prefix)))
    assert install_command(seen) == "torchdoctor install"
