"""Sizes that no index gives are asked of the servers, and read of local files."""

from __future__ import annotations

import hashlib

import pytest

from tests.loopback import LoopbackIndex
from torchdoctor.lock import Lock, LockedWheel
from torchdoctor.lock.sizes import with_sizes


def wheel(url, **known):
    return LockedWheel(
        **{
            "name": "a",
            "version": "1",
            "filename": "a.whl",
            "url": url,
            "sha256": None,
            "size": None,
            **known,
        }
    )


@pytest.fixture
def index():
    with LoopbackIndex() as served:
        served.files["/a.whl"] = b"x" * 1234
        yield served


def test_a_server_gives_the_size(index):
    """In its headers."""
    lock = with_sizes(Lock(wheels=(wheel(f"{index.url}/a.whl"),)))
    assert lock.wheels[0].size == 1234
    assert lock.wheels[0].sha256 is None


def test_a_known_size_is_not_asked_for(index):
    """The index gave it."""
    assert with_sizes(Lock(wheels=(wheel(f"{index.url}/a.whl", size=5),))).wheels[0].size == 5
    assert index.seen == []


def test_a_server_that_gives_none_leaves_it_open(index):
    """Neither an error page nor a dead server is a size."""
    wheels = (wheel(f"{index.url}/other.whl"), wheel("http://127.0.0.1:9/a.whl"))
    assert [found.size for found in with_sizes(Lock(wheels=wheels)).wheels] == [None, None]


def test_a_local_file_gives_size_and_hash(tmp_path):
    """A hash that is known already stays."""
    path = tmp_path / "a.whl"
    path.write_bytes(b"content")
    wheels = (wheel(path.as_uri()), wheel(path.as_uri(), sha256="b" * 64))
    first, second = with_sizes(Lock(wheels=wheels)).wheels
    assert (first.size, first.sha256) == (7, hashlib.sha256(b"content").hexdigest())
    assert second.sha256 == "b" * 64
