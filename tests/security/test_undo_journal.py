"""What an interrupted change left in an environment of somebody else's making leads nowhere outside of it."""

from __future__ import annotations

import json
import sys

import pytest

from torchdoctor.errors import InstallFailed
from torchdoctor.install.in_place import UNDO_FOLDER, undo_change

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes links")


@pytest.fixture
def env(tmp_path):
    folder = tmp_path / "env"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib64").symlink_to("lib")
    (tmp_path / "outside").mkdir()
    return folder


def leave(env, old=(), fresh=()):
    """Write the journal."""
    undo = env / UNDO_FOLDER
    undo.mkdir(exist_ok=True)
    (undo / "journal.json").write_text(json.dumps({"schema": 1, "old": old, "fresh": fresh}), "utf-8")


def test_a_link_that_is_put_back_does_not_lead_the_next_file_outside(env, tmp_path):
    """`lib64` is `lib`: the link of the first row would be the folder of the second."""
    kept = env / UNDO_FOLDER / "files"
    (kept / "lib" / "a").mkdir(parents=True)
    (kept / "lib64").mkdir()
    (kept / "lib64" / "a").symlink_to(tmp_path / "outside")
    (kept / "lib" / "a" / "f").write_text("evil", "utf-8")
    leave(env, old=["lib64/a", "lib/a/f"])
    with pytest.raises(InstallFailed) as caught:
        undo_change(env)
    assert caught.value.code == "bad-journal"
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_kept_file_is_not_read_through_a_link(env, tmp_path):
    """The folder of what was kept leads to one of the user's."""
    kept = env / UNDO_FOLDER / "files"
    kept.mkdir(parents=True)
    (tmp_path / "outside" / "secret").write_text("secret", "utf-8")
    (kept / "lib").symlink_to(tmp_path / "outside")
    leave(env, old=["lib/secret"])
    with pytest.raises(InstallFailed):
        undo_change(env)
    assert not (env / "lib" / "secret").exists()


@pytest.mark.parametrize("name", ["lib/x/*.py", "lib/x/a.py"])
def test_no_bytecode_is_removed_through_a_link(env, tmp_path, name):
    """`__pycache__` leads outside, and a name can hold signs of a pattern."""
    for compiled in ("a.cpython-311.pyc", "b.cpython-311.pyc"):
        (tmp_path / "outside" / compiled).write_text("", "utf-8")
    (env / "lib" / "x").mkdir()
    (env / "lib" / "x" / "__pycache__").symlink_to(tmp_path / "outside")
    leave(env, fresh=[name])
    assert undo_change(env)
    assert len(list((tmp_path / "outside").iterdir())) == 2
