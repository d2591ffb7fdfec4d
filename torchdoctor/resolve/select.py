"""Machine + Request + what exists -> Plan, or NoSolution: which build, and why not the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.errors import NoSolution
from torchdoctor.resolve.model import (
    COMPANIONS,
    Candidate,
    Companion,
    LeftOut,
    Plan,
    PlannedPackage,
    Ranking,
    Request,
)
from torchdoctor.resolve.ranking import rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.tags import Tag
    from packaging.version import Version

    from torchdoctor.detect import Machine
    from torchdoctor.sources.source import Provenance
    from wheels_index import Snapshot, Wheel

__all__ = ["Listing", "best_wheel", "rank", "select_plan", "why_this_release"]


class Listing(Protocol):
    """One source, as the choice sees it: which wheels of a project it has for a variant."""

    @property
    def name(self) -> str:
        """How the source is shown."""

    @property
    def known(self) -> Provenance:
        """Which layer of knowledge its wheels are."""

    def wheels(self, project: str, variant: str) -> Sequence[Wheel]:
        """Wheels of `project` that may be of `variant`; empty when the source has none or is unreachable."""

    def index_url(self, variant: str) -> str:
        """What a person gives pip as `--index-url` for this variant."""


def best_wheel(
    wheels: Iterable[Wheel],
    *,
    project: str,
    version: Version,
    build: str,
    untagged: str | None,
    tags: Mapping[Tag, int],
) -> Wheel | None:
    """The wheel of exactly this version and build that suits the interpreter best; None when there is none.

    `untagged` is the build that a file without a local version is taken for: PyPI's default on this
    platform, or None when that is not known. `tags` maps each supported tag to its rank, 0 the best.
    """
    best: tuple[int, tuple[int, str] | tuple[()], Wheel] | None = None
    for wheel in wheels:
        if wheel.project != project or wheel.version.public != version.public or wheel.yanked:
            continue
        if (wheel.variant or (untagged if wheel.version.local is None else None)) != build:
            continue
        ranks = [tags[tag] for tag in wheel.tags if tag in tags]
        if not ranks:
            continue
        rank_of = (-min(ranks), wheel.build)
        if best is None or rank_of > best[:2]:
            best = (*rank_of, wheel)
    return best[2] if best else None


def select_plan(
    ranking: Ranking,
    shelves: Sequence[Listing],
    *,
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    tags: Sequence[Tag],
) -> Plan | None:
    """The first candidate that the first shelf which has any can serve, with its companions.

    None when no shelf has any of them. Raises `NoSolution` when a companion asked for by name has no
    build that belongs to the torch chosen.
    """
    ranks = {tag: position for position, tag in reversed(list(enumerate(tags)))}
    missing: NoSolution | None = None
    for candidates in (ranking.candidates, ranking.last_resort if request.cuda_on_cpu else ()):
        for shelf in shelves:
            for candidate in candidates:
                untagged = _untagged(machine, snapshot, candidate.torch)
                wheel = best_wheel(
                    shelf.wheels("torch", candidate.variant),
                    project="torch", version=candidate.torch, build=candidate.variant,
                    untagged=untagged, tags=ranks,
                )  # fmt: skip
                if wheel is None:
                    continue
                order = [shelf, *(other for other in shelves if other is not shelf)]
                try:
                    found, left_out = _with_companions(request, candidate, order, untagged, ranks)
                except NoSolution as error:
                    missing = missing or error
                    continue
                return Plan(
                    variant=candidate.variant,
                    index_url=shelf.index_url(candidate.variant),
                    packages=(_package(wheel, shelf), *found),
                    reasons=(
                        why_this_release(candidate, candidates[0], request, missing=missing),
                        *candidate.reasons,
                    ),
                    rejected=ranking.rejected,
                    warnings=candidate.warnings,
                    left_out=left_out,
                    constraints=snapshot.release(candidate.torch).constraints(machine.platform),
                )
    if missing is not None:
        raise missing
    return None


def why_this_release(
    candidate: Candidate, best: Candidate, request: Request, *, missing: NoSolution | None = None
) -> str:
    """Whether it is the newest that fits, that can be had, or that has the companions asked for (`missing`)."""
    asked = message(" asked for") if request.torch is not None else ""
    if candidate is best:
        return message(
            "torch {torch} is the newest release{asked} that fits this machine",
            torch=candidate.torch,
            asked=asked,
        )
    if missing is not None:
        return message(
            "torch {torch}+{variant} is the newest that has what was asked for beside it",
            torch=candidate.torch,
            variant=candidate.variant,
        )
    return message(
        "torch {torch}+{variant} would be the first choice, and no source in reach has it; torch "
        "{torch2} is the newest{asked} that one has",
        torch=best.torch,
        variant=best.variant,
        torch2=candidate.torch,
        asked=asked,
    )


def _untagged(machine: Machine, snapshot: Snapshot, torch: Version) -> str | None:
    builds = snapshot.release(torch).platforms.get(machine.platform or "")
    return builds.pypi_default if builds else None


def _package(wheel: Wheel, shelf: Listing) -> PlannedPackage:
    return PlannedPackage(
        name=wheel.project, version=wheel.version, known=shelf.known, wheel=wheel, source=shelf.name
    )


def _with_companions(
    request: Request,
    candidate: Candidate,
    shelves: Sequence[Listing],
    untagged: str | None,
    ranks: Mapping[Tag, int],
) -> tuple[tuple[PlannedPackage, ...], tuple[LeftOut, ...]]:
    found: list[PlannedPackage] = []
    left_out: list[LeftOut] = []
    for row in candidate.companions:
        if row.project in request.excluded or row.project not in COMPANIONS:
            continue
        wanted = request.required.get(row.project)
        versions = [v for v in row.versions if wanted is None or wanted.contains(v)]
        package = _companion(row.project, versions, candidate.variant, shelves, untagged, ranks)
        if package is not None:
            found.append(package)
            continue
        because = _no_companion(row, candidate, shelves, wanted, untagged)
        if wanted is not None:
            raise NoSolution(
                message(
                    "{project} was asked for and cannot be installed beside torch {torch}+{variant}: "
                    "{because}",
                    project=row.project,
                    torch=candidate.torch,
                    variant=candidate.variant,
                    because=because,
                ),
                fix=message(
                    "leave out `--with {project}`, or name a source that has it: `--index-url`, `--mirror` "
                    "or `--find-links`",
                    project=row.project,
                ),
                code="companion-missing",
            )
        left_out.append(LeftOut(name=row.project, because=because))
    return tuple(found), tuple(left_out)


def _companion(
    project: str,
    versions: Sequence[Version],
    build: str,
    shelves: Sequence[Listing],
    untagged: str | None,
    ranks: Mapping[Tag, int],
) -> PlannedPackage | None:
    for shelf in shelves:
        wheels = shelf.wheels(project, build)
        for version in versions:
            wheel = best_wheel(
                wheels, project=project, version=version, build=build, untagged=untagged, tags=ranks
            )
            if wheel is not None:
                return _package(wheel, shelf)
    return None


def _no_companion(
    row: Companion,
    candidate: Candidate,
    shelves: Sequence[Listing],
    wanted: SpecifierSet | None,
    untagged: str | None,
) -> str:
    belong = joined(row.versions) or message("no version")
    if wanted is not None and not any(wanted.contains(version) for version in row.versions):
        return message(
            "{belong} belongs to torch {torch}, not {wanted}",
            belong=belong,
            torch=candidate.torch,
            wanted=wanted,
        )
    public = {version.public for version in row.versions}
    others = sorted(
        {
            message(
                "{version} on {place} is {build}",
                version=wheel.version.public,
                place=shelf.name,
                build=wheel.variant or untagged or message("not marked"),
            )
            for shelf in shelves
            for wheel in shelf.wheels(row.project, candidate.variant)
            if wheel.version.public in public
        }
    )
    seen = message(" ({builds})", builds=joined(others[:2], "; ")) if others else ""
    return message(
        "no source in reach has a {variant} build of {project} {belong} for this Python{seen}",
        variant=candidate.variant,
        project=row.project,
        belong=belong,
        seen=seen,
    )
