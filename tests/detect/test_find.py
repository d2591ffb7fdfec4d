"""What `--python` means: a path, a folder, a version, nothing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uv import find_uv_bin

from tests.detect.recorded_system import RecordedSystem, said
from tests.detect.test_python import TOLD
from torchdoctor.core.system import host_system
from torchdoctor.detect import find_python
from torchdoctor.detect.python.find import parse_uv_list
from torchdoctor.errors import EnvironmentUnusable

LIST = json.dumps([
    {"version": "3.11.2", "path": "/usr/bin/python3", "implementation": "cpython", "variant": "default"},
    {"version": "3.13.0", "path": "/opt/3.13t/bin/python", "implementation": "cpython", "variant": "freethreaded"},
    {"version": "3.10.14", "path": "/opt/pypy/bin/pypy", "implementation": "pypy", "variant": "default"},
])  # fmt: skip


def _told(version: str, path: str) -> object:
    return said("torchdoctor-python " + json.dumps({**TOLD, "version": version, "executable": path}))


def _system(**commands: object) -> RecordedSystem:
    uv = find_uv_bin()
    rows = {f"{uv} python list": said(LIST), "/opt/3.12/bin/python": _told("3.12.3", "/opt/3.12/bin/python")}
    return RecordedSystem(commands={**rows, **{f"{uv} python find": row for row in commands.values()}})  # type: ignore[dict-item]


@pytest.mark.process
def test_without_a_word_it_is_the_base_of_the_running_python():
    """The interpreter that the tool's environment was made from, not the environment."""
    info = find_python(host_system(os.environ), None)
    assert info.version == ".".join(map(str, sys.version_info[:3]))
    assert info.prefix == Path(sys.base_prefix)
    assert not info.is_venv


@pytest.mark.process
def test_a_path_is_that_interpreter():
    """An executable named by its path."""
    assert find_python(host_system(os.environ), sys.executable).prefix == Path(sys.prefix)


@pytest.mark.process
@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="runs in a virtual environment")
def test_a_folder_is_the_environment_in_it():
    """A virtual environment named by its folder."""
    assert find_python(host_system(os.environ), sys.prefix).prefix == Path(sys.prefix)


@pytest.mark.parametrize("asked", ["3.12", "python3.12", "cpython@3.12.3"])
def test_a_version_is_looked_for_by_uv(asked):
    """uv knows what is installed; it never downloads here."""
    info = find_python(_system(find=said("/opt/3.12/bin/python\n")), asked)
    assert (info.version, info.executable) == ("3.12.3", Path("/opt/3.12/bin/python"))


def test_a_version_that_only_pyenv_holds_is_found():
    """The newest of them, and 3.1 is not taken for 3.10."""
    root = "/home/user/.pyenv/versions"
    names = ("3.12.1", "3.12.3", "3.1.5", "3.12.9t", "system")
    system = RecordedSystem(
        files={f"{root}/{name}/bin/python": "" for name in names},
        environ={"PYENV_ROOT": "/home/user/.pyenv"},
        commands={f"{root}/3.12.3/bin/python": _told("3.12.3", f"{root}/3.12.3/bin/python")},  # type: ignore[dict-item]
    )
    assert find_python(system, "3.12").version == "3.12.3"


def test_what_is_not_there_is_told_with_what_is():
    """The message lists the interpreters that exist, the fix says how to get the one asked for."""
    with pytest.raises(EnvironmentUnusable) as caught:
        find_python(_system(find=said("", status=2)), "3.14")
    assert caught.value.message == (
        "no Python '3.14' was found; there are: 3.11.2 (/usr/bin/python3), "
        "3.13.0t (/opt/3.13t/bin/python), pypy 3.10.14 (/opt/pypy/bin/pypy)"
    )
    assert "uv python install 3.14" in caught.value.fix


@pytest.mark.parametrize("asked", ["/nowhere/python", "./nothing", "~/no-such-python"])
def test_a_path_that_is_not_there_is_told(asked):
    """Nothing is looked for elsewhere."""
    with pytest.raises(EnvironmentUnusable, match="there is no Python at"):
        find_python(RecordedSystem(), asked)


def test_a_folder_without_a_python_is_told(tmp_path):
    """An empty folder is no environment."""
    with pytest.raises(EnvironmentUnusable, match="is a folder without a Python in it"):
        find_python(RecordedSystem(), str(tmp_path))


@pytest.mark.process
@pytest.mark.parametrize("asked", ["--help", "", "3.12; rm -rf /", "\x00"])
def test_a_hostile_word_is_only_a_word(asked):
    """Options and blanks reach no shell and are not found."""
    with pytest.raises(EnvironmentUnusable):
        find_python(host_system(os.environ), asked)


@given(st.text() | st.recursive(st.none() | st.text(), lambda i: st.lists(i) | st.dictionaries(
    st.sampled_from(["version", "path"]), i)).map(json.dumps))  # fmt: skip
def test_no_text_breaks_the_reader_of_uvs_list(text):
    """Rows that are none are left out."""
    assert all(isinstance(version, str) for version, _ in parse_uv_list(text))
