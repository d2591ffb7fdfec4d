"""The constraints of a request and its machine that, relaxed alone, leave something that fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from packaging.version import Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.resolve.evaluation import evaluate_builds
from torchdoctor.resolve.ranking import preferred_builds
from wheels_index import newest_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.evaluation import EvaluatedBuild
    from torchdoctor.resolve.model import Request
    from wheels_index import Snapshot

__all__ = ["Constraint", "Relaxation", "relaxations"]

Constraint = Literal["python", "torch", "variant", "macos", "glibc", "companion"]

_MAX_VARIANTS = 5  # how many variants a text names; the rest are counted


@dataclass(frozen=True, kw_only=True, slots=True)
class Relaxation:
    """A constraint that stands in the way, and the nearest change that removes it."""

    constraint: Constraint
    name: str  # the constraint as it is: `Python 3.8`, `variant cu118`
    change: str  # what to use instead
    project: str | None = None  # of a companion


def relaxations(machine: Machine, request: Request, snapshot: Snapshot) -> list[Relaxation]:
    """Return each constraint that is enough to relax: Python, torch, variant, system, then the companions."""
    found = (
        _relax_python(machine, request, snapshot),
        _relax_torch(machine, request, snapshot),
        _relax_variant(machine, request, snapshot),
        _relax_system(machine, request, snapshot),
        *(_relax_companion(project, machine, request, snapshot) for project in request.required),
    )
    return [relaxation for relaxation in found if relaxation is not None]


def _fitting(machine: Machine, request: Request, snapshot: Snapshot) -> tuple[EvaluatedBuild, ...]:
    return preferred_builds(evaluate_builds(machine, request, snapshot), request)


def _relax_torch(machine: Machine, request: Request, snapshot: Snapshot) -> Relaxation | None:
    if request.torch is None:
        return None
    builds = _fitting(machine, replace(request, torch=None), snapshot)
    if not builds:
        return None
    fitting, known = {build.release.version for build in builds}, snapshot.versions()
    if fitting == set(known[: known.index(min(fitting)) + 1]):
        change: str = f"torch ≥ {min(fitting)}"
    else:
        change = message("torch {versions}", versions=_version_ranges(fitting, known))
    return Relaxation(
        constraint="torch",
        name=f"torch {str(request.torch).removeprefix('==').removesuffix('.*')}",
        change=change,
    )


def _version_ranges(fitting: set[Version], known: Sequence[Version]) -> str:
    """Return versions as ranges without gaps: `2.8.0 to 2.9.1 or 2.12.1`; `known` is newest first."""
    ranges: list[list[Version]] = []
    previous = False
    for version in reversed(known):
        if version in fitting:
            if previous:
                ranges[-1].append(version)
            else:
                ranges.append([version])
        previous = version in fitting
    return joined([_range(versions) for versions in ranges], " or ")


def _relax_python(machine: Machine, request: Request, snapshot: Snapshot) -> Relaxation | None:
    platform = machine.platform or ""
    labels = {
        label
        for release in snapshot.releases()
        if platform in release.platforms
        for label in (*release.platforms[platform].pythons, *release.platforms[platform].index_only_pythons)
    }
    fitting = [label for label in labels if _fitting(_with_python(machine, label), request, snapshot)]
    if not fitting:
        return None
    plain = sorted((label for label in fitting if not label.endswith("t")), key=Version)
    current = Version(machine.python_label.rstrip("t"))
    change: str = message("Python {versions}", versions=_range(plain) if plain else joined(sorted(fitting)))
    if plain and current > Version(plain[-1]):
        change = f"Python ≤ {plain[-1]}"
    elif plain and current < Version(plain[0]):
        change = f"Python ≥ {plain[0]}"
    example = plain[-1] if plain else max(fitting)
    return Relaxation(
        constraint="python",
        name=f"Python {machine.python_label}",
        change=message("{change} (such as `--python {example}`)", change=change, example=example),
    )


def _with_python(machine: Machine, label: str) -> Machine:
    python = replace(machine.python, version=f"{label.rstrip('t')}.0", free_threaded=label.endswith("t"))
    return replace(machine, python=python)


def _relax_variant(machine: Machine, request: Request, snapshot: Snapshot) -> Relaxation | None:
    if request.variant == "auto":
        return None
    platform, wanted = machine.platform or "", request.torch
    names = {
        name
        for release in snapshot.releases()
        if (wanted is None or wanted.contains(release.version)) and platform in release.platforms
        for name in release.platforms[platform].variants
    }
    fitting = [name for name in names if _fitting(machine, replace(request, variant=name), snapshot)]
    if not fitting:
        return None
    return Relaxation(
        constraint="variant",
        name=message("variant {variant}", variant=request.variant),
        change=message("--variant {names}", names=_first_few(newest_first(fitting))),
    )


def _first_few(names: Sequence[str]) -> str:
    first = joined(names[:_MAX_VARIANTS], " or ")
    if len(names) <= _MAX_VARIANTS:
        return first
    return message("{names} ({count} more)", names=first, count=len(names) - _MAX_VARIANTS)


def _relax_system(machine: Machine, request: Request, snapshot: Snapshot) -> Relaxation | None:
    """The oldest macOS or C library that some build runs on, where the machine's own is older."""
    platform = machine.platform or ""
    builds = [release.platforms[platform] for release in snapshot.releases() if platform in release.platforms]
    name: Literal["macOS", "glibc"]
    if machine.os == "macos":
        name, found = "macOS", machine.os_version
        floors = {floor for build in builds if (floor := build.macos_floor(machine.python_label))}
    elif machine.libc is not None:
        name, found = "glibc", machine.libc.version
        floors = {floor for build in builds for key in build.glibc if (floor := build.glibc_floor(key))}
    else:
        return None
    for floor in sorted(floors):
        if _fitting(_with_system(machine, _dotted(floor)), request, snapshot):
            return Relaxation(
                constraint="macos" if name == "macOS" else "glibc",
                name=f"{name} {found}",
                change=message("a system with {name} ≥ {least}", name=name, least=_dotted(floor)),
            )
    return None


def _with_system(machine: Machine, version: str) -> Machine:
    """The machine with another version of macOS, or of its C library."""
    if machine.os == "macos" or machine.libc is None:
        return replace(machine, os_version=version)
    return replace(machine, libc=replace(machine.libc, version=version))


def _relax_companion(
    project: str, machine: Machine, request: Request, snapshot: Snapshot
) -> Relaxation | None:
    others = {name: wanted for name, wanted in request.required.items() if name != project}
    builds = _fitting(machine, replace(request, required=others), snapshot)
    if not builds or not str(request.required[project]):
        return None
    companion = snapshot.release(builds[0].release.version).companions.get(project)
    versions = joined(companion.versions, " or ") if companion else ""
    return Relaxation(
        constraint="companion",
        project=project,
        name=f"{project} {request.required[project]}",
        change=message("{name} {versions}", name=project, versions=versions) if versions else project,
    )


def _dotted(parts: Iterable[int]) -> str:
    return ".".join(map(str, parts))


def _range(values: Sequence[object]) -> str:
    if len(values) == 1:
        return str(values[0])
    return message("{first} to {last}", first=values[0], last=values[-1])
