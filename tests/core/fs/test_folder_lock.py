"""A folder in use is known to others until its user lets it go or ends."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest

from torchdoctor.core.fs import hold_folder_lock, is_locked_by_other, locks_to_inherit

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot lock a folder")


def test_a_held_folder_is_known_to_others_until_it_is_let_go(tmp_path):
    """Also where the work in it fails."""
    with contextlib.suppress(ZeroDivisionError), hold_folder_lock(tmp_path):
        assert is_locked_by_other(tmp_path)
        raise ZeroDivisionError
    assert not is_locked_by_other(tmp_path)


@pytest.mark.process
def test_the_end_of_a_process_lets_its_folder_go(tmp_path):
    """However it ends."""
    code = (
        "import os, sys; from pathlib import Path; from torchdoctor.core.fs import hold_folder_lock\n"
        "with hold_folder_lock(Path(sys.argv[1])): print('held', flush=True); input(); os._exit(1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        assert is_locked_by_other(tmp_path)
        process.communicate("\n")
    assert not is_locked_by_other(tmp_path)


def test_a_folder_that_is_missing_is_not_held(tmp_path):
    """Nor can it be held, and nothing is raised."""
    with hold_folder_lock(tmp_path / "nowhere"):
        assert not is_locked_by_other(tmp_path / "nowhere")


@pytest.mark.process
def test_a_process_that_inherits_a_lock_holds_it_when_the_first_one_is_gone(tmp_path):
    """uv outlives a program that was killed, and is still at work in the folder."""
    with hold_folder_lock(tmp_path, inherited=True):
        left = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=locks_to_inherit()
        )
    assert is_locked_by_other(tmp_path)
    left.communicate(b"\n")
    assert not is_locked_by_other(tmp_path)
    assert locks_to_inherit() == ()
