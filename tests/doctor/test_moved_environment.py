"""Scripts that still run the interpreter of the place where their environment was made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from torchdoctor.core.system import HostSystem
from torchdoctor.doctor.moved_environment import scripts_of_elsewhere
from torchdoctor.inventory.launchers import interpreter_named


@pytest.mark.parametrize(
    ("script", "interpreter"),
    [
        ("#!/old/bin/python3.12\nimport re\n", "/old/bin/python3.12"),
        ("#!/old/bin/python -sE\n", "/old/bin/python"),
        ("#!/bin/sh\n'''exec' \"/my env/bin/python\" \"$0\" \"$@\"\n' '''\n", "/my env/bin/python"),
        ("#!/usr/bin/env python\n", None),
        ("", None),
    ],
)
def test_a_script_names_its_interpreter(script, interpreter):
    """Directly, or through a shell where the path is long or has a space."""
    assert interpreter_named(script) == interpreter


def test_only_scripts_of_another_place_are_told(site, tmp_path):
    """A link to the environment is the environment."""
    folder = site.prefix / "bin"
    folder.mkdir()
    (tmp_path / "link").symlink_to(site.prefix)
    (folder / "pip").write_text("#!/old/bin/python3.12\n")
    (folder / "torchrun").write_text(f"#!{folder}/python3.12\n")
    (folder / "jupyter").write_text(f"#!{tmp_path}/link/bin/python3.12\n")
    python = replace(site.python)
    assert scripts_of_elsewhere(HostSystem(environ={}), python) == (f"{folder}/pip runs /old/bin/python3.12",)
