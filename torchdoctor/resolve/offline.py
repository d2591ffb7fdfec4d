"""The plan from what is known alone: files that were seen, and builds that were announced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.detect import supported_tags
from torchdoctor.errors import NoSolution
from torchdoctor.resolve.model import COMPANIONS, LeftOut, Plan, PlannedPackage
from torchdoctor.resolve.select import best_wheel, rank, why_this_release
from torchdoctor.sources.source import OFFICIAL
from wheels_index import bundled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.tags import Tag

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.model import Candidate, Companion, Ranking, Request
    from wheels_index import Release, Snapshot

__all__ = ["resolve_offline"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Choice:
    machine: Machine
    candidate: Candidate
    release: Release
    snapshot: Snapshot
    ranks: Mapping[Tag, int]


def resolve_offline(machine: Machine, request: Request, snapshot: Snapshot | None = None) -> Plan:
    """The best candidate with the files known for it; a build of which no file was seen is `published`.

    Raises `NoSolution` when nothing fits, or when a companion asked for has no build beside any candidate.
    """
    snapshot = snapshot or bundled()
    ranking = rank(machine, request, snapshot, best_only=True)
    tags: Sequence[Tag] = supported_tags(machine)
    ranks = {tag: position for position, tag in reversed(list(enumerate(tags)))}
    best, missing = ranking.candidates[0], None
    for number in range(2):
        for candidate in ranking.candidates:
            choice = _Choice(
                machine=machine,
                candidate=candidate,
                release=snapshot.release(candidate.torch),
                snapshot=snapshot,
                ranks=ranks,
            )
            try:
                packages, left_out = _companions(choice, request)
            except NoSolution as error:
                missing = missing or error
                continue
            why = why_this_release(candidate, best, request, missing=missing)
            return _plan(choice, ranking, packages, left_out, why)
        if number == 0:
            ranking = rank(machine, request, snapshot)
    assert missing is not None  # noqa: S101  (rank gives one candidate at the least)
    raise missing


def _plan(
    choice: _Choice,
    ranking: Ranking,
    packages: tuple[PlannedPackage, ...],
    left_out: tuple[LeftOut, ...],
    why: str,
) -> Plan:
    candidate = choice.candidate
    return Plan(
        variant=candidate.variant,
        index_url=OFFICIAL.index_url(candidate.variant),
        packages=(_package(choice, "torch", candidate.torch), *packages),
        reasons=(why, *candidate.reasons),
        rejected=ranking.rejected,
        warnings=candidate.warnings,
        left_out=left_out,
        constraints=choice.release.constraints(choice.machine.platform),
    )


def _companions(choice: _Choice, request: Request) -> tuple[tuple[PlannedPackage, ...], tuple[LeftOut, ...]]:
    packages: list[PlannedPackage] = []
    left_out: list[LeftOut] = []
    torch = message("torch {torch}+{variant}", torch=choice.candidate.torch, variant=choice.candidate.variant)
    for row in choice.candidate.companions:
        if row.project in request.excluded or row.project not in COMPANIONS:
            continue
        wanted = request.required.get(row.project)
        found = _companion(choice, row, [v for v in row.versions if wanted is None or wanted.contains(v)])
        if found is not None:
            packages.append(found)
            continue
        because = message(
            "no {variant} build of {project} {versions} is known for Python {python_label}",
            variant=choice.candidate.variant,
            project=row.project,
            versions=joined(map(str, row.versions), " or "),
            python_label=choice.machine.python_label,
        )
        if wanted is not None:
            raise NoSolution(
                message(
                    "{project} was asked for beside {torch}: {because}",
                    project=row.project,
                    torch=torch,
                    because=because,
                ),
                fix=message(
                    "leave out `--with {project}`, or ask for another release or another Python",
                    project=row.project,
                ),
                code="companion-missing",
            )
        left_out.append(LeftOut(name=row.project, because=because))
    return tuple(packages), tuple(left_out)


def _package(choice: _Choice, project: str, version: Version) -> PlannedPackage:
    build = choice.candidate.variant
    wheel = best_wheel(
        choice.release.listed(project), project=project, version=version, build=build,
        untagged="cpu" if choice.machine.os == "macos" else None, tags=choice.ranks,
    )  # fmt: skip
    if wheel is not None:
        return PlannedPackage(
            name=project,
            version=wheel.version,
            known="live" if wheel.seen else "listed",
            wheel=wheel,
            source=OFFICIAL.name,
        )
    tagged = version if choice.machine.os == "macos" else Version(f"{version}+{build.replace('-', '.')}")
    return PlannedPackage(name=project, version=tagged, known="published", wheel=None, source=OFFICIAL.name)


def _companion(choice: _Choice, row: Companion, versions: Sequence[Version]) -> PlannedPackage | None:
    """The newest version that has a file for this build and Python, else the newest announced with it."""
    packages = [_package(choice, row.project, version) for version in versions]
    listed = next((package for package in packages if package.wheel is not None), None)
    announced = [version for version in versions if _announced(choice, row.project, version)]
    if announced and (listed is None or announced[0] > Version(listed.version.public)):
        return _package(choice, row.project, announced[0])
    return listed


def _announced(choice: _Choice, project: str, version: Version) -> bool:
    """Whether the torch release that a companion came out with has this build, and its files this Python."""
    facts = choice.release.companions[project]
    if not facts.has_python(version, choice.machine.python_label):
        return False
    if choice.machine.os == "macos" and not _has_mac_file(choice, project, version):
        return False
    platform = choice.machine.platform or ""
    uploaded = facts.uploaded.get(version.public)
    for release in choice.snapshot.releases():
        if release.released == uploaded and uploaded is not None:
            builds = release.platforms.get(platform)
            return builds is not None and choice.candidate.variant in builds.variants
    return False


def _has_mac_file(choice: _Choice, project: str, version: Version) -> bool:
    """Whether PyPI has a file for this macOS: there a companion's floor differs from torch's, by Python."""
    return any(
        wheel.project == project
        and wheel.version == version
        and not choice.ranks.keys().isdisjoint(wheel.tags)
        for wheel in choice.release.pypi_wheels
    )
