"""Machine + Request + what exists -> every build that fits, the best first, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.resolve.compatibility import (
    check_compatibility,
    python_satisfies,
    refuse_platform,
    supported_intel,
)
from torchdoctor.resolve.model import Candidate, Companion, Ranking, Rejected, Request
from wheels_index import newest_first, variant

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.resolve.compatibility import Compatibility
    from wheels_index import Release, Snapshot

__all__ = ["Evaluation", "evaluate_builds", "rank"]

# NVIDIA before AMD before Intel: a laptop's integrated GPU never decides over its discrete one.
_KINDS = ("cuda", "rocm", "xpu")

# The same build with another C++ ABI: for those who link against it and know so.
_ASK_BY_NAME = frozenset({"cpu-cxx11-abi"})


def rank(machine: Machine, request: Request, snapshot: Snapshot, *, best_only: bool = False) -> Ranking:
    """Every release and variant that fits the machine and the request, the best first.

    The newest release that fits leads; within it the newest variant. Builds that have code for every GPU
    come before builds that leave some out, and CPU builds count only when no other fits. `best_only` stops
    at the release of the first one, which reads fewer releases.

    Raises `NoSolution` when nothing is left.
    """
    board = evaluate_builds(machine, request, snapshot, best_only=best_only)
    candidates = board.ordered(request)
    if not candidates:
        from torchdoctor.resolve.explain import explain

        raise explain(machine, request, snapshot, board.refusals)
    return Ranking(
        candidates=candidates,
        rejected=board.turned_down(candidates[0]),
        last_resort=board.last_resort if request.variant == "auto" else (),
    )


def evaluate_builds(
    machine: Machine, request: Request, snapshot: Snapshot, *, best_only: bool = False
) -> Evaluation:
    """Every build of every release that the request admits, judged against the machine."""
    board = Evaluation(machine)
    for version in snapshot.versions():
        if request.torch is not None and not request.torch.contains(version):
            continue
        release = snapshot.release(version)
        refusal = refuse_platform(machine, release) or _refuse_companions(machine, request, release)
        if refusal is None:
            board.add(machine, request, release)
        else:
            board.refusals.append(refusal)
        if best_only and board.settled(machine, request):
            break
    return board


def _refuse_companions(machine: Machine, request: Request, release: Release) -> str | None:
    """Why a companion asked for by version does not belong to this release; None when all do."""
    belonging = {row.project: row.versions for row in _companions(machine, release)}
    for name, wanted in request.required.items():
        versions = belonging.get(name, ())
        if not any(wanted.contains(version) for version in versions):
            belong = joined(versions) or message("no version")
            what = (
                message("not {wanted}", wanted=wanted)
                if str(wanted)
                else message("none for Python {version}", version=machine.python.version)
            )
            return message(
                "{name} {belong} belongs to torch {version}, {what}",
                name=name,
                belong=belong,
                version=release.version,
                what=what,
            )
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    release: Release
    name: str
    kind: str
    fit: Compatibility


class Evaluation:
    """Builds judged against a machine, the newest release first, and why releases were passed over."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.judged: list[_Judged] = []
        self.refusals: list[str] = []
        self._last_resort: list[Candidate] = []

    def add(self, machine: Machine, request: Request, release: Release) -> None:
        """Judge the builds of a release that the request admits."""
        builds = release.platforms[machine.platform or ""]
        for name in newest_first(builds.variants):
            if request.variant != name and (request.variant != "auto" or name in _ASK_BY_NAME):
                continue
            found = check_compatibility(machine, release, name)
            if found.installable:
                self.judged.append(_Judged(release=release, name=name, kind=variant(name).kind, fit=found))
            else:
                self.refusals.append(found.because)
        default = builds.pypi_default
        if default is not None and default != "cpu":
            self._add_last_resort(release, default)

    def settled(self, machine: Machine, request: Request) -> bool:
        """Whether no older release can lead: one fits by the kind of build that comes first on this machine."""
        if request.variant != "auto":
            return bool(self.judged)
        first = next((kind for kind, cards in _cards(machine) if cards), "cpu")
        return any(
            row.kind == first and row.fit.coverage == "all" and _preference(row) == _BEST
            for row in self.judged
        )

    def ordered(self, request: Request) -> tuple[Candidate, ...]:
        """Candidates by preference: accelerator kind, all GPUs before some, newest release, newest variant."""
        if request.variant != "auto":
            return tuple(self._candidate(row, forced=True) for row in self.judged)
        for kind in _KINDS:
            rows = [row for row in self.judged if row.kind == kind and row.fit.coverage != "none"]
            if rows:
                rows.sort(key=lambda row: row.fit.limits == "rule")
                rows.sort(key=lambda row: row.release.version, reverse=True)
                best = min(map(_preference, rows))
                # Among builds that leave GPUs out, only those that serve the same ones take each other's place.
                return tuple(self._candidate(row) for row in rows if _preference(row) == best)
        return tuple(self._candidate(row) for row in self.judged if row.fit.coverage == "all")

    def _candidate(self, row: _Judged, *, forced: bool = False) -> Candidate:
        release = row.release
        reasons: list[str] = []
        warnings: list[str] = []
        if forced:
            reasons.append(message("{name} was asked for", name=row.name))
            if row.fit.coverage == "none":
                warnings.append(message("this machine does not fit it: {because}", because=row.fit.because))
        elif row.kind == "cpu":
            reasons.append(self._why_cpu())
            warnings.extend(self._cpu_warning())
        else:
            reasons.append(row.fit.because)
        if row.fit.coverage == "some":
            warnings.append(
                message(
                    "no build serves every GPU: {because}; left out: {left_out}",
                    because=row.fit.because,
                    left_out=joined(row.fit.left_out),
                )
            )
        if row.fit.ptx:
            reasons.append(
                message("{ptx} runs it through PTX, compiled at the first use", ptx=joined(row.fit.ptx))
            )
        return Candidate(
            torch=release.version,
            variant=row.name,
            companions=_companions(self.machine, release),
            reasons=tuple(reasons),
            warnings=tuple(warnings),
        )

    def _why_cpu(self) -> str:
        closest = self._closest()
        if closest is None:
            return message("no GPU that PyTorch can use was found, so the CPU build")
        return message("the CPU build, since no GPU build fits: {because}", because=closest.fit.because)

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
        drivers = [row.fit.needs_driver for row in self.judged if row.fit.needs_driver]
        if drivers:
            least = (
                "" if drivers[-1] == drivers[0] else message(" ({drivers} at the least)", drivers=drivers[-1])
            )
            update = message(
                "update the NVIDIA driver to {drivers} or newer{least}", drivers=drivers[0], least=least
            )
            return [message("the GPU stays unused: {update}, then install again", update=update)]
        if closest is not None:
            return [message("the GPU stays unused: {because}", because=closest.fit.because)]
        kinds = {row.kind for row in self.judged}
        return [
            message(
                "the GPU stays unused: no release that fits has a {kind} build for {os} {arch} and "
                "Python {python_label}",
                kind=kind,
                os=self.machine.os,
                arch=self.machine.arch,
                python_label=self.machine.python_label,
            )
            for kind, cards in _cards(self.machine)
            if cards and kind not in kinds
        ]

    @property
    def last_resort(self) -> tuple[Candidate, ...]:
        """CUDA builds that a machine without a usable GPU could take as well."""
        return tuple(self._last_resort)

    def _add_last_resort(self, release: Release, default: str) -> None:
        """Remember PyPI's CUDA default, which a machine without a usable GPU gets from a plain pip install."""
        self._last_resort.append(
            Candidate(
                torch=release.version,
                variant=default,
                companions=_companions(self.machine, release),
                reasons=(
                    message(
                        "no source in reach has a CPU build; PyPI's torch {version} is a {default} build",
                        version=release.version,
                        default=default,
                    ),
                ),
                warnings=(
                    message(
                        "this is a {default} build on a machine that cannot use it: several GB for nothing",
                        default=default,
                    ),
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
            return message("a GPU build fits: {variant}", variant=best.variant)
        return message("{variant} is preferred", variant=best.variant)


# All GPUs served by code that is in the build, by limits that are known.
_BEST = (False, False, False, (0, 0))


def _preference(row: _Judged) -> tuple[bool, bool, bool, tuple[int, int]]:
    """Less is better.

    Code in the build comes before PTX, all GPUs before some (the most capable first), limits that are known or
    follow from a rule before unknown ones.
    """
    reach = row.fit.reach if row.fit.coverage == "some" else (0, 0)
    partial = row.fit.coverage == "some"
    return bool(row.fit.ptx), partial, row.fit.limits == "unknown", (-reach[0], -reach[1])


def _cards(machine: Machine) -> tuple[tuple[str, bool], ...]:
    """Which kinds of GPU the machine has; an Intel one only where PyTorch supports it."""
    return (
        ("cuda", machine.nvidia is not None),
        ("rocm", machine.amd is not None and bool(machine.amd.gpus)),
        ("xpu", machine.intel is not None and any(supported_intel(card.name) for card in machine.intel.gpus)),
    )


def _companions(machine: Machine, release: Release) -> tuple[Companion, ...]:
    """The companions of a release, less versions that declare another Python."""
    return tuple(
        Companion(
            project=name,
            versions=tuple(
                version
                for version in row.versions
                if python_satisfies(row.requires_python.get(version.public), machine.python.version)
            ),
        )
        for name, row in release.companions.items()
    )
