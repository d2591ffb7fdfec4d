"""Releases that came out after the last update of the index: seen on a source's page, and taken up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.errors import NoSolution
from torchdoctor.resolve.select import rank
from wheels_index import overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.model import Ranking, Request
    from torchdoctor.sources.listing import SourceListing
    from wheels_index import Snapshot, Wheel

__all__ = ["rank_with_newer"]

# Where a wheel's variant says what the index calls it. A folder or a PyPI introduces no release.
_LAYOUTS = ("pytorch", "either", "flat-variants")

Requires = dict[str, tuple[str, ...]]


def rank_with_newer(
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    shelves: Sequence[SourceListing],
    *,
    today: str,
    requires: Callable[[SourceListing, Sequence[Wheel]], Requires],
) -> tuple[Ranking, Snapshot]:
    """Rank; where the first source that has the variant lists a newer release, take it up and rank again.

    Only the page that the choice reads anyway is looked at. `requires` reads what new companions declare.
    """
    refused: NoSolution | None = None
    try:
        ranking = rank(machine, request, snapshot)
    except NoSolution as error:
        if request.torch is None or any(map(request.torch.contains, snapshot.versions())):
            raise
        # The release asked for may be newer than all that is known: look where any other would come from.
        refused = error
        ranking = _any_release(machine, request, snapshot, refused)
    found = _newer(ranking, request, snapshot, shelves)
    if found is None:
        if refused is not None:
            raise refused
        return ranking, snapshot
    shelf, wheels = found
    name = ranking.candidates[0].variant
    companions = [w for project in ("torchvision", "torchaudio") for w in shelf.wheels(project, name)]
    newer = overlay(snapshot, [*wheels, *companions], as_of=today, requires=requires(shelf, companions))
    return rank(machine, request, newer), newer


def _any_release(machine: Machine, request: Request, snapshot: Snapshot, refused: NoSolution) -> Ranking:
    try:
        return rank(machine, replace(request, torch=None), snapshot)
    except NoSolution:
        raise refused from None


def _newer(
    ranking: Ranking, request: Request, snapshot: Snapshot, shelves: Sequence[SourceListing]
) -> tuple[SourceListing, list[Wheel]] | None:
    """The first source with the best candidate's variant, and its torch wheels newer than all that fit."""
    best, known = ranking.candidates[0], set(snapshot.versions())
    for shelf in shelves:
        if shelf.source.layout not in _LAYOUTS:
            continue
        listed = shelf.wheels("torch", best.variant)
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
        return (shelf, wheels) if wheels else None
    return None
