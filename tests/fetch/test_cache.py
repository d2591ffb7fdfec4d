"""The cache of wheels: what it holds, and what is removed from it."""

from __future__ import annotations

import os
import time

import pytest
from filelock import FileLock

from torchdoctor.core.fs import mark_cached_files_in_use, run_directory
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch import cache_contents, clean_cache, wheelhouse
from torchdoctor.fetch.cache import cached_path


@pytest.fixture
def cache(tmp_path):
    """A cache with a small and a large wheel, and a partial download."""
    folder = tmp_path / "wheels"
    for digit, size in (("a", 10), ("b", 20)):
        path = cached_path(folder, digit * 64, f"{digit}-1-py3-none-any.whl")
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(size))
    (folder / "partial").mkdir()
    for suffix in ("part", "journal"):
        (folder / "partial" / f"{'c' * 64}.{suffix}").write_bytes(b"12345")
    return folder


def test_the_contents_are_wheels_and_partial_downloads_the_largest_first(cache):
    """A partial file and its journal are one download."""
    contents = cache_contents(cache)
    assert [file.size for file in contents.files] == [20, 10]
    assert [len(part.paths) for part in contents.parts] == [2]
    assert contents.size == 30 + contents.parts[0].size


def test_a_cache_that_does_not_exist_is_empty(tmp_path):
    """There is nothing to remove either."""
    assert cache_contents(tmp_path / "nowhere").size == 0
    assert clean_cache(tmp_path / "nowhere").files == 0


def test_everything_is_removed_with_its_folders(cache):
    """What was removed is counted."""
    cleaned = clean_cache(cache)
    assert (cleaned.files, cleaned.parts, cleaned.busy) == (2, 1, ())
    assert cache_contents(cache).size == 0
    assert [path.name for path in cache.iterdir()] == ["partial"]


def test_wheels_stay_when_only_partial_downloads_are_removed(cache):
    """They are complete."""
    cleaned = clean_cache(cache, parts_only=True)
    assert (cleaned.files, cleaned.parts) == (0, 1)
    assert len(cache_contents(cache).files) == 2


def test_what_is_new_stays(cache):
    """Only what is older than the limit is removed."""
    old = time.time() - 1000
    path = cached_path(cache, "a" * 64, "a-1-py3-none-any.whl")
    os.utime(path, (old, old))
    assert clean_cache(cache, older_than=500).files == 1
    assert not path.exists()


def test_a_download_at_work_is_left_alone(cache):
    """Its process holds the lock."""
    with FileLock(cache / "partial" / f"{'c' * 64}.lock"):
        cleaned = clean_cache(cache)
    assert cleaned.busy == ("c" * 64,)
    assert len(cache_contents(cache).parts) == 1


def test_a_wheel_that_a_run_relies_on_is_left_alone(cache):
    """The run may be about to install it."""
    with run_directory(cache.parent) as folder:
        mark_cached_files_in_use(folder, ["a-1-py3-none-any.whl"])
        cleaned = clean_cache(cache)
    assert cleaned.busy == ("a-1-py3-none-any.whl",)
    assert cleaned.files == 1


def test_a_cached_wheel_that_cannot_be_read_is_an_error_of_the_cache(cache, fetcher, monkeypatch):
    """It names the cache, and is no crash."""

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(wheelhouse, "sha256_of", refuse)
    wheel = fetcher.locked()
    path = cached_path(fetcher.cache, wheel.sha256, wheel.filename)
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(SourceFailed, match="Permission denied") as caught:
        fetcher()
    assert caught.value.code == "cache"
