"""The plan from stored facts alone: files that were seen, and builds that were announced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.detect import supported_tags
from torchdoctor.errors import NoSolution
from torchdoctor.resolve.candidates import candidate as candidate_of
from torchdoctor.resolve.candidates import why_this_release
from torchdoctor.resolve.companions import wanted_companions
from torchdoctor.resolve.model import LeftOut, Plan, PlannedPackage
from torchdoctor.resolve.offer import OfferedBuild, merged, with_declared
from torchdoctor.resolve.select import rank
from torchdoctor.resolve.wheel_choice import WheelChoice, pypi_defaults, tag_ranks
from torchdoctor.sources import OFFICIAL, PYPI
from wheels_index import bundled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.evaluation import EvaluatedBuild, Evaluation
    from torchdoctor.resolve.model import Candidate, CompanionVersions, Ranking, Request
    from wheels_index import Release, Snapshot, Wheel

__all__ = ["has_companions", "offered_by_facts", "plan_of_ranking", "resolve"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Option:
    """A candidate and what is known of its release."""

    machine: Machine
    candidate: Candidate
    release: Release
    snapshot: Snapshot
    choice: WheelChoice


def resolve(machine: Machine, request: Request, snapshot: Snapshot | None = None) -> Plan:
    """Return the plan of the best candidate; a build of which no file was seen is `published` in it.

    Raises `NoSolution` when nothing fits, or when no candidate has a build of a companion asked for by name.
    """
    snapshot = snapshot or bundled()
    try:
        return plan_of_ranking(rank(machine, request, snapshot, best_only=True), machine, request, snapshot)
    except NoSolution as error:
        if error.code != "companion-missing":
            raise
    return plan_of_ranking(rank(machine, request, snapshot), machine, request, snapshot)


def plan_of_ranking(ranking: Ranking, machine: Machine, request: Request, snapshot: Snapshot) -> Plan:
    """Return the plan of the first candidate that has a build of each companion asked for.

    Raises `NoSolution` with the code `companion-missing` where none has.
    """
    best, missing = ranking.candidates[0], None
    for option in _options(ranking.candidates, machine, snapshot):
        try:
            packages, left_out = _companions(option, request)
        except NoSolution as error:
            missing = missing or error
            continue
        reason = why_this_release(option.candidate, best, request, missing=missing)
        return _plan(option, ranking, packages, left_out, reason)
    assert missing is not None  # noqa: S101  (a ranking has at least one candidate)
    raise missing


def has_companions(
    machine: Machine, request: Request, snapshot: Snapshot, build: EvaluatedBuild, evaluation: Evaluation
) -> bool:
    """Return whether each companion that the request names has a known build beside this one."""
    option = _Option(
        machine=machine,
        candidate=candidate_of(build, evaluation, forced=False),
        release=build.release,
        snapshot=snapshot,
        choice=WheelChoice(
            variant=build.name,
            default_variant="cpu" if machine.os == "macos" else None,
            ranks=tag_ranks(supported_tags(machine)),
        ),
    )
    try:
        _companions(option, request)
    except NoSolution:
        return False
    return True


def offered_by_facts(
    candidates: Iterable[Candidate], machine: Machine, request: Request, snapshot: Snapshot
) -> tuple[OfferedBuild, ...]:
    """Return the builds of the candidates and of their companions that were listed or announced.

    A companion whose requirements nobody has read is not among them.
    """
    builds: list[OfferedBuild] = []
    for option in _options(candidates, machine, snapshot):
        candidate = option.candidate
        offered = [(_package(option, "torch", candidate.torch), option.release.constraints(machine.platform))]
        for companion, _, _ in wanted_companions(request, candidate):
            offered += [
                (_package(option, companion.project, version), ())
                for version in companion.versions
                if _companion(option, companion.project, [version]) is not None
            ]
        for package, undeclared in offered:
            build = OfferedBuild(
                package=package, variant=candidate.variant, torch=frozenset((candidate.torch,)), lines=None
            )
            build = with_declared(build, machine, snapshot, _default_variant(option), undeclared)
            if build.lines is not None:
                builds.append(build)
    return merged(builds)


def _options(candidates: Iterable[Candidate], machine: Machine, snapshot: Snapshot) -> Iterable[_Option]:
    ranks = tag_ranks(supported_tags(machine))
    default = "cpu" if machine.os == "macos" else None
    for candidate in candidates:
        yield _Option(
            machine=machine,
            candidate=candidate,
            release=snapshot.release(candidate.torch),
            snapshot=snapshot,
            choice=WheelChoice(variant=candidate.variant, default_variant=default, ranks=ranks),
        )


def _default_variant(option: _Option) -> str | None:
    builds = option.release.platforms.get(option.machine.platform or "")
    return builds.pypi_default if builds is not None else None


def _plan(
    option: _Option,
    ranking: Ranking,
    packages: tuple[PlannedPackage, ...],
    left_out: tuple[LeftOut, ...],
    reason: str,
) -> Plan:
    candidate = option.candidate
    torch = _package(option, "torch", candidate.torch)
    return Plan(
        variant=candidate.variant,
        index_url=OFFICIAL.index_url(candidate.variant),
        packages=(torch, *packages),
        reasons=(reason, *candidate.reasons),
        rejected=ranking.rejected_for(candidate),
        warnings=(*candidate.warnings, *(_doubts(candidate) if torch.wheel is None else ())),
        left_out=left_out,
        constraints=option.release.constraints(option.machine.platform),
    )


def _doubts(candidate: Candidate) -> tuple[str, ...]:
    """What speaks against a build of which no file was seen."""
    if candidate.doubt is None:
        return ()
    return (
        message(
            "it is not sure that torch {torch}+{variant} is published ({doubt}): `torchdoctor index update` asks",
            torch=candidate.torch,
            variant=candidate.variant,
            doubt=candidate.doubt,
        ),
    )


def _companions(option: _Option, request: Request) -> tuple[tuple[PlannedPackage, ...], tuple[LeftOut, ...]]:
    packages: list[PlannedPackage] = []
    left_out: list[LeftOut] = []
    candidate = option.candidate
    for companion, wanted, versions in wanted_companions(request, candidate):
        package = _companion(option, companion.project, versions)
        if package is not None:
            packages.append(package)
            continue
        reason = _why_missing(option, companion)
        if wanted is not None:
            torch = message("torch {torch}+{variant}", torch=candidate.torch, variant=candidate.variant)
            raise NoSolution(
                message(
                    "{project} was asked for with {torch}: {reason}",
                    project=companion.project,
                    torch=torch,
                    reason=reason,
                ),
                fix=message(
                    "leave out `--with {project}`, or ask for another release or another Python",
                    project=companion.project,
                ),
                code="companion-missing",
            )
        left_out.append(LeftOut(name=companion.project, reason=reason))
    return tuple(packages), tuple(left_out)


def _why_missing(option: _Option, companion: CompanionVersions) -> str:
    return message(
        "no {variant} build of {project} {versions} is known for Python {python_label}",
        variant=option.candidate.variant,
        project=companion.project,
        versions=joined(map(str, companion.versions), " or "),
        python_label=option.machine.python_label,
    )


def _package(option: _Option, project: str, version: Version) -> PlannedPackage:
    wheel = option.choice.best(option.release.listed(project), project, version)
    if wheel is not None:
        return PlannedPackage(
            name=project,
            version=wheel.version,
            known="live" if wheel.seen else "listed",
            wheel=wheel,
            source=OFFICIAL.name,
        )
    if option.machine.os == "macos" or _only_on_pypi(option, project, version):
        wheel = _pypi_wheel(option, project, version)
        return PlannedPackage(
            name=project,
            version=version,
            known="listed" if wheel else "published",
            wheel=wheel,
            source=PYPI.name if wheel else OFFICIAL.name,
        )
    full = Version(f"{version}+{option.candidate.variant.replace('-', '.')}")
    return PlannedPackage(name=project, version=full, known="published", wheel=None, source=OFFICIAL.name)


def _only_on_pypi(option: _Option, project: str, version: Version) -> bool:
    companion = option.release.companions.get(project)
    return companion is not None and version.public in companion.pypi_only


def _pypi_wheel(option: _Option, project: str, version: Version) -> Wheel | None:
    """PyPI's file of the candidate's variant, which its name does not tell."""
    choice = WheelChoice(
        variant=option.candidate.variant,
        default_variant=_default_variant(option),
        ranks=option.choice.ranks,
        companion_defaults=pypi_defaults(option.snapshot, option.candidate.torch, option.machine.platform),
    )
    return choice.best(option.release.pypi_wheels, project, version)


def _companion(option: _Option, project: str, versions: Sequence[Version]) -> PlannedPackage | None:
    """The newest version that has a file for this build and Python, or a newer one that was announced."""
    packages = [_package(option, project, version) for version in versions]
    listed = next((package for package in packages if package.wheel is not None), None)
    announced = [version for version in versions if _is_announced(option, project, version)]
    if announced and (listed is None or announced[0] > Version(listed.version.public)):
        return _package(option, project, announced[0])
    return listed


def _is_announced(option: _Option, project: str, version: Version) -> bool:
    """Whether the torch release that a companion came out with has this build, and its files this Python."""
    companion = option.release.companions[project]
    if (
        not companion.has_python(version, option.machine.python_label)
        or version.public in companion.pypi_only
    ):
        return False
    of_index_alone = option.machine.python_label in companion.index_only_pythons.get(version.public, ())
    if option.machine.os == "macos" and not of_index_alone and not _has_mac_file(option, project, version):
        return False
    uploaded = companion.uploaded.get(version.public)
    for release in option.snapshot.releases():
        if release.released == uploaded and uploaded is not None:
            builds = release.platforms.get(option.machine.platform or "")
            return builds is not None and option.candidate.variant in builds.variants
    return False


def _has_mac_file(option: _Option, project: str, version: Version) -> bool:
    """Whether PyPI has a file for this macOS: the oldest macOS of a companion may differ from torch's."""
    return any(
        wheel.project == project
        and wheel.version == version
        and not option.choice.ranks.keys().isdisjoint(wheel.tags)
        for wheel in option.release.pypi_wheels
    )
