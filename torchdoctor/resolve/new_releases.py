"""What is newer than the stored facts, a release or a companion alone: read from the sources, ranked with the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.errors import NoSolution
from torchdoctor.resolve.companions import wanted_companions
from torchdoctor.resolve.select import rank
from wheels_index import COMPANIONS, LiveSnapshot, Overlay, newer_variants, overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.model import Ranking, Request
    from torchdoctor.sources import SourceListing
    from wheels_index import Snapshot, Wheel

    Requires = Callable[[SourceListing, Sequence[Wheel]], dict[str, tuple[str, ...]]]

__all__ = ["PYTORCH_LAYOUTS", "rank_with_newer"]

# Layouts where a wheel's variant is the one that the index files it under. A folder or PyPI introduces no release.
PYTORCH_LAYOUTS = ("pytorch", "either", "flat-variants")


def rank_with_newer(
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    listings: Sequence[SourceListing],
    *,
    today: str,
    requires: Requires,
) -> tuple[Ranking, Snapshot]:
    """Rank; where a source lists something newer for the variant, add it to the snapshot and rank again.

    That is a newer release at the first source with the variant or a newer one of its kind, or else a companion that
    came out alone. Besides pages that the choice reads anyway, only those of newer variants are looked at. `today` is
    an ISO date; `requires` reads what new companions declare of torch.
    Raises `NoSolution` when nothing fits.
    """
    refused: NoSolution | None = None
    try:
        ranking = rank(machine, request, snapshot)
    except NoSolution as error:
        with_variant = _with_asked_variant(
            machine, request, snapshot, listings, today=today, requires=requires
        )
        if with_variant is not None:
            return rank(machine, request, with_variant), with_variant
        if request.torch is None or any(map(request.torch.contains, snapshot.versions())):
            raise
        # The release asked for may be newer than every known one: look where another release would come from.
        refused = error
        ranking = _any_release(machine, request, snapshot, refused)
    newer = _newer_wheels(ranking, request, snapshot, listings)
    if newer is None:
        if refused is not None:
            raise refused
        extended = _with_new_companions(ranking, request, snapshot, listings, today=today, requires=requires)
        return (
            (rank(machine, request, extended), extended) if extended is not snapshot else (ranking, snapshot)
        )
    listing, wheels = newer
    names = [name for name in _looked_at(ranking, request) if any(wheel.variant == name for wheel in wheels)]
    places = [listing, *(each for each in listings if each is not listing)]
    extended = _with_torch(snapshot, places, wheels, names, today=today, requires=requires)
    return rank(machine, request, extended), extended


def _with_torch(
    snapshot: Snapshot,
    listings: Sequence[SourceListing],
    wheels: Sequence[Wheel],
    names: Sequence[str],
    *,
    today: str,
    requires: Requires,
) -> Snapshot:
    """Return the snapshot with these wheels of torch, and the companions that their source has of these variants.

    `listings` begin with that source; where nobody vouches for a companion of it, the next one is looked at too.
    """
    pages = [(project, name) for project in COMPANIONS for name in names]
    companions: list[Wheel] = []
    declared: dict[str, tuple[str, ...]] = {}
    for listing in listings:
        if listing.source.layout not in PYTORCH_LAYOUTS:
            continue
        listing.read_ahead(pages)
        listed = dict.fromkeys(wheel for page in pages for wheel in listing.wheels(*page))
        admitted = [wheel for wheel in listed if listing.admits(wheel)]
        companions += admitted
        declared = {**requires(listing, admitted), **declared}
        if len(admitted) == len(listed):
            break
    return overlay(snapshot, [*wheels, *companions], as_of=today, requires=declared)


def _with_asked_variant(
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    listings: Sequence[SourceListing],
    *,
    today: str,
    requires: Requires,
) -> Snapshot | None:
    """Return the snapshot with the builds of a variant that no known release has; None where no source has any."""
    name, platform = request.variant, machine.platform or ""
    platforms = (release.platforms.get(platform) for release in snapshot.releases())
    if name == "auto" or any(builds is not None and name in builds.variants for builds in platforms):
        return None
    for listing in listings:
        if listing.source.layout in PYTORCH_LAYOUTS:
            wheels = [w for w in listing.wheels("torch", name) if w.variant == name and listing.admits(w)]
            if wheels:
                places = [listing, *(each for each in listings if each is not listing)]
                return _with_torch(snapshot, places, wheels, [name], today=today, requires=requires)
    return None


def _with_new_companions(
    ranking: Ranking,
    request: Request,
    snapshot: Snapshot,
    listings: Sequence[SourceListing],
    *,
    today: str,
    requires: Requires,
) -> Snapshot:
    """Return the snapshot with the companions that came out without a torch; the same one where there is none.

    Of each companion the sources are looked at as far as the first that has a version that is known.
    """
    best, newest = ranking.candidates[0], snapshot.release(snapshot.versions()[0])
    extended = snapshot
    for companion, _, _ in wanted_companions(request, best):
        known = {*companion.versions, *newest.companions[companion.project].versions}
        for listing in listings:
            if listing.source.layout not in (*PYTORCH_LAYOUTS, "simple"):
                continue
            wheels = listing.wheels(companion.project, best.variant)
            new = [
                replace(wheel, sha256=None)  # a digest of this source is not to stand for PyPI's
                for wheel in wheels
                if not (wheel.version.is_prerelease or wheel.yanked)
                and (not known or wheel.version > max(known))
                and _public(wheel) not in known
                and listing.admits(wheel)
            ]
            if new:
                seen = Overlay.of(
                    new,
                    as_of=today,
                    requires=requires(listing, new),
                    pypi=listing.source.layout not in PYTORCH_LAYOUTS,
                )
                extended = LiveSnapshot(extended, seen)
            if new or any(_public(wheel) in known for wheel in wheels):
                break
    return extended


def _public(wheel: Wheel) -> Version:
    return Version(wheel.version.public)


def _any_release(machine: Machine, request: Request, snapshot: Snapshot, refused: NoSolution) -> Ranking:
    try:
        return rank(machine, replace(request, torch=None), snapshot)
    except NoSolution:
        raise refused from None


def _looked_at(ranking: Ranking, request: Request) -> tuple[str, ...]:
    """The variant of the best candidate, and the newer ones of its kind: a new release may have no other."""
    best = ranking.candidates[0].variant
    return (best, *newer_variants(best)) if request.variant == "auto" else (best,)


def _newer_wheels(
    ranking: Ranking, request: Request, snapshot: Snapshot, listings: Sequence[SourceListing]
) -> tuple[SourceListing, list[Wheel]] | None:
    """The first source with builds of the best candidate's kind, and its torch wheels newer than all that fit.

    A page that lists several variants gives the wheels of all of them. Where nobody vouches for any of a source's newer
    wheels, the next source is looked at.
    """
    best, known = ranking.candidates[0], set(snapshot.versions())
    names = _looked_at(ranking, request)
    for listing in listings:
        if listing.source.layout not in PYTORCH_LAYOUTS:
            continue
        listed = dict.fromkeys(listing.wheels("torch", best.variant))
        listing.read_ahead(("torch", name) for name in names)
        listed |= dict.fromkeys(wheel for name in names for wheel in listing.read_wheels("torch", name))
        if not listed:
            continue
        wheels = [
            wheel
            for wheel in listed
            if wheel.variant is not None
            and not (wheel.version.is_prerelease or wheel.yanked)
            and wheel.version > best.torch
            and _public(wheel) not in known
            and (request.torch is None or request.torch.contains(wheel.version.public))
        ]
        admitted = [wheel for wheel in wheels if listing.admits(wheel)]
        if admitted or not wheels:
            return (listing, admitted) if admitted else None
    return None
