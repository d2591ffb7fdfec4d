"""Files that their index lists without a hash are found."""

from __future__ import annotations

import pytest

from tests.loopback import LoopbackIndex
from tests.wheelmaker import make_wheel
from torchdoctor.lock import Lock, LockedWheel
from torchdoctor.lock.missing_hashes import MissingHashCheck
from torchdoctor.sources import Source, Sources

NAME, CONTENT = make_wheel("needed", "1.0", tag="py3-none-any")


@pytest.fixture
def index():
    with LoopbackIndex() as served:
        yield served


def found(index, *, digest, offline=False, known=(), **fields):
    """The names of the files of a lock of one wheel that are found to be without a hash."""
    path = index.add("/simple/needed/", NAME, CONTENT, digest=digest)
    wheel = LockedWheel(
        **{
            "name": "needed", "version": "1.0", "filename": NAME, "url": f"{index.url}{path}", "sha256": "a" * 64,
            "size": None, **fields,
        }
    )  # fmt: skip
    source = Source(name="index", url=f"{index.url}/simple", layout="simple", origin="a test")
    sources = Sources(torch=(), indexes=(), default_index=source, find_links=())
    check = MissingHashCheck(Lock(wheels=(wheel,)), sources, known=known, offline=offline)
    return [wheel.filename for wheel in check.found()]


def test_a_file_listed_without_a_hash_is_found(index):
    """uv locked the hash of its own download."""
    assert found(index, digest=None) == [NAME]


def test_a_file_listed_with_a_hash_is_not(index):
    """The index answers for it."""
    assert found(index, digest="right") == []


@pytest.mark.parametrize(
    "fields",
    [{"size": 1}, {"url": "file:///x/needed-1.0-py3-none-any.whl"}, {"known": (NAME,)}, {"offline": True}],
    ids=["with a size", "local", "known", "offline"],
)
def test_no_page_is_read_for_a_file_that_needs_none(index, fields):
    """JSON indexes give sizes and hashes; files of the plan are known; offline nothing is read."""
    assert found(index, digest=None, **fields) == []
    assert index.seen == []


def test_a_page_that_cannot_be_read_says_nothing(index):
    """It is no proof that there is no hash."""
    assert found(index, digest=None, name="elsewhere") == []
