"""A run has a folder of its own; folders of killed runs are removed."""

from __future__ import annotations

import os
import stat
import sys
import time

import pytest

from torchdoctor.core.fs import cached_files_in_use, mark_cached_files_in_use, run_directory
from torchdoctor.errors import SourceFailed


def test_the_folder_is_private_and_gone_afterwards(tmp_path):
    """Only this user may read it while the run is at work."""
    with run_directory(tmp_path) as folder:
        assert folder.is_dir()
        if sys.platform != "win32":
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list((tmp_path / "work").iterdir()) == []


def test_the_folder_of_a_killed_run_is_removed_by_the_next(tmp_path):
    """Its lock is free; the folder of a run that is at work stays."""
    killed = tmp_path / "work" / "run-killed"
    killed.mkdir(parents=True)
    killed.with_suffix(".lock").touch()
    with run_directory(tmp_path) as first, run_directory(tmp_path):
        assert not killed.exists()
        assert first.exists()


def test_a_folder_without_a_lock_is_removed_when_it_is_old(tmp_path):
    """A young one may belong to a run that is about to begin."""
    for name, age in (("run-old", 25 * 3600), ("run-young", 3600)):
        (tmp_path / "work" / name).mkdir(parents=True)
        os.utime(tmp_path / "work" / name, (time.time() - age,) * 2)
    with run_directory(tmp_path):
        assert not (tmp_path / "work" / "run-old").exists()
        assert (tmp_path / "work" / "run-young").exists()


def test_files_in_use_are_those_of_runs_at_work(tmp_path):
    """They are free when the run has ended."""
    with run_directory(tmp_path) as folder:
        mark_cached_files_in_use(folder, ["a.whl"])
        mark_cached_files_in_use(folder, ["b.whl"])
        assert cached_files_in_use(tmp_path) == {"a.whl", "b.whl"}
    assert cached_files_in_use(tmp_path) == frozenset()


def test_a_cache_that_cannot_be_used_says_how_to_name_another(tmp_path):
    """A file stands in its place."""
    (tmp_path / "cache").touch()
    with pytest.raises(SourceFailed, match="cannot be used") as raised, run_directory(tmp_path / "cache"):
        pass
    assert "TORCHDOCTOR_CACHE_DIR" in raised.value.fix
