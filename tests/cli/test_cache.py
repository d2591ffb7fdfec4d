"""`torchdoctor cache`: what is kept, and how to be rid of it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from torchdoctor.core.fs import mark_cached_files_in_use, run_directory
from torchdoctor.fetch import cache_contents, clean_cache

if TYPE_CHECKING:
    from pathlib import Path

NAME = "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"


@pytest.fixture
def wheels(tmp_path) -> Path:
    """A cache with one file and one part."""
    folder = tmp_path / "cache" / "wheels"
    place = folder / "ab" / ("ab" * 32)
    place.mkdir(parents=True)
    (place / NAME).write_bytes(bytes(3000))
    (folder / "partial").mkdir()
    (folder / "partial" / "key.part").write_bytes(bytes(8192))
    (folder / "partial" / "key.journal").write_text("{}")
    return folder


def test_info_lists_what_is_kept(torchdoctor, wheels):
    """The place, the files, and the unfinished downloads."""
    ran = torchdoctor("cache", "info")
    assert ran.status == 0
    assert str(wheels) in ran.out
    assert NAME in ran.out
    assert "unfinished downloads" in ran.out
    document = torchdoctor("cache", "info", "--json").json
    assert [row["filename"] for row in document["files"]] == [NAME]
    assert document["parts"][0]["key"] == "key"


def test_an_empty_cache_is_no_error(torchdoctor):
    """Nothing was fetched yet."""
    assert "0 files" in torchdoctor("cache", "info").out
    assert "removed 0 files" in torchdoctor("cache", "clean").out


def test_clean_removes_all_of_it(torchdoctor, wheels):
    """And the folders that held it."""
    ran = torchdoctor("cache", "clean", "--json")
    assert (ran.json["files"], ran.json["parts"]) == (1, 1)
    assert cache_contents(wheels).size == 0
    assert not (wheels / "ab").exists()


def test_clean_leaves_what_a_run_at_work_relies_on(wheels):
    """That run would find its file gone when it comes to install it."""
    with run_directory(wheels.parent) as work:
        mark_cached_files_in_use(work, [NAME])
        assert clean_cache(wheels).busy == (NAME,)
        assert [row.path.name for row in cache_contents(wheels).files] == [NAME]
    assert clean_cache(wheels).files == 1


def test_clean_can_leave_what_came_whole(wheels):
    """Only the parts."""
    clean_cache(wheels, parts_only=True)
    found = cache_contents(wheels)
    assert (len(found.files), len(found.parts)) == (1, 0)


def test_clean_can_leave_what_is_young(wheels):
    """By when it was fetched."""
    assert clean_cache(wheels, older_than=3600).files == 0
    old = time.time() - 7200
    for path in wheels.rglob("*.whl"):
        os.utime(path, (old, old))
    assert clean_cache(wheels, older_than=3600).files == 1


def test_clean_leaves_a_file_that_is_being_fetched(wheels):
    """Another process holds its lock."""
    with FileLock(wheels / "partial" / "key.lock"):
        assert clean_cache(wheels).busy == ("key",)
    assert len(cache_contents(wheels).parts) == 1
