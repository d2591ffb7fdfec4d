"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
import sys

import pytest

from torchdoctor.core.fs import SHARED_MODE, atomic_write

posix = pytest.mark.skipif(sys.platform == "win32", reason="rights and links of files")


@pytest.mark.parametrize("durable", [False, True])
def test_the_content_replaces_the_old_file(tmp_path, durable):
    """Text keeps its line ends and nothing else is left in the folder."""
    path = tmp_path / "file"
    path.write_text("old")
    atomic_write(path, "ümlaut\r\n", durable=durable)
    assert path.read_bytes() == "ümlaut\r\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    """Where the disk refuses the new file, the old one stays and no part is left."""
    path = tmp_path / "file"
    path.write_text("old")

    def refuse(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        atomic_write(path, "new", durable=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_other_links_of_the_old_file_keep_its_content(tmp_path):
    """A hard link of the old file is not written through."""
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("old")
    os.link(path, link)
    atomic_write(path, b"new")
    assert (path.read_text(), link.read_text()) == ("new", "old")


@posix
def test_a_file_is_private_unless_it_is_shared(tmp_path):
    """Only the user may read it by default; a shared one has the rights of any new file."""
    old = os.umask(0o022)
    try:
        atomic_write(tmp_path / "private", "")
        atomic_write(tmp_path / "shared", "", mode=SHARED_MODE)
    finally:
        os.umask(old)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("private", "shared")]
    assert modes == [0o600, 0o644]
