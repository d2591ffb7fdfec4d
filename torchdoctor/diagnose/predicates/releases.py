"""The exact release that was asked for: whether there is one of that number, and for which Pythons."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.diagnose.derived import python_of, version_of
from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.evidence import Evidence, Observation

__all__ = [
    "pythons_of",
    "requested_release_fits_python",
    "requested_release_is_early",
    "requested_release_newer_than_python",
    "requested_release_older_than_python",
    "requested_version_never_released",
]

# torch 2.1 was the first without Python 3.7.
_FIRST_WITHOUT_OLD_PYTHONS = Version("1.13")
_ASKED = re.compile(r"(torch|torchvision|torchaudio)===?(\d[\w.]*?)\.?(?:\+[\w.]+)?")


def requested_version_never_released(evidence: Evidence) -> Match | None:
    """The exact version that was asked for is of no release, though newer ones are."""
    for project, version, requirement in _asked(evidence):
        released = [_padded(Version(one)) for one in _releases()[project]]
        if _padded(version) not in released and _padded(version) < max(released):
            return Match(evidence=(source(requirement),))
    return None


def requested_release_older_than_python(evidence: Evidence) -> Match | None:
    """The torch that was asked for has no wheel for a Python as new as the one that is stated."""
    return _against_python(evidence, python_above=True)


def requested_release_newer_than_python(evidence: Evidence) -> Match | None:
    """The torch that was asked for has no wheel for a Python as old as the one that is stated."""
    return _against_python(evidence, python_above=False)


def requested_release_fits_python(evidence: Evidence) -> Match | None:
    """The torch that was asked for has wheels for the Python that is stated."""
    python = python_of(evidence)
    for project, version, requirement in _asked(evidence) if python else ():
        known: str | None = _releases()["pythons"].get(version.base_version) if project == "torch" else None
        if known and python:
            oldest, newest = (parse_numeric_version(text) or () for text in known.split())
            if oldest <= python <= newest:
                return Match(evidence=(source(requirement),))
    return None


def requested_release_is_early(evidence: Evidence) -> Match | None:
    """The torch that was asked for is of the years of Python 3.5 to 3.8, so these are not too old for it."""
    return next(
        (
            Match(evidence=(source(requirement),))
            for project, version, requirement in _asked(evidence)
            if project == "torch" and version < _FIRST_WITHOUT_OLD_PYTHONS
        ),
        None,
    )


def pythons_of(torch: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the oldest and the newest Python that a release of torch has wheels for; None if that is not known."""
    known: str | None = _releases()["pythons"].get(Version(torch).base_version)
    if known is None:
        return None
    oldest, newest = (parse_numeric_version(text) or (0, 0) for text in known.split())
    return (oldest[0], oldest[1]), (newest[0], newest[1])


def _against_python(evidence: Evidence, *, python_above: bool) -> Match | None:
    python = python_of(evidence)
    if python is None:
        return None
    for project, version, requirement in _asked(evidence):
        known: str | None = _releases()["pythons"].get(version.base_version) if project == "torch" else None
        if known is None:
            continue
        oldest, newest = (parse_numeric_version(text) or () for text in known.split())
        if python > newest if python_above else python < oldest:
            return Match(evidence=(source(requirement), source(evidence.observations("python.version")[0])))
    return None


def _asked(evidence: Evidence) -> Iterator[tuple[str, Version, Observation]]:
    for requirement in evidence.observations("pip.requirement"):
        asked = _ASKED.fullmatch(requirement.value)
        version = version_of(asked[2]) if asked else None
        if asked is not None and version is not None and not version.is_prerelease:
            yield asked[1], version, requirement


def _padded(version: Version) -> tuple[int, ...]:
    return (*version.release, 0, 0)[:3]


@functools.cache
def _releases() -> dict[str, Any]:
    text = Path(__file__).parents[1].joinpath("data", "releases.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table
