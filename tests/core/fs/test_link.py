"""A file gets a second name, or is copied where that cannot be."""

from __future__ import annotations

import os
import sys

import pytest

from torchdoctor.core.fs import link_or_copy, symlink_or_copy

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs the right to make symbolic links")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_text("content")
    return path


@pytest.fixture
def no_links(monkeypatch):
    """A file system without hard links."""

    def refuse(*_names, **_options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)


def test_a_file_is_linked(source, tmp_path):
    """Both names are the same file."""
    link_or_copy(source, tmp_path / "target")
    assert (tmp_path / "target").samefile(source)


def test_a_file_that_cannot_be_linked_is_copied(source, tmp_path, no_links):
    """The copy has the same content and is another file."""
    link_or_copy(source, tmp_path / "target")
    assert (tmp_path / "target").read_text() == "content"
    assert not (tmp_path / "target").samefile(source)


@pytest.mark.parametrize("follow", [False, True])
def test_a_symbolic_link_is_followed_on_request_only(source, tmp_path, follow):
    """Else the link itself gets the second name."""
    (tmp_path / "link").symlink_to(source)
    link_or_copy(tmp_path / "link", tmp_path / "target", follow_symlinks=follow)
    assert (tmp_path / "target").is_symlink() is not follow
    assert (tmp_path / "target").read_text() == "content"


def test_an_existing_target_is_kept(source, tmp_path):
    """It is not written through: other names of that file would change too."""
    (tmp_path / "target").write_text("other")
    for link in (link_or_copy, symlink_or_copy):
        with pytest.raises(FileExistsError):
            link(source, tmp_path / "target")
    assert (tmp_path / "target").read_text() == "other"


def test_a_symbolic_link_is_made_where_the_system_allows_it(source, tmp_path):
    """The target leads to the source."""
    symlink_or_copy(source, tmp_path / "target")
    assert (tmp_path / "target").readlink() == source


def test_a_hard_link_stands_in_for_a_symbolic_link(source, tmp_path, monkeypatch):
    """Windows without the privilege."""

    def refuse(*_arguments, **_options):
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(os, "symlink", refuse)
    symlink_or_copy(source, tmp_path / "target")
    assert not (tmp_path / "target").is_symlink()
    assert (tmp_path / "target").samefile(source)
