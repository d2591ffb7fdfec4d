"""Every build of torch and its companions among which the rest of a request may decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.resolve.listing import planned_package
from torchdoctor.resolve.wheel_choice import WheelChoice, pypi_defaults, tag_ranks
from wheels_index import COMPANIONS, declared_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.tags import Tag
    from packaging.version import Version

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.listing import Listing
    from torchdoctor.resolve.model import Candidate, PlannedPackage, Request
    from wheels_index import Snapshot

__all__ = [
    "OfferedBuild",
    "full_version",
    "in_solver_order",
    "merged",
    "offered_by_listing",
    "torch_requirement",
    "with_declared",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferedBuild:
    """One build that may be chosen, of torch or of a companion."""

    package: PlannedPackage
    variant: str
    torch: frozenset[Version]  # the releases that it goes with; of torch itself its own
    lines: tuple[str, ...] | None  # its `Requires-Dist`; None where its own metadata is read
    requires_python: str | None = None  # of `lines`
    complete: bool = True  # whether `lines` holds what its accelerator requires

    @property
    def name(self) -> str:
        """The project."""
        return self.package.name


def in_solver_order(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates without those that a solver would wrongly prefer to a better one of the same release.

    A solver takes the highest version first, and of one release the highest local version: `2.15.0+rocm7.14`
    before `2.15.0+rocm7.2`, whichever ranks better.
    """
    kept: list[Candidate] = []
    lowest: dict[Version, Version] = {}
    for candidate in candidates:
        full = full_version(candidate.torch, candidate.variant)
        if candidate.torch not in lowest or full < lowest[candidate.torch]:
            lowest[candidate.torch] = full
            kept.append(candidate)
    return tuple(kept)


def full_version(version: Version, variant: str) -> Version:
    """Return the version with the variant as its local part."""
    return type(version)(f"{version.public}+{variant.replace('-', '.')}")


def offered_by_listing(
    candidates: Iterable[Candidate],
    listings: Sequence[Listing],
    *,
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    tags: Sequence[Tag],
) -> tuple[OfferedBuild, ...]:
    """Return the builds of the candidates whose torch the first listing has, and their companions from any listing."""
    ranks = tag_ranks(tags)
    builds: list[OfferedBuild] = []
    for candidate in candidates:
        release = snapshot.release(candidate.torch)
        platform = release.platforms.get(machine.platform or "")
        default = platform.pypi_default if platform is not None else None
        choice = WheelChoice(
            variant=candidate.variant,
            default_variant=default,
            ranks=ranks,
            companion_defaults=pypi_defaults(snapshot, candidate.torch, machine.platform),
        )
        first = listings[0]
        wheel = choice.best(first.wheels("torch", candidate.variant), "torch", candidate.torch, first.admits)
        if wheel is None:
            continue
        torch = OfferedBuild(
            package=planned_package(wheel, first),
            variant=candidate.variant,
            torch=frozenset((candidate.torch,)),
            lines=None,
        )
        undeclared = release.constraints(machine.platform)
        unread = not (wheel.has_metadata and first.tells_metadata) and not (wheel.url or "").startswith(
            "file:"
        )
        if undeclared or unread:
            torch = with_declared(torch, machine, snapshot, default, undeclared)
        builds.append(torch)
        for companion in candidate.companions:
            if companion.project in request.excluded or companion.project not in COMPANIONS:
                continue
            for version in companion.versions:
                package = _first_listed(listings, choice, companion.project, version)
                if package is not None:
                    build = OfferedBuild(
                        package=package, variant=candidate.variant, torch=torch.torch, lines=None
                    )
                    builds.append(with_declared(build, machine, snapshot, default))
    return merged(builds)


def _first_listed(
    listings: Sequence[Listing], choice: WheelChoice, project: str, version: Version
) -> PlannedPackage | None:
    for listing in listings:
        wheel = choice.best(listing.wheels(project, choice.variant), project, version, listing.admits)
        if wheel is not None:
            return planned_package(wheel, listing)
    return None


def with_declared(
    build: OfferedBuild,
    machine: Machine,
    snapshot: Snapshot,
    default_variant: str | None,
    more: tuple[str, ...] = (),
) -> OfferedBuild:
    """Return the build with what is known of its requirements, and `more`; unchanged where nothing is known."""
    version = build.package.version
    declared = declared_requirements(
        build.name,
        version,
        platform=machine.platform,
        variant=build.variant,
        default_variant=default_variant,
    )
    if declared is not None:
        return replace(
            build,
            lines=(*declared.lines, *more),
            requires_python=declared.requires_python,
            complete=declared.complete,
        )
    from wheels_index import LiveSnapshot  # few need it

    seen = snapshot.overlay.requires if isinstance(snapshot, LiveSnapshot) else {}
    lines = seen.get(f"{build.name}-{version.public}")
    return replace(build, lines=(*lines, *more)) if lines is not None else build


def merged(builds: Iterable[OfferedBuild]) -> tuple[OfferedBuild, ...]:
    """Join the builds that are one file for several releases of torch."""
    found: dict[tuple[str, str, str], OfferedBuild] = {}
    for build in builds:
        key = build.name, str(build.package.version), build.variant
        known = found.get(key)
        found[key] = replace(known, torch=known.torch | build.torch) if known is not None else build
    return tuple(found.values())


def torch_requirement(build: OfferedBuild, builds: Sequence[OfferedBuild]) -> str | None:
    """Return the requirement by which a companion goes with torch builds of its own variant; None for no such build.

    Versions alone cannot say it: `torch==2.15.0` allows every variant. So the builds of others are excluded by name.
    """
    same_file = [
        other
        for other in builds
        if other.name == build.name and other.package.version == build.package.version
    ]
    allowed: list[Version] = []
    others: list[Version] = []
    for torch in _torch_builds(builds):
        fits = any(torch.variant == other.variant and torch.torch <= other.torch for other in same_file)
        (allowed if fits else others).append(torch.package.version)
    if not allowed:
        return None
    if len(set(allowed)) == 1:
        return f"torch=={allowed[0]}"
    oldest = type(allowed[0])(min(allowed).public)
    excluded = sorted({version for version in others if version >= oldest} - set(allowed))
    return f"torch>={oldest}" + "".join(f",!={version}" for version in excluded)


def _torch_builds(builds: Iterable[OfferedBuild]) -> Iterator[OfferedBuild]:
    return (build for build in builds if build.name == "torch")
