"""Names that mean a known file, of a place that nobody trusts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.security.test_lock_facts import EVIL, TAGGED, other_spellings
from torchdoctor.core.net import Page
from torchdoctor.sources.listing import SourceListing
from torchdoctor.sources.source import OFFICIAL, Source
from torchdoctor.sources.vouched_files import VouchedFiles, known_hashes
from wheels_index import Wheel, bundled

if TYPE_CHECKING:
    from collections.abc import Sequence

MIRROR = Source(name="mirror", url="https://mirror.example.org/whl", layout="pytorch", origin="--mirror")
NEW = "torch-2.99.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl"


def vouched_by(*official: str) -> VouchedFiles:
    """Facts, and the official index with these files, which have the hash of TAGGED."""
    links = "".join(f'<a href="/whl/{name}#sha256={TAGGED.sha256}">x</a>' for name in official)

    def read(url: str) -> Page:
        return Page(url=url, body=links.encode(), content_type="text/html", etag=None, last_modified=None)

    return VouchedFiles(facts=bundled(), official=(SourceListing(source=OFFICIAL, read=read),), pypi=None)


def named(name: str, sha256: str | None) -> Wheel:
    """The file as the mirror lists it."""
    return Wheel.from_filename(name, url=f"https://mirror.example.org/{name}", sha256=sha256)


@pytest.mark.parametrize("original", [TAGGED.filename, NEW], ids=["facts", "official"])
def test_another_spelling_is_held_to_the_hash_of_what_it_means(original: str) -> None:
    """Whether the facts know the file or the official index is asked; the user is not asked to vouch for it."""
    for name in [original, *other_spellings(original)]:
        files = vouched_by(original)
        assert files.verdict(MIRROR, named(name, EVIL)).answer == "contradicted", name
        assert files.verdict(MIRROR, named(name, TAGGED.sha256)).answer == "vouched", name
        assert files.verdict(MIRROR, named(name, None)).sha256 == TAGGED.sha256, name


def spellings(count: int) -> Sequence[str]:
    """As many names of one file."""
    project, rest = TAGGED.filename.split("-", 1)
    return [f"{project}-0!{rest}"] + [
        TAGGED.filename.replace("-manylinux", f"-any{number}.manylinux", 1) for number in range(count)
    ]


def test_many_spellings_of_one_name_are_each_held_to_it() -> None:
    """A page can have thousands."""
    wheels = [named(name, EVIL) for name in spellings(200)]
    assert {known_hashes(bundled(), wheel) for wheel in wheels} == {frozenset({TAGGED.sha256})}


def test_another_build_number_is_another_file() -> None:
    """It stands before the file that it imitates, so nobody vouches for it."""
    name = TAGGED.filename.replace("-cp", "-1-cp", 1)
    assert known_hashes(bundled(), replace(named(name, EVIL))) == frozenset()
    assert vouched_by(TAGGED.filename).verdict(MIRROR, named(name, EVIL)).answer == "not-listed"
