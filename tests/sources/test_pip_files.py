"""Where pip may have a settings file, pip is asked; where it has none, its variables say all that it would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from torchdoctor.core.system import HostSystem
from torchdoctor.sources.read_config import asking_pip, pip_may_have_files, read_settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere pip is always asked")


@pytest.fixture
def home(tmp_path):
    """A user's variables whose every folder for settings lies in the test's own, less what the system has."""
    names = {"HOME": "home", "XDG_CONFIG_DIRS": "shared", "XDG_CONFIG_HOME": "own"}
    return {key: str(tmp_path / name) for key, name in names.items()} | {"PATH": os.environ["PATH"]}


def places_of(environ):
    """The files that pip says it looks at."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "debug"],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return re.findall(r"^\s+(/.+), exists: ", told.stdout, re.MULTILINE)


def test_each_file_that_pip_looks_at_is_looked_for(home, tmp_path):
    """pip's own list of places, on a disk where none of them is a file but one after another."""
    disk = HostSystem(environ=home, root=tmp_path / "disk")
    assert not pip_may_have_files(disk, (Path(sys.prefix),))
    places = places_of(home)
    assert {f"{sys.prefix}/pip.conf", "/etc/pip.conf", f"{home['HOME']}/.pip/pip.conf"} <= set(places)
    assert len(places) == 5
    for place in places:
        there = Path(f"{disk.root}{place}")
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text("[global]\nindex-url = https://a.example/simple\n", "utf-8")
        assert pip_may_have_files(disk, (Path(sys.prefix),)), place
        there.unlink()


def test_a_file_that_a_variable_names_is_pips_to_read(home, tmp_path):
    """PIP_CONFIG_FILE adds a file; the null device turns all files off."""
    named = home | {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    assert pip_may_have_files(HostSystem(environ=named), ())
    (tmp_path / "own" / "pip").mkdir(parents=True)
    (tmp_path / "own" / "pip" / "pip.conf").write_text("[global]\n", "utf-8")
    assert not pip_may_have_files(HostSystem(environ=home | {"PIP_CONFIG_FILE": os.devnull}), ())


def test_without_files_the_variables_say_what_pip_would(home, tmp_path):
    """The settings are those that pip's own listing gives, and pip is not run."""
    environ = home | {
        "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "https://a.example/simple", "PIP_NO_INDEX": "1",
        "PIP_EXTRA_INDEX_URL": "https://b.example/s https://c.example/s", "PIP_FIND_LINKS": "/srv/it's here",
    }  # fmt: skip

    asked_for = []

    class Counting(HostSystem):
        def run(self, argv, *, timeout=9.0):
            asked_for.append(argv)
            return HostSystem.run(self, argv, timeout=timeout)

    given = {"pythons": (Path(sys.executable),), "prefixes": (tmp_path,), "folder": tmp_path}
    unasked = read_settings(Counting(environ=environ), **given)
    assert asked_for == []
    asked = read_settings(Counting(environ=environ | {"PIP_CONFIG_FILE": str(tmp_path / "none")}), **given)
    assert asked_for == [asking_pip(Path(sys.executable))]
    assert unasked == asked
    assert {row.kind for row in unasked} == {"index", "extra-index", "find-links", "no-index"}
