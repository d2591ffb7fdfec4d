"""Findings -> the repairs that torchdoctor can make itself: in the environment and in kernels, nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from packaging.specifiers import SpecifierSet

from torchdoctor.core.i18n.messages import Message, joined, message
from torchdoctor.core.versions import public_version
from torchdoctor.diagnose.placeholders import quoted
from torchdoctor.doctor.pip_leftovers import removable_leftovers, unrecorded_packages
from torchdoctor.errors import NoSolution
from torchdoctor.resolve.model import COMPANIONS, Request
from torchdoctor.resolve.offline import resolve_offline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from torchdoctor.detect import PythonInfo
    from torchdoctor.diagnose import Finding
    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.kernel import KernelState
    from torchdoctor.resolve.model import Plan
    from wheels_index import Snapshot

__all__ = [
    "KernelRepair",
    "Outcome",
    "Reinstall",
    "RemoveLeftovers",
    "Repair",
    "Repaired",
    "confirmed_outcomes",
    "fix_command",
    "repairs_for",
    "with_fix_command",
]  # fmt: skip

Outcome = Literal["repaired", "skipped", "failed"]

# The build itself is the wrong one: another is chosen.
_OTHER_BUILD = frozenset({
    "cpu-only-wheel", "torch-replaced-by-other-package", "wrong-vendor-build", "gpu-arch-too-new", "gpu-arch-too-old",
    "aarch64-cpu-wheel", "jetson-generic-wheel", "driver-too-old", "rocm-gfx-unsupported",
})  # fmt: skip
# The build is right, and files or neighbours of it are not.
_SAME_BUILD = frozenset({
    "torchvision-mismatch", "torchvision-cpu-with-cuda-torch", "torchaudio-mismatch", "partial-install",
    "nvidia-wheels-missing", "nvidia-wheels-mixed", "numpy2-abi", "triton-missing",
    "torch-dependency-missing", "torch-dependency-version",
})  # fmt: skip
# What is wrong with a kernel -> the finding about it.
_KERNELS = {
    "python-gone": "jupyter-kernel-python-missing",
    "no-ipykernel": "jupyter-kernel-without-ipykernel",
    "corrupt-spec": "jupyter-kernel-spec-broken",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reinstall:
    """Install `plan` into the environment; `reinstall` are packages to replace though their version is right.

    `unchanged` are those of the plan that are there already;
    `leftovers` are folders of an interrupted installation, which go once the new one is there.
    """

    findings: tuple[str, ...]
    plan: Plan
    request: Request
    reinstall: frozenset[str]
    unchanged: frozenset[str] = frozenset()
    leftovers: tuple[Path, ...] = ()

    @property
    def what(self) -> str:
        """What would be done, for the person who is asked."""
        versions = {row.name: f"{row.name} {row.version}" for row in self.plan.packages}
        again = sorted(versions.get(name, name) for name in self.reinstall)
        fresh = [text for name, text in versions.items() if name not in self.reinstall | self.unchanged]
        texts = [message("install {names} into the environment", names=joined(fresh))] if fresh else []
        texts += [message("install {names} anew", names=joined(again))] if again else []
        texts += [_removal(self.leftovers)] if self.leftovers else []
        return joined(texts, "; ")


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveLeftovers:
    """Remove what an interrupted installation left, where all else is whole."""

    findings: tuple[str, ...]
    leftovers: tuple[Path, ...]

    @property
    def what(self) -> str:
        """What would be done, for the person who is asked."""
        return _removal(self.leftovers)


def _removal(folders: Iterable[Path]) -> Message:
    return message("remove {folders}, left by an interrupted installation", folders=joined(folders))


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelRepair:
    """Let a kernel run again: by `python` where its own is gone, with ipykernel where that is missing."""

    findings: tuple[str, ...]
    kernel: KernelState
    python: Path

    @property
    def what(self) -> str:
        """What would be done, for the person who is asked."""
        problem = self.kernel.problem
        if problem is not None and problem.kind == "no-ipykernel":
            return message(
                "install ipykernel into {place}, for the kernel {name}",
                place=self.kernel.prefix,
                name=self.kernel.name,
            )
        return message(
            "let the kernel {name} run {python} ({problem})",
            name=self.kernel.name,
            python=self.python,
            problem=problem.message if problem else "",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Repaired:
    """How a repair ended, and why where it was skipped or failed."""

    findings: tuple[str, ...]
    what: str
    outcome: Outcome
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """The repair as it stands in `--json`."""
        return {
            "findings": list(self.findings),
            "what": self.what,
            "outcome": self.outcome,
            "why": self.why,
        }


Repair: TypeAlias = "Reinstall | RemoveLeftovers | KernelRepair"


def repairs_for(seen: CheckUp, findings: Sequence[Finding], index: Snapshot) -> tuple[Repair, ...]:
    """What can be done here about the findings; the others need a person, an administrator or the host."""
    ids = [row.id for row in findings]
    rows: list[Repair] = []
    about_builds = tuple(name for name in ids if name in _OTHER_BUILD | _SAME_BUILD)
    if about_builds == ("partial-install",) and _only_leftovers(seen):
        if leftovers := removable_leftovers(seen):
            rows.append(RemoveLeftovers(findings=about_builds, leftovers=leftovers))
    elif about_builds and (made := _reinstall(seen, about_builds, index)) is not None:
        rows.append(made)
    rows += _kernel_repairs(seen, ids)
    return tuple(rows)


def _kernel_repairs(seen: CheckUp, findings: Sequence[str]) -> Iterator[KernelRepair]:
    """A kernel is pointed here only where there is a torch for it."""
    for row in seen.kernels:
        problem = row.problem
        if problem is None or not problem.repairable or row.place == "nb_conda_kernels":
            continue
        if problem.kind != "no-ipykernel" and seen.inventory.torch.value is None:
            continue
        if (name := _KERNELS.get(problem.kind)) in findings and name is not None:
            yield KernelRepair(findings=(name,), kernel=row, python=seen.python.executable)


def _only_leftovers(seen: CheckUp) -> bool:
    """Whether folders put aside are all that is wrong: every file is there, and torch is imported."""
    left = seen.inventory.leftovers.value or ()
    return (
        bool(left)
        and not _broken(seen)
        and not seen.inventory.truncated.value
        and seen.healthy_import is not False
        and seen.inventory.torch.value is not None
    )


def fix_command(python: PythonInfo) -> str:
    """The command that makes the repairs, for the shell of the environment's system."""
    prefix = str(python.prefix)
    folder = quoted(prefix, windows=python.sys_platform == "win32") if prefix.isprintable() else "ENV"
    return f"torchdoctor doctor {folder} --fix"


def with_fix_command(
    findings: Sequence[Finding], repairs: Sequence[Repair], command: str
) -> tuple[Finding, ...]:
    """The findings, those that a repair is about with the command that makes it before the steps by hand."""
    about = {name for row in repairs for name in row.findings}
    text = message("Let torchdoctor do it; it shows what it will do and asks first:")
    return tuple(replace(row, fix=(text, command, *row.fix)) if row.id in about else row for row in findings)


def _reinstall(seen: CheckUp, findings: tuple[str, ...], index: Snapshot) -> Reinstall | None:
    torch = seen.inventory.torch.value
    version = public_version(torch.version) if torch else None
    variant = torch.variant.value if torch else None
    kept: dict[str, SpecifierSet] = {
        name: SpecifierSet() for name in COMPANIONS if getattr(seen.inventory, name).value is not None
    }
    # Nobody asked for a companion that is not there.
    absent = frozenset(COMPANIONS) - set(kept)
    same = Request(torch=SpecifierSet(f"=={version}") if version else None, required=kept, excluded=absent)
    if set(findings) & _OTHER_BUILD:
        # The same release in the right build, else the build that fits best, whatever its release.
        wanted: tuple[Request, ...] = (same, replace(same, torch=None), Request(excluded=absent))
    else:
        wanted = (replace(same, variant=variant or "auto"), same)
    for request in wanted:
        plan = _planned(seen, request, index)
        if plan is not None and not (set(findings) & _OTHER_BUILD and plan.variant == variant):
            release = SpecifierSet(f"=={plan.torch.version.public}")
            return Reinstall(
                findings=findings,
                plan=plan,
                request=replace(request, torch=release, variant=plan.variant),
                reinstall=_broken(seen),
                unchanged=_unchanged(seen, plan),
                leftovers=removable_leftovers(seen) if "partial-install" in findings else (),
            )
    return None


def _planned(seen: CheckUp, request: Request, index: Snapshot) -> Plan | None:
    try:
        return resolve_offline(seen.detection.machine, request, index)
    except NoSolution:
        return None


def _unchanged(seen: CheckUp, plan: Plan) -> frozenset[str]:
    """Packages of the plan that are there in that very version; none where nothing would be left to tell."""
    there = {
        row.name: row.version for row in (seen.inventory.distributions.value or ()) if row.kind == "wheel"
    }
    same = frozenset(row.name for row in plan.packages if there.get(row.name) == str(row.version))
    return same if len(same) < len(plan.packages) or _broken(seen) else frozenset()


def _broken(seen: CheckUp) -> frozenset[str]:
    """Packages whose files are not as they were installed."""
    damaged = {row.name for row in seen.inventory.records.value or () if row.wrong_count}
    damaged |= unrecorded_packages(seen.inventory)
    cut = seen.inventory.truncated.value or ()
    for row in seen.inventory.copies.value or ():
        if any(path.startswith(f"{row.folder}/") for path in cut):
            damaged.add(row.name)
    return frozenset(damaged)


def confirmed_outcomes(outcomes: Sequence[Repaired], findings: Sequence[Finding]) -> tuple[Repaired, ...]:
    """Return the outcomes after a second check: a repair failed if one of its findings is still reported."""
    left = {finding.id for finding in findings}
    return tuple(
        replace(outcome, outcome="failed", why=message("it is still there: {ids}", ids=joined(still)))
        if outcome.outcome == "repaired" and (still := sorted(left & set(outcome.findings)))
        else outcome
        for outcome in outcomes
    )
