"""Releases that are newer than the stored facts: read from the page of a source and ranked with the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.errors import NoSolution
from torchdoctor.resolve.select import rank
from wheels_index import COMPANIONS, overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.model import Ranking, Request
    from torchdoctor.sources import SourceListing
    from wheels_index import Snapshot, Wheel

__all__ = ["rank_with_newer"]

# Layouts where a wheel's variant is the one that the index files it under. A folder or PyPI introduces no release.
_LAYOUTS = ("pytorch", "either", "flat-variants")

Requires = dict[str, tuple[str, ...]]


def rank_with_newer(
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    listings: Sequence[SourceListing],
    *,
    today: str,
    requires: Callable[[SourceListing, Sequence[Wheel]], Requires],
) -> tuple[Ranking, Snapshot]:
    """Rank; where the first source with the variant lists a newer release, add it to the snapshot and rank again.

    Only the page that the choice reads anyway is looked at. `today` is an ISO date; `requires` reads what new
    companions declare of torch. Raises `NoSolution` when nothing fits.
    """
    refused: NoSolution | None = None
    try:
        ranking = rank(machine, request, snapshot)
    except NoSolution as error:
        if request.torch is None or any(map(request.torch.contains, snapshot.versions())):
            raise
        # The release asked for may be newer than every known one: look where another release would come from.
        refused = error
        ranking = _any_release(machine, request, snapshot, refused)
    newer = _newer_wheels(ranking, request, snapshot, listings)
    if newer is None:
        if refused is not None:
            raise refused
        return ranking, snapshot
    listing, wheels = newer
    variant = ranking.candidates[0].variant
    companions = [wheel for project in COMPANIONS for wheel in listing.wheels(project, variant)]
    extended = overlay(snapshot, [*wheels, *companions], as_of=today, requires=requires(listing, companions))
    return rank(machine, request, extended), extended


def _any_release(machine: Machine, request: Request, snapshot: Snapshot, refused: NoSolution) -> Ranking:
    try:
        return rank(machine, replace(request, torch=None), snapshot)
    except NoSolution:
        raise refused from None


def _newer_wheels(
    ranking: Ranking, request: Request, snapshot: Snapshot, listings: Sequence[SourceListing]
) -> tuple[SourceListing, list[Wheel]] | None:
    """The first source with the best candidate's variant, and its torch wheels newer than all that fit."""
    best, known = ranking.candidates[0], set(snapshot.versions())
    for listing in listings:
        if listing.source.layout not in _LAYOUTS:
            continue
        listed = listing.wheels("torch", best.variant)
        if not listed:
            continue
        wheels = [
            wheel
            for wheel in listed
            if wheel.variant == best.variant
            and not (wheel.version.is_prerelease or wheel.yanked)
            and wheel.version > best.torch
            and type(wheel.version)(wheel.version.public) not in known
            and (request.torch is None or request.torch.contains(wheel.version.public))
        ]
        return (listing, wheels) if wheels else None
    return None
