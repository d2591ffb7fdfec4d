"""When nothing fits: which of the things asked for and found are in each other's way, and what to change."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.errors import NoSolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.model import Request
    from wheels_index import Snapshot

__all__ = ["explain"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """One thing that stands in the way: how it is called, and what to change it to."""

    name: str
    change: str


def explain(machine: Machine, request: Request, snapshot: Snapshot, refusals: Sequence[str]) -> NoSolution:
    """The smallest set of constraints in conflict, found by letting go of one at a time.

    `refusals` are the reasons of the single releases, the newest first.
    """
    hopeless = _hopeless(machine)
    if hopeless is not None:
        return hopeless
    if request.torch is not None and not any(request.torch.contains(row) for row in snapshot.versions()):
        return _no_such_release(request, snapshot)
    ways = _ways(machine, request, snapshot)
    first = _reason(refusals, ways)
    if not ways:
        return NoSolution(
            message("no torch release has a build for this machine{first}", first=first),
            fix=message("see `torchdoctor doctor` for what was found here"),
        )
    names = [way.name for way in ways]
    if len(names) > 1:
        together = joined([joined(names[:-1]), names[-1]], " and ")
        what = message("no torch build meets {names} together{first}", names=together, first=first)
    else:
        what = message("no torch build meets {name}{first}", name=names[0], first=first)
    return NoSolution(
        what,
        fix=message("use {ways}", ways=joined([way.change for way in ways], ", or ")),
    )


def _reason(refusals: Sequence[str], ways: Sequence[_Way]) -> str:
    """The newest release's reason that bears on what is in the way."""
    words = {way.name.split()[0] for way in ways} or {""}
    found = next((text for text in refusals if any(word in text for word in words if word != "torch")), None)
    return f": {found}" if found else ""


def _hopeless(machine: Machine) -> NoSolution | None:
    """A machine that no release has wheels for, whatever is asked."""
    python = machine.python
    if machine.libc is not None and machine.libc.name == "musl":
        return NoSolution(
            message("no torch wheel is built for musl"),
            fix=message("use a glibc system, for example a Debian or Ubuntu container"),
        )
    if python.bits != 64:  # noqa: PLR2004
        return NoSolution(
            message("torch has no build for a {bits}-bit Python", bits=python.bits),
            fix=message("name a 64-bit interpreter with `--python`"),
        )
    if python.implementation != "cpython":
        return NoSolution(
            message(
                "torch has wheels for CPython only, not {implementation}",
                implementation=python.implementation,
            ),
            fix=message("name a CPython interpreter with `--python`"),
        )
    if machine.platform is None:
        return NoSolution(
            message("torch has no build for {os} {arch}", os=machine.os, arch=machine.arch),
            fix=message("no wheel can be installed here; torch would have to be built from source"),
        )
    return None


def _no_such_release(request: Request, snapshot: Snapshot) -> NoSolution:
    versions = snapshot.versions()
    wanted = str(request.torch)
    known = sorted(versions)
    place = bisect_left(known, _first_version(wanted))
    near = known[max(0, place - 2) : place + 1]
    return NoSolution(
        message(
            "no torch release matches {wanted}; the releases known run from {oldest} to {newest}",
            wanted=wanted,
            oldest=known[0],
            newest=known[-1],
        ),
        fix=message("ask for one that exists, the nearest: {near}", near=joined(map(str, reversed(near)))),
        code="no-such-release",
    )


def _first_version(wanted: str) -> Version:
    found = re.search(r"\d{1,6}(\.\d{1,6}){0,3}", wanted)
    return Version(found[0] if found else "0")


def _ways(machine: Machine, request: Request, snapshot: Snapshot) -> list[_Way]:
    """Each constraint that, let go of alone, leaves something that fits."""
    found = (
        _python(machine, request, snapshot),
        _torch(machine, request, snapshot),
        _variant(machine, request, snapshot),
        _system(machine, request, snapshot),
        *(_companion(name, machine, request, snapshot) for name in request.required),
    )
    return [way for way in found if way is not None]


def _fitting(machine: Machine, request: Request, snapshot: Snapshot) -> list[tuple[Version, str]]:
    from torchdoctor.resolve.ranking import evaluate_builds

    board = evaluate_builds(machine, request, snapshot)
    return [(candidate.torch, candidate.variant) for candidate in board.ordered(request)]


def _torch(machine: Machine, request: Request, snapshot: Snapshot) -> _Way | None:
    if request.torch is None:
        return None
    fitting = [version for version, _ in _fitting(machine, replace(request, torch=None), snapshot)]
    if not fitting:
        return None
    known = snapshot.versions()
    if set(fitting) == set(known[: known.index(min(fitting)) + 1]):
        change = f"torch ≥ {min(fitting)}"
    else:
        change = message("torch {versions}", versions=_runs(set(fitting), snapshot.versions()))
    return _Way(
        name=f"torch {str(request.torch).removeprefix('==').removesuffix('.*')}",
        change=change,
    )


def _python(machine: Machine, request: Request, snapshot: Snapshot) -> _Way | None:
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
    newest = plain[-1] if plain else ""
    asked = Version(machine.python_label.rstrip("t"))
    change: str = message("Python {versions}", versions=_span(plain) if plain else joined(sorted(fitting)))
    if plain and asked > Version(newest):
        change = f"Python ≤ {newest}"
    elif plain and asked < Version(plain[0]):
        change = f"Python ≥ {plain[0]}"
    example = plain[-1] if plain else max(fitting)
    return _Way(
        name=f"Python {machine.python_label}",
        change=message("{change} (such as `--python {example}`)", change=change, example=example),
    )


def _with_python(machine: Machine, label: str) -> Machine:
    python = replace(machine.python, version=f"{label.rstrip('t')}.0", free_threaded=label.endswith("t"))
    return replace(machine, python=python)


def _variant(machine: Machine, request: Request, snapshot: Snapshot) -> _Way | None:
    if request.variant == "auto":
        return None
    platform = machine.platform or ""
    wanted = request.torch
    names = {
        name
        for release in snapshot.releases()
        if (wanted is None or wanted.contains(release.version)) and platform in release.platforms
        for name in release.platforms[platform].variants
    }
    fitting = [name for name in names if _fitting(machine, replace(request, variant=name), snapshot)]
    if not fitting:
        return None
    return _Way(
        name=message("variant {variant}", variant=request.variant),
        change=message("--variant {names}", names=_some(_newest(fitting))),
    )


def _some(names: Sequence[str], most: int = 5) -> str:
    some = joined(names[:most], " or ")
    if len(names) <= most:
        return some
    return message("{names} ({count} more)", names=some, count=len(names) - most)


def _runs(fitting: set[Version], known: Sequence[Version]) -> str:
    """Versions as spans without gaps: `2.8.0 to 2.9.1 or 2.12.1`."""
    runs: list[list[Version]] = []
    previous = False
    for version in reversed(known):
        if version in fitting:
            if previous:
                runs[-1].append(version)
            else:
                runs.append([version])
        previous = version in fitting
    return joined([_span(run) for run in runs], " or ")


def _newest(names: Iterable[str]) -> list[str]:
    from wheels_index import newest_first

    return list(newest_first(names))


def _system(machine: Machine, request: Request, snapshot: Snapshot) -> _Way | None:
    """An older C library or macOS than a build takes: the least one that some build does."""
    platform = machine.platform or ""
    builds = [row.platforms[platform] for row in snapshot.releases() if platform in row.platforms]
    if machine.os == "macos":
        name, floors = "macOS", {floor for row in builds if (floor := row.macos_floor(machine.python_label))}
        newer = [(floor, replace(machine, os_version=_dotted(floor))) for floor in sorted(floors)]
    elif machine.libc is not None:
        name, floors = (
            "glibc",
            {floor for row in builds for key in row.glibc if (floor := row.glibc_floor(key))},
        )
        libc = machine.libc
        newer = [
            (floor, replace(machine, libc=replace(libc, version=_dotted(floor)))) for floor in sorted(floors)
        ]
    else:
        return None
    found = machine.os_version if machine.os == "macos" else machine.libc.version if machine.libc else None
    for floor, other in newer:
        if _fitting(other, request, snapshot):
            return _Way(
                name=f"{name} {found}",
                change=message("a system with {name} ≥ {least}", name=name, least=_dotted(floor)),
            )
    return None


def _dotted(parts: Iterable[int]) -> str:
    return ".".join(map(str, parts))


def _companion(name: str, machine: Machine, request: Request, snapshot: Snapshot) -> _Way | None:
    others = {key: value for key, value in request.required.items() if key != name}
    fitting = _fitting(machine, replace(request, required=others), snapshot)
    if not fitting or not str(request.required[name]):
        return None
    row = snapshot.release(fitting[0][0]).companions.get(name)
    belong = joined(row.versions, " or ") if row else ""
    return _Way(
        name=f"{name} {request.required[name]}",
        change=message("{name} {versions}", name=name, versions=belong) if belong else name,
    )


def _span(rows: Sequence[object]) -> str:
    if len(rows) == 1:
        return str(rows[0])
    return message("{first} to {last}", first=rows[0], last=rows[-1])
