"""A spec is put in its place whole, and what a killed run left is cleared."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from pathlib import Path

import pytest

from torchdoctor.errors import KernelFailed
from torchdoctor.kernel.write import refuse_unwritable_destination, remove_spec, staging_spec

NEW = {"argv": ["new"], "display_name": "New", "language": "python"}


def names(folder):
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_stage_that_is_not_put_leaves_nothing(tmp_path):
    """The proof failed: the folder of kernels is as it was."""
    with staging_spec(tmp_path / "kernels" / "a") as stage:
        stage.write(NEW)
        assert not list(tmp_path.glob("kernels/*/kernel.json"))
    assert names(tmp_path / "kernels") == []


def test_an_exception_in_between_leaves_the_old_spec(tmp_path):
    """As when Ctrl-C comes while the cells run."""
    folder = tmp_path / "kernels" / "a"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text('{"argv": ["old"]}')
    with contextlib.suppress(KeyboardInterrupt), staging_spec(folder) as stage:
        stage.write(NEW)
        raise KeyboardInterrupt
    assert (folder / "kernel.json").read_text() == '{"argv": ["old"]}'
    assert names(tmp_path / "kernels") == ["a"]


def test_kernel_json_is_the_last_to_change(tmp_path, monkeypatch):
    """Stopped while the logos are put: the old command still stands, whole."""
    folder = tmp_path / "kernels" / "a"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text('{"argv": ["old"]}')
    put = []

    def replace(path, target):
        put.append(path.name)
        if len(put) == 2:
            raise OSError(28, "No space left on device")
        os.replace(path, target)  # noqa: PTH105  (the method is what is replaced here)

    monkeypatch.setattr(type(folder), "replace", replace)
    with staging_spec(folder) as stage:
        stage.write(NEW)
        with pytest.raises(KernelFailed, match="No space left"):
            stage.put()
    assert "kernel.json" not in put
    assert (folder / "kernel.json").read_text() == '{"argv": ["old"]}'


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    """The kernel that someone develops elsewhere is not written into."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kernel.json").write_text("{}")
    folder = tmp_path / "kernels" / "a"
    folder.parent.mkdir()
    folder.symlink_to(elsewhere)
    with staging_spec(folder) as stage:
        stage.write(NEW)
        stage.put()
    assert not folder.is_symlink()
    assert json.loads((folder / "kernel.json").read_text()) == NEW
    assert (elsewhere / "kernel.json").read_text() == "{}"


def test_what_a_killed_run_left_is_cleared_after_a_day(tmp_path):
    """And not what a run beside this one is making."""
    for name in (".torchdoctor-old", ".torchdoctor-now", ".other"):
        (tmp_path / name).mkdir()
    for name in (".torchdoctor-old", ".other"):
        os.utime(tmp_path / name, (time.time() - 100_000,) * 2)
    with staging_spec(tmp_path / "a"):
        assert (tmp_path / ".torchdoctor-now").exists()
        assert not (tmp_path / ".torchdoctor-old").exists()
        assert (tmp_path / ".other").exists()


def test_a_spec_that_is_removed_leaves_its_neighbours(tmp_path):
    """Only its own folder goes."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kernel.json").write_text("{}")
    remove_spec(tmp_path / "a")
    assert names(tmp_path) == ["b"]


@contextlib.contextmanager
def another_user():
    """Act as a user without rights: root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="users change only where the system has setresuid")
@pytest.mark.parametrize(("mode", "words"), [(0o555, "cannot be written to"), (0o000, "Permission denied")])
def test_a_folder_without_the_right_to_write_or_to_look_is_named(mode, words):
    """Before anything is done for it."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, mode)  # noqa: PTH101
        with another_user(), pytest.raises(KernelFailed, match=words):
            refuse_unwritable_destination(Path(place) / "kernels" / "a")
        os.chmod(place, 0o755)  # noqa: PTH101, S103


def test_a_removal_that_the_system_refuses_is_named(tmp_path):
    """The system's own words, and no traceback."""
    with pytest.raises(KernelFailed, match="No such file"):
        remove_spec(tmp_path / "gone")
