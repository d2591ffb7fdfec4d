"""What was written is on the disk afterwards, or the error says which file is not."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

import pytest

from torchdoctor.core.fs import sync_directory, sync_filesystem, sync_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows orders writes and renames itself")


@pytest.fixture
def tree(tmp_path):
    """A tree with files, folders, and a link that leads out of it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "others.txt").touch()
    tree = tmp_path / "tree"
    (tree / "package" / "deep").mkdir(parents=True)
    for number in range(200):
        (tree / "package" / f"{number}.py").touch()
    (tree / "package" / "deep" / "file").touch()
    (tree / "link").symlink_to(outside)
    return tree


@pytest.fixture
def synced(monkeypatch):
    """The paths that were flushed, in their order."""
    paths = []
    real = os.fsync

    def fsync(handle):
        paths.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return paths


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc and syncfs")


@linux
def test_every_file_of_the_tree_is_flushed_and_no_other(tree, synced):
    """Files first, then the folders with their names; a link is not followed."""
    sync_tree(tree)
    inside = [tree, *tree.rglob("*")]
    files = {str(path) for path in inside if path.is_file() and not path.is_symlink()}
    folders = {str(path) for path in inside if path.is_dir() and not path.is_symlink()}
    assert set(synced[: len(files)]) == files
    assert sorted(synced[len(files) :]) == sorted(folders)


def test_a_disk_that_refuses_a_file_is_an_error(tree, monkeypatch):
    """The environment must not be renamed into place then; the error names the file."""
    real = os.fsync

    def fsync(handle):
        if os.fstat(handle).st_ino == (tree / "package" / "7.py").stat().st_ino:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output error") as raised:
        sync_tree(tree)
    assert raised.value.filename == str(tree / "package" / "7.py")


def test_a_file_system_that_cannot_flush_folders_is_no_error(tree, monkeypatch):
    """Some network file systems refuse it."""

    def fsync(_handle):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", fsync)
    sync_tree(tree)
    sync_directory(tree)


@linux
def test_a_file_system_that_refuses_is_an_error(tmp_path, monkeypatch):
    """The status of syncfs is read, with the number of the error."""

    class Library:
        def __init__(self, *_arguments, **_options):
            pass

        @staticmethod
        def syncfs(_handle):
            ctypes.set_errno(errno.EIO)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", Library)
    with pytest.raises(OSError, match="Input/output error") as raised:
        sync_filesystem(tmp_path)
    assert raised.value.errno == errno.EIO


def test_a_working_disk_is_no_error(tree):
    """Nothing is returned and nothing raised."""
    sync_filesystem(tree)
    sync_directory(tree)
