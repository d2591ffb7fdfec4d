"""torchvision and torchaudio for a plan: the versions that go with its torch, from any of the sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import NoSolution
from torchdoctor.resolve.listing import planned_package
from torchdoctor.resolve.model import LeftOut
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from torchdoctor.resolve.listing import Listing
    from torchdoctor.resolve.model import Candidate, CompanionVersions, PlannedPackage, Request
    from torchdoctor.resolve.wheel_choice import WheelChoice

__all__ = ["plan_companions", "wanted_companions"]


def wanted_companions(
    request: Request, candidate: Candidate
) -> Iterator[tuple[CompanionVersions, SpecifierSet | None, list[Version]]]:
    """Yield each companion that is not excluded, the versions asked for (None: any), and those that it has of them."""
    for companion in candidate.companions:
        if companion.project in request.excluded or companion.project not in COMPANIONS:
            continue
        wanted = request.required.get(companion.project)
        if wanted is None and request.only_required:
            continue
        yield companion, wanted, [v for v in companion.versions if wanted is None or wanted.contains(v)]


def plan_companions(
    request: Request, candidate: Candidate, listings: Sequence[Listing], choice: WheelChoice
) -> tuple[tuple[PlannedPackage, ...], tuple[LeftOut, ...]]:
    """Return the packages for the companions of a candidate, and those of which no listing has a build.

    Raises `NoSolution` for a missing one that the request names.
    """
    packages: list[PlannedPackage] = []
    left_out: list[LeftOut] = []
    for companion, wanted, versions in wanted_companions(request, candidate):
        package = _find(companion.project, versions, listings, choice)
        if package is not None:
            packages.append(package)
            continue
        reason = _why_missing(companion, candidate, listings, wanted, choice)
        if wanted is not None:
            raise NoSolution(
                message(
                    "{project} was asked for and cannot be installed with torch {torch}+{variant}: {reason}",
                    project=companion.project,
                    torch=candidate.torch,
                    variant=candidate.variant,
                    reason=reason,
                ),
                fix=message(
                    "leave out `--with {project}`, or name a source that has it: `--index-url`, `--mirror` "
                    "or `--find-links`",
                    project=companion.project,
                ),
                code="companion-missing",
            )
        left_out.append(LeftOut(name=companion.project, reason=reason))
    return tuple(packages), tuple(left_out)


def _find(
    project: str, versions: Sequence[Version], listings: Sequence[Listing], choice: WheelChoice
) -> PlannedPackage | None:
    for listing in listings:
        wheels = listing.wheels(project, choice.variant)
        for version in versions:
            wheel = choice.best(wheels, project, version, listing.admits)
            if wheel is not None:
                return planned_package(wheel, listing)
    return None


def _why_missing(
    companion: CompanionVersions,
    candidate: Candidate,
    listings: Sequence[Listing],
    wanted: SpecifierSet | None,
    choice: WheelChoice,
) -> str:
    versions = joined(companion.versions) or message("no version")
    if wanted is not None and not any(map(wanted.contains, companion.versions)):
        return message(
            "{belong} belongs to torch {torch}, not {wanted}",
            belong=versions,
            torch=candidate.torch,
            wanted=wanted,
        )
    public = {version.public for version in companion.versions}
    other_builds = sorted(
        {
            message(
                "{version} on {place} is {build}",
                version=wheel.version.public,
                place=listing.name,
                build=wheel.variant
                or choice.default_of(wheel.project, wheel.version)
                or message("not marked"),
            )
            for listing in listings
            for wheel in listing.wheels(companion.project, candidate.variant)
            if wheel.version.public in public
        }
    )
    seen = message(" ({builds})", builds=joined(other_builds[:2], "; ")) if other_builds else ""
    return message(
        "no reachable source has a {variant} build of {project} {belong} for this Python{seen}",
        variant=candidate.variant,
        project=companion.project,
        belong=versions,
        seen=seen,
    )
