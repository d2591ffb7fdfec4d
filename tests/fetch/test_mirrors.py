"""A locked wheel is looked up on mirrors."""

from __future__ import annotations

import pytest

from torchdoctor.fetch import mirrors
from torchdoctor.fetch.mirrors import MirrorLookup
from torchdoctor.lock import LockedWheel
from torchdoctor.sources import Source
from wheels_index import Wheel

NAME = "torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl"
OWN = f"https://download.pytorch.org/whl/cpu/{NAME}"
SHA256 = "a" * 64


class Listing:
    """A mirror that lists the wheel with the hash that its name says."""

    def __init__(self, source):
        self.sha256 = {"right": SHA256, "wrong": "b" * 64, "silent": None}.get(source.name)
        self.url = f"https://{source.name}/{NAME}"

    def wheels(self, name, variant):
        assert (name, variant) == ("torch", "cpu")
        return (
            []
            if self.url.startswith("https://empty")
            else [Wheel.from_filename(NAME, url=self.url, sha256=self.sha256)]
        )


@pytest.fixture
def look_up(monkeypatch):
    """Looks the wheel up on mirrors of these names; the measured order is the given one."""
    monkeypatch.setattr(mirrors, "SourceListing", Listing)
    monkeypatch.setattr(mirrors, "measure_all", tuple)
    monkeypatch.setattr(mirrors, "fastest", tuple)

    def look_up(*names, size=100_000_000, sha256=SHA256, filename=NAME):
        wheel = LockedWheel(
            name="torch", version="2.13.0+cpu", filename=filename, url=OWN, sha256=sha256, size=size
        )
        sources = [
            Source(name=name, layout="pytorch", url=f"https://{name}", origin="--mirror") for name in names
        ]
        return MirrorLookup(sources)(wheel)

    return look_up


def test_a_mirror_with_the_same_file_is_used(look_up):
    """With the file's own URL; a mirror without hashes may have it."""
    assert look_up("right", "silent") == (OWN, f"https://right/{NAME}", f"https://silent/{NAME}")


def test_a_mirror_with_another_file_or_none_is_left_out(look_up):
    """Its own URL alone needs no lookup."""
    assert look_up("wrong", "empty") == ()


def test_a_small_file_is_not_looked_up(look_up):
    """It has arrived before its mirrors are measured."""
    assert look_up("right", size=1000) == ()


def test_a_file_without_a_hash_is_not_looked_up(look_up):
    """Nothing would say whether the mirror's file is the same."""
    assert look_up("right", sha256=None) == ()
