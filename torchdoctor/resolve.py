"""Machine + Request + what exists -> Plan, or NoSolution: which build, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from packaging.specifiers import SpecifierSet

from torchdoctor.errors import NoSolution
from torchdoctor.fit import fit, refuse_platform
from torchdoctor.plan import (
    COMPANIONS,
    Candidate,
    Companion,
    LeftOut,
    Plan,
    PlannedPackage,
    Ranking,
    Rejected,
    Request,
)
from wheels_index import newest_first, variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.tags import Tag
    from packaging.version import Version

    from torchdoctor.fit import Fit
    from torchdoctor.machine import Machine
    from torchdoctor.plan import Knowledge
    from wheels_index import Release, Snapshot, Wheel

__all__ = ["Shelf", "choose", "pick", "rank", "why_this_release"]

# NVIDIA before AMD before Intel: a laptop's integrated GPU never decides over its discrete one.
_KINDS = ("cuda", "rocm", "xpu")

# The same build with another C++ ABI: for those who link against it and know so.
_ASK_BY_NAME = frozenset({"cpu-cxx11-abi"})


class Shelf(Protocol):
    """One source, as the choice sees it: which wheels of a project it has for a variant."""

    @property
    def name(self) -> str:
        """How the source is shown."""

    @property
    def known(self) -> Knowledge:
        """Which layer of knowledge its wheels are."""

    def wheels(self, project: str, variant: str) -> Sequence[Wheel]:
        """Wheels of `project` that may be of `variant`; empty when the source has none or is unreachable."""

    def index_url(self, variant: str) -> str:
        """What a person gives pip as `--index-url` for this variant."""


def rank(machine: Machine, request: Request, snapshot: Snapshot) -> Ranking:
    """Every release and variant that fits the machine and the request, the best first.

    The newest release that fits leads; within it the newest variant. Builds that have code for every GPU
    come before builds that leave some out, and CPU builds count only when no other fits.

    Raises `NoSolution` when nothing is left.
    """
    wanted = request.torch if request.torch is not None else SpecifierSet()
    named = [version for version in snapshot.versions() if wanted.contains(version)]
    if not named:
        raise _no_such_release(wanted, snapshot)
    board = _Board()
    for version in named:
        release = snapshot.release(version)
        refusal = refuse_platform(machine, release)
        if refusal is not None:
            board.refusals.append(refusal)
            continue
        _judge(board, machine, request, release)
    candidates = board.ordered(request)
    if not candidates:
        raise _nothing_fits(board, machine, request)
    return Ranking(
        candidates=candidates,
        rejected=board.turned_down(candidates[0]),
        last_resort=board.last_resort if request.variant == "auto" else (),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    release: Release
    name: str
    kind: str
    fit: Fit


class _Board:
    """What was judged so far; rank's working memory."""

    def __init__(self) -> None:
        self.judged: list[_Judged] = []
        self.refusals: list[str] = []
        self.forced: str | None = None
        self._last_resort: list[Candidate] = []

    def ordered(self, request: Request) -> tuple[Candidate, ...]:
        """Candidates by preference: accelerator kind, all GPUs before some, newest release, newest variant."""
        if request.variant != "auto":
            return tuple(self._candidate(row, forced=True) for row in self.judged)
        for kind in _KINDS:
            for coverage in ("all", "some"):
                rows = [row for row in self.judged if row.kind == kind and row.fit.coverage == coverage]
                if rows:
                    return tuple(self._candidate(row) for row in rows)
        return tuple(self._candidate(row) for row in self.judged if row.fit.coverage == "all")

    def _candidate(self, row: _Judged, *, forced: bool = False) -> Candidate:
        release, warnings = row.release, []
        reasons: list[str] = []
        if forced:
            reasons.append(f"{row.name} was asked for")
            if row.fit.coverage == "none":
                warnings.append(f"this machine does not fit it: {row.fit.because}")
        elif row.kind == "cpu":
            reasons.append(self._why_cpu())
            warnings.extend(self._cpu_warning())
        else:
            reasons.append(row.fit.because)
        if row.fit.coverage == "some":
            warnings.append(f"no build has code for every GPU; left out: {', '.join(row.fit.left_out)}")
        return Candidate(
            torch=release.version,
            variant=row.name,
            companions=_companions(release),
            reasons=tuple(reasons),
            warnings=tuple(warnings),
        )

    def _why_cpu(self) -> str:
        closest = self._closest()
        if closest is None:
            return "no GPU that PyTorch can use was found, so the CPU build"
        return f"the CPU build, since no GPU build fits: {closest.fit.because}"

    def _closest(self) -> _Judged | None:
        """The GPU build that was nearest to fitting, or None when the machine has no GPU at all."""
        rows = [
            row
            for row in self.judged
            if row.kind != "cpu" and not row.fit.because.endswith("GPU; none was found")
        ]
        by_driver = [row for row in rows if row.fit.needs_driver]
        return next(iter(by_driver or rows), None)

    def _cpu_warning(self) -> list[str]:
        closest = self._closest()
        if closest is None:
            return []
        drivers = [row.fit.needs_driver for row in self.judged if row.fit.needs_driver]
        if drivers:
            least = "" if drivers[-1] == drivers[0] else f" ({drivers[-1]} at the least)"
            update = f"update the NVIDIA driver to {drivers[0]} or newer{least}"
            return [f"the GPU stays unused: {update}, then install again"]
        return [f"the GPU stays unused: {closest.fit.because}"]

    @property
    def last_resort(self) -> tuple[Candidate, ...]:
        return tuple(self._last_resort)

    def add_last_resort(self, release: Release, default: str) -> None:
        """Remember PyPI's CUDA default, which a machine without a usable GPU gets from a plain pip install."""
        self._last_resort.append(
            Candidate(
                torch=release.version,
                variant=default,
                companions=_companions(release),
                reasons=(
                    f"no source in reach has a CPU build; PyPI's torch {release.version} is a {default} build",
                ),
                warnings=(
                    f"this is a {default} build on a machine that cannot use it: several GB for nothing",
                ),
            )
        )

    def turned_down(self, best: Candidate) -> tuple[Rejected, ...]:
        """One row a variant, for the newest release that had it and is not older than the one chosen."""
        rows: dict[str, Rejected] = {}
        for row in self.judged:
            newer = row.release.version > best.torch
            if row.name == best.variant and not newer:
                continue
            if row.name in rows or row.release.version < best.torch:
                continue
            rows[row.name] = Rejected(
                variant=row.name, because=self._turned_down(row, best), torch=str(row.release.version)
            )
        rows.pop(best.variant, None)
        return tuple(rows.values())

    @staticmethod
    def _turned_down(row: _Judged, best: Candidate) -> str:
        if row.fit.coverage == "none":
            return row.fit.because
        if row.kind == "cpu":
            return f"a GPU build fits: {best.variant}"
        return f"{best.variant} is preferred"


def _judge(board: _Board, machine: Machine, request: Request, release: Release) -> None:
    builds = release.platforms[machine.platform or ""]
    for name in newest_first(builds.variants):
        if request.variant != name and (request.variant != "auto" or name in _ASK_BY_NAME):
            continue
        board.judged.append(
            _Judged(release=release, name=name, kind=variant(name).kind, fit=fit(machine, release, name))
        )
    default = builds.pypi_default
    if default is not None and default != "cpu":
        board.add_last_resort(release, default)


def _companions(release: Release) -> tuple[Companion, ...]:
    return tuple(
        Companion(project=name, versions=tuple(row.versions)) for name, row in release.companions.items()
    )


def pick(
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


def choose(
    ranking: Ranking,
    shelves: Sequence[Shelf],
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
                wheel = pick(
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
                    reasons=(why_this_release(candidate, candidates[0], request), *candidate.reasons),
                    rejected=ranking.rejected,
                    warnings=candidate.warnings,
                    left_out=left_out,
                )
    if missing is not None:
        raise missing
    return None


def why_this_release(candidate: Candidate, best: Candidate, request: Request) -> str:
    """Whether it is the newest that fits, or the newest that can be had."""
    asked = " asked for" if request.torch is not None else ""
    if candidate is best:
        return f"torch {candidate.torch} is the newest release{asked} that fits this machine"
    return (
        f"torch {best.torch}+{best.variant} would be the first choice, and no source in reach has it; "
        f"torch {candidate.torch} is the newest{asked} that one has"
    )


def _untagged(machine: Machine, snapshot: Snapshot, torch: Version) -> str | None:
    builds = snapshot.release(torch).platforms.get(machine.platform or "")
    return builds.pypi_default if builds else None


def _package(wheel: Wheel, shelf: Shelf) -> PlannedPackage:
    return PlannedPackage(
        name=wheel.project, version=wheel.version, known=shelf.known, wheel=wheel, source=shelf.name
    )


def _with_companions(
    request: Request,
    candidate: Candidate,
    shelves: Sequence[Shelf],
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
                f"{row.project} was asked for and cannot be installed beside torch "
                f"{candidate.torch}+{candidate.variant}: {because}",
                fix=f"leave out `--with {row.project}`, or name a source that has it: `--index-url`, "
                "`--mirror` or `--find-links`",
                kind="companion-missing",
            )
        left_out.append(LeftOut(name=row.project, because=because))
    return tuple(found), tuple(left_out)


def _companion(
    project: str,
    versions: Sequence[Version],
    build: str,
    shelves: Sequence[Shelf],
    untagged: str | None,
    ranks: Mapping[Tag, int],
) -> PlannedPackage | None:
    for shelf in shelves:
        wheels = shelf.wheels(project, build)
        for version in versions:
            wheel = pick(wheels, project=project, version=version, build=build, untagged=untagged, tags=ranks)
            if wheel is not None:
                return _package(wheel, shelf)
    return None


def _no_companion(
    row: Companion,
    candidate: Candidate,
    shelves: Sequence[Shelf],
    wanted: SpecifierSet | None,
    untagged: str | None,
) -> str:
    belong = ", ".join(map(str, row.versions)) or "no version"
    if wanted is not None and not any(wanted.contains(version) for version in row.versions):
        return f"{belong} belongs to torch {candidate.torch}, not {wanted}"
    public = {version.public for version in row.versions}
    others = sorted(
        {
            f"{wheel.version.public} on {shelf.name} is {wheel.variant or untagged or 'not marked'}"
            for shelf in shelves
            for wheel in shelf.wheels(row.project, candidate.variant)
            if wheel.version.public in public
        }
    )
    seen = f" ({'; '.join(others[:2])})" if others else ""
    return (
        f"no source in reach has a {candidate.variant} build of {row.project} {belong} for this Python{seen}"
    )


def _no_such_release(wanted: SpecifierSet, snapshot: Snapshot) -> NoSolution:
    versions = snapshot.versions()
    near = ", ".join(str(version) for version in versions[:4])
    return NoSolution(
        f"no torch release matches {wanted}; the releases known run from {versions[-1]} to {versions[0]}",
        fix=f"ask for one that exists, for example {near}",
        kind="no-such-release",
    )


def _nothing_fits(board: _Board, machine: Machine, request: Request) -> NoSolution:
    python = machine.python_label
    if not board.judged and board.refusals:
        return NoSolution(
            f"no torch release asked for has a build for this machine: {board.refusals[0]}",
            fix=_fix_platform(board.refusals[0], python),
        )
    if request.variant != "auto" and not board.judged:
        return NoSolution(
            f"no torch release asked for has a {request.variant} build for {machine.os} {machine.arch}, "
            f"Python {python}",
            fix="leave out `--variant` to let torchdoctor choose, or ask for another `--torch`",
        )
    because = board.judged[0].fit.because if board.judged else "nothing is known for it"
    return NoSolution(
        f"no build fits this machine: {because}", fix="see `torchdoctor doctor` for what was found here"
    )


def _fix_platform(refusal: str, python: str) -> str:
    if f"Python {python}" in refusal:
        return "name another interpreter with `--python 3.12`, or another release with `--torch`"
    if "-bit" in refusal:
        return "name a 64-bit interpreter with `--python`"
    if "musl" in refusal:
        return "use a glibc system, for example a Debian or Ubuntu container"
    if "CPython" in refusal:
        return "name a CPython interpreter with `--python`"
    return "no wheel can be installed here; torch would have to be built from source"
