"""What is at the path of an environment, and whether we may change it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.install import inspect_location
from torchdoctor.install.location import (
    interpreter_of,
    must_change_in_place,
    refuse_unwritable,
    unwritable_ancestor,
)


def environment(folder, *marks):
    """Make what looks like an environment with these files."""
    for mark in marks:
        (folder / mark).parent.mkdir(parents=True, exist_ok=True)
        (folder / mark).touch()
    interpreter_of(folder).parent.mkdir(parents=True, exist_ok=True)
    interpreter_of(folder).symlink_to(sys.executable)
    return folder


def test_nothing_and_an_empty_folder_are_places_for_a_new_environment(tmp_path):
    """The empty folder is replaced."""
    assert inspect_location(tmp_path / "env") == "new"
    assert inspect_location(tmp_path) == "empty"


@pytest.mark.parametrize(("mark", "kind"), [("pyvenv.cfg", "venv"), ("conda-meta/history", "conda")])
def test_an_environment_is_known_by_its_mark(tmp_path, mark, kind):
    """A venv has pyvenv.cfg, conda's has conda-meta."""
    assert inspect_location(environment(tmp_path, mark)) == kind


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        (("thesis.txt",), "not-a-venv"),
        (("lib/python3.11/EXTERNALLY-MANAGED",), "externally-managed"),
        (("conda-meta/frozen",), "externally-managed"),
    ],
)
def test_what_is_not_ours_to_change_is_refused(tmp_path, marks, reason):
    """With the reason."""
    with pytest.raises(EnvironmentUnusable) as caught:
        inspect_location(environment(tmp_path, *marks))
    assert caught.value.code == reason


@pytest.mark.parametrize(("mark", "reason"), [("pyvenv.cfg", "broken-venv"), ("conda-meta/history", "conda")])
def test_an_environment_without_a_python_is_refused(tmp_path, mark, reason):
    """Its interpreter was removed."""
    interpreter_of(environment(tmp_path, mark)).unlink()
    with pytest.raises(EnvironmentUnusable) as caught:
        inspect_location(tmp_path)
    assert caught.value.code == reason


def test_a_file_is_no_place_for_an_environment(tmp_path):
    """Nor is a link to nowhere."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(EnvironmentUnusable, match="is not a folder"):
            inspect_location(tmp_path / name)


def test_condas_environment_is_changed_where_it_is(tmp_path):
    """A venv in a folder of the user's own is replaced."""
    assert must_change_in_place(tmp_path, "conda")
    assert not must_change_in_place(tmp_path, "venv")
    assert not must_change_in_place(tmp_path, "new")


def test_a_writable_folder_has_no_unwritable_ancestor(tmp_path):
    """However deep the path below it is."""
    assert unwritable_ancestor(tmp_path / "a" / "b") is None


@pytest.mark.process
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a mount namespace is Linux's")
def test_a_file_system_from_which_nothing_runs_is_refused(tmp_path):
    """A real one of memory, mounted noexec in a namespace of its own; one that may run programs is not refused."""
    code = (
        "import sys; from pathlib import Path; from torchdoctor.errors import InstallFailed\n"
        "from torchdoctor.install.location import refuse_unwritable\n"
        "try:\n    refuse_unwritable(Path(sys.argv[1], 'a', 'env'), 'new')\n"
        "except InstallFailed as error:\n    print(error.code)"
    )
    shell = f'mount -t tmpfs -o noexec none {tmp_path} && "$0" -c "$1" {tmp_path}'
    ran = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", shell, sys.executable, code],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if ran.returncode:
        pytest.skip(f"a mount namespace may not be made here: {ran.stderr[-200:]}")
    assert ran.stdout == "noexec\n"
    refuse_unwritable(tmp_path / "a" / "env", "new")
