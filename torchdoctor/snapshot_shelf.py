"""The plan from what is known alone: files that were seen, and builds that were announced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.errors import NoSolution
from torchdoctor.machine import supported_tags
from torchdoctor.plan import COMPANIONS, LeftOut, Plan, PlannedPackage
from torchdoctor.resolve import pick, rank, why_this_release
from torchdoctor.sources import OFFICIAL
from wheels_index import bundled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.tags import Tag

    from torchdoctor.machine import Machine
    from torchdoctor.plan import Candidate, Companion, Request
    from wheels_index import Release

__all__ = ["plan_from_snapshot"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Choice:
    machine: Machine
    candidate: Candidate
    release: Release
    ranks: Mapping[Tag, int]


def plan_from_snapshot(machine: Machine, request: Request) -> Plan:
    """The best candidate with the files known for it; a build of which no file was seen is `published`.

    Raises `NoSolution` when nothing fits, or when a companion asked for does not belong to it.
    """
    snapshot = bundled()
    ranking = rank(machine, request, snapshot)
    candidate = ranking.candidates[0]
    tags: Sequence[Tag] = supported_tags(machine)
    choice = _Choice(
        machine=machine,
        candidate=candidate,
        release=snapshot.release(candidate.torch),
        ranks={tag: position for position, tag in reversed(list(enumerate(tags)))},
    )
    packages = [_package(choice, "torch", candidate.torch)]
    left_out: list[LeftOut] = []
    for row in candidate.companions:
        if row.project in request.excluded or row.project not in COMPANIONS:
            continue
        wanted = request.required.get(row.project)
        versions = [version for version in row.versions if wanted is None or wanted.contains(version)]
        found = _companion(choice, row, versions)
        if found is not None:
            packages.append(found)
            continue
        because = (
            f"{', '.join(map(str, row.versions))} belongs to torch {candidate.torch} and has no such build"
        )
        if wanted is not None:
            raise NoSolution(
                f"{row.project} {wanted} was asked for: {because}",
                fix=f"leave out `--with {row.project}`",
                kind="companion-missing",
            )
        left_out.append(LeftOut(name=row.project, because=because))
    return Plan(
        variant=candidate.variant,
        index_url=OFFICIAL.index_url(candidate.variant),
        packages=tuple(packages),
        reasons=(why_this_release(candidate, candidate, request), *candidate.reasons),
        rejected=ranking.rejected,
        warnings=candidate.warnings,
        left_out=tuple(left_out),
    )


def _package(choice: _Choice, project: str, version: Version) -> PlannedPackage:
    build = choice.candidate.variant
    wheel = pick(
        choice.release.listed(project), project=project, version=version, build=build,
        untagged="cpu" if choice.machine.os == "macos" else None, tags=choice.ranks,
    )  # fmt: skip
    if wheel is not None:
        return PlannedPackage(
            name=project, version=wheel.version, known="listed", wheel=wheel, source=OFFICIAL.name
        )
    tagged = version if choice.machine.os == "macos" else Version(f"{version}+{build}")
    return PlannedPackage(name=project, version=tagged, known="published", wheel=None, source=OFFICIAL.name)


def _companion(choice: _Choice, row: Companion, versions: Sequence[Version]) -> PlannedPackage | None:
    """The newest version of which a file was seen, else the newest that has this Python."""
    known = [_package(choice, row.project, version) for version in versions]
    listed = [package for package in known if package.wheel is not None]
    facts = choice.release.companions[row.project]
    fitting = [
        package
        for package in known
        if facts.has_python(Version(package.version.public), choice.machine.python_label)
    ]
    return next(iter(listed or fitting), None)
