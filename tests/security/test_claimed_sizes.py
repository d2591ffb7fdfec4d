"""A size that only a server gives takes no space of the disk, and stands in the way of no honest server."""

from __future__ import annotations

import errno
import shutil
from typing import NamedTuple

import pytest

from tests.faults import Fault
from tests.fetch.conftest import NAME, WHEEL, fetcher, server
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.transfer import size
from torchdoctor.fetch.transfer.partial_file import PartialFile

__all__ = ["fetcher", "server"]

HUGE = 10 << 30


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def disk_of(monkeypatch, free):
    """A disk with so many bytes free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(2 * free, free, free))


def taken(folder):
    """Bytes of the disk that files in a folder take, whatever size they say."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def refused(fetcher, wheel, **more):
    with pytest.raises(SourceFailed) as caught:
        fetcher(wheel, **more)
    return caught.value


@pytest.mark.parametrize("ranges", [True, False])
def test_a_size_of_10_gb_reserves_nothing_and_an_honest_run_follows(fetcher, monkeypatch, ranges):
    """A `Content-Range: bytes 0-1048575/10737418240`, or such a Content-Length, for a file of 6 MB."""
    disk_of(monkeypatch, 2 * HUGE)
    fetcher.server.fault = lambda _: Fault(lie="huge", ranges=ranges)
    refused(fetcher, fetcher.locked(size=None))
    assert taken(fetcher.cache) < 2 * len(WHEEL)
    fetcher.server.fault = lambda _: Fault()
    assert fetcher(fetcher.locked(size=None)).size == len(WHEEL)
    assert fetcher.left_over() == []


def test_a_size_that_does_not_fit_is_refused_before_anything_is_written(fetcher, monkeypatch):
    """The room that there is is said."""
    disk_of(monkeypatch, HUGE // 2)
    fetcher.server.fault = lambda _: Fault(lie="huge")
    assert "10.7 GB or more" in refused(fetcher, fetcher.locked(size=None)).message
    assert fetcher.left_over() == []


def test_a_file_without_an_end_is_given_up_and_removed(fetcher, monkeypatch):
    """Neither length nor ranges: it is read as far as there is room for it and for its copy."""
    disk_of(monkeypatch, len(WHEEL))
    fetcher.server.fault = lambda _: Fault(ranges=False, lengthless=True)
    assert "there is room for" in refused(fetcher, fetcher.locked(size=None)).message
    assert fetcher.left_over() == []


def test_no_size_beyond_every_wheel_is_believed(tmp_path, monkeypatch):
    """However large the disk is; what remembers the parts of such a file would not fit into memory."""
    disk_of(monkeypatch, 1 << 60)
    assert size.room_for_unvouched(tmp_path) == 32 << 30


@pytest.mark.parametrize("first", ["mirror", "own"])
def test_a_mirror_that_lies_about_the_size_does_not_keep_the_file_away(fetcher, monkeypatch, first):
    """Whichever is asked first; the place that the index names decides."""
    disk_of(monkeypatch, 2 * HUGE)
    fetcher.server.files[f"/mirror/{NAME}"] = WHEEL
    fetcher.server.fault = lambda seen: Fault(lie="huge") if seen.path.startswith("/mirror") else Fault()
    own = fetcher.locked(size=None)
    if first == "own":
        fetcher.server.fault = lambda seen: Fault(
            lie="huge" if "mirror" in seen.path else None, latency=0.0 if "mirror" not in seen.path else 0.2
        )
    assert fetcher(own, mirrors=[f"{fetcher.server.url}/mirror/{NAME}"]).size == len(WHEEL)


def test_what_a_liar_left_does_not_stand_in_the_way_of_several_honest_places(fetcher, monkeypatch):
    """A part of the wrong size with a journal that fits it."""
    disk_of(monkeypatch, 2 * HUGE)
    wheel = fetcher.locked(size=None)
    folder = fetcher.cache / "partial"
    folder.mkdir(parents=True)
    part = PartialFile.create(
        folder / f"{wheel.sha256}.part", folder / f"{wheel.sha256}.journal", HUGE, reserve=False
    )
    part.write(0, b"x" * (1 << 16))
    part.close()
    fetcher.server.files[f"/mirror/{NAME}"] = WHEEL
    assert fetcher(wheel, mirrors=[f"{fetcher.server.url}/mirror/{NAME}"]).size == len(WHEEL)


def test_space_is_looked_for_before_it_is_reserved(tmp_path, monkeypatch):
    """A reservation that fails half way leaves the disk full."""
    disk_of(monkeypatch, 1 << 20)
    with pytest.raises(OSError) as caught:  # noqa: PT011  (its number is what counts)
        PartialFile.create(tmp_path / "a.part", tmp_path / "a.journal", 1 << 21)
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def test_space_that_was_reserved_in_vain_is_given_back(tmp_path):
    """A fetch that fails leaves what has arrived, and no more."""
    part = PartialFile.create(tmp_path / "a.part", tmp_path / "a.journal", 8 << 20)
    part.write(0, b"x" * (1 << 16))
    part.give_back_space()
    part.close()
    status = (tmp_path / "a.part").stat()
    assert (status.st_size, status.st_blocks * 512 < 1 << 20) == (8 << 20, True)
