"""pip's files are looked for where pip looks, and understood as pip understands them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded_system import paper_python
from torchdoctor.inventory.pip_settings import (
    ENVIRONMENT_SECTION,
    parse_pip_file,
    pip_files,
    read_pip_settings,
)

OURS = paper_python(prefix=Path(sys.prefix), sys_platform=sys.platform)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the paths are those of Linux")


@pytest.fixture
def home(tmp_path):
    """A user's variables whose every folder for settings lies in the test's own, less what the system has."""
    names = {"HOME": "home", "XDG_CONFIG_DIRS": "shared", "XDG_CONFIG_HOME": "own"}
    return {key: str(tmp_path / name) for key, name in names.items()} | {"PATH": os.environ["PATH"]}


def run_pip(environ, *words):
    """What an interpreter with pip prints in this environment."""
    ran = subprocess.run([sys.executable, *words], env=environ, capture_output=True, text=True, check=True)
    return ran.stdout


# What an option is if nothing on the command line sets it; `pip config list` mixes the levels up in pip 26.
DEFAULTS = """
import json
from pip._internal.commands import create_command
values = vars(create_command("install").parser.get_default_values())
print(json.dumps({name: value for name, value in values.items() if isinstance(value, (str, int, float, list))}))
"""


def used_by_pip(environ):
    """The options of `pip install`, by their names in pip."""
    return json.loads(run_pip(environ, "-c", DEFAULTS))


def read(environ):
    """Section and key -> value, by our own reader; the system's own file left out."""
    rows = (row for row in read_pip_settings(environ, OURS) if row.origin != "/etc/pip.conf")
    return {(row.section, row.key): row.value for row in rows}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.mark.process
@on_linux
def test_each_file_that_pip_looks_at_is_looked_for(home):
    """In pip's own order: its list of places for the very same variables."""
    places = re.findall(r"^\s+(/.+), exists: ", run_pip(home, "-m", "pip", "config", "debug"), re.MULTILINE)
    assert {f"{sys.prefix}/pip.conf", "/etc/pip.conf", f"{home['HOME']}/.pip/pip.conf"} <= set(places)
    order = [places.index(path) for path in pip_files(home, OURS) if path in places]
    assert len(order) == len(places)
    assert set(pip_files(home, OURS)) == set(places)


@pytest.mark.process
@on_linux
def test_every_level_is_read_as_pip_reads_it(home, tmp_path):
    """Global, user (old and new place) and variables, in every spelling, with several lines and sections."""
    write(
        tmp_path / "shared/pip/pip.conf", "[global]\nindex-url = https://shared.example/simple\ntimeout=9\n"
    )
    write(tmp_path / "home/.pip/pip.conf", "[global]\nindex_url: https://old.example/simple\nRETRIES = 2\n")
    write(
        tmp_path / "own/pip/pip.conf",
        "[install]\n--extra-index-url =\n  https://b.example\n  https://c.example\n[download]\nno-index=yes\n"
        "[global]\nfind-links = /srv/%(wheels)s ; here\n# a comment\n",
    )
    environ = home | {"PIP_FIND_LINKS": "/srv/here", "PIP_INDEX_URL": ""}
    ours, pips = read(environ), used_by_pip(environ)
    assert ours["global", "index-url"] == pips["index_url"] == "https://old.example/simple"
    assert ours["global", "timeout"] == str(int(pips["timeout"])) == "9"
    assert ours["global", "retries"] == str(pips["retries"]) == "2"
    assert ours["install", "extra-index-url"].split() == pips["extra_index_urls"]
    assert ours[ENVIRONMENT_SECTION, "find-links"].split() == pips["find_links"] == ["/srv/here"]
    assert not pips["no_index"]


@pytest.mark.process
@on_linux
def test_a_file_that_a_variable_names_takes_the_user_s_place(home, tmp_path):
    """Where PIP_CONFIG_FILE exists, pip leaves the user's own file out."""
    write(tmp_path / "own/pip/pip.conf", "[global]\nretries = 7\n")
    write(tmp_path / "named.conf", "[global]\ntimeout = 3\n")
    for name, key, option in (("named.conf", "timeout", 3.0), ("none.conf", "retries", 7)):
        environ = home | {"PIP_CONFIG_FILE": str(tmp_path / name)}
        assert [section_and_key[1] for section_and_key in read(environ)] == [key]
        assert used_by_pip(environ)[key] == option


def test_the_null_device_turns_all_files_off(home, tmp_path):
    """PIP_CONFIG_FILE=/dev/null: https://pip.pypa.io/en/stable/topics/configuration/."""
    write(tmp_path / "own/pip/pip.conf", "[global]\nindex-url = https://own.example/simple\n")
    assert pip_files(home | {"PIP_CONFIG_FILE": "/dev/null"}, OURS) == ()


def test_windows_has_its_own_places():
    """`pip.ini`, in the folders that the variables name."""
    python = paper_python(prefix=Path("C:/env"), sys_platform="win32")
    environ = {"USERPROFILE": r"C:\Users\ada", "APPDATA": r"C:\Users\ada\AppData\Roaming", "HOME": "/c/ada"}
    assert pip_files(environ, python)[:3] == (
        r"C:\ProgramData\pip\pip.ini", r"C:\Users\ada\pip\pip.ini", r"C:\Users\ada\AppData\Roaming\pip\pip.ini",
    )  # fmt: skip


def test_macos_has_its_own_places(tmp_path):
    """The folder for applications' data where it exists, else the one below .config; Homebrew's shared one."""
    python = paper_python(prefix=Path("/opt/homebrew/opt/python"), sys_platform="darwin")
    environ = {"HOME": str(tmp_path)}
    assert pip_files(environ, python) == (
        "/opt/homebrew/share/pip/pip.conf", "/Library/Application Support/pip/pip.conf",
        f"{tmp_path}/.pip/pip.conf", f"{tmp_path}/.config/pip/pip.conf", "/opt/homebrew/opt/python/pip.conf",
    )  # fmt: skip
    (tmp_path / "Library/Application Support/pip").mkdir(parents=True)
    assert f"{tmp_path}/Library/Application Support/pip/pip.conf" in pip_files(environ, python)


def test_the_origin_is_the_file_or_the_variable(home, tmp_path):
    """So that a person finds the line to change."""
    write(tmp_path / "own/pip/pip.conf", "[global]\ntimeout = 9\n")
    rows = read_pip_settings(home | {"PIP_RETRIES": "1"}, OURS)
    assert [(row.section, row.key, row.origin) for row in rows][-2:] == [
        ("global", "timeout", str(tmp_path / "own/pip/pip.conf")),
        (ENVIRONMENT_SECTION, "retries", "PIP_RETRIES"),
    ]


def test_a_byte_order_mark_and_another_encoding_are_read(home, tmp_path):
    """Editors on Windows write both."""
    write(tmp_path / "own/pip/pip.conf", "")
    (tmp_path / "own/pip/pip.conf").write_bytes(b"\xef\xbb\xbf[global]\ntimeout = 9\n# \xc3\xa9\n")
    assert read(home)["global", "timeout"] == "9"
    (tmp_path / "own/pip/pip.conf").write_bytes(b"[global]\ntimeout = 9\n# \xe9\n")
    assert read(home)["global", "timeout"] == "9"


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    """A broken file gives nothing."""
    assert isinstance(parse_pip_file(text), list)
