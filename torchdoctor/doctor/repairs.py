"""Findings -> the repairs that torchdoctor can make itself: in the environment and in kernels, nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.shell_words import quoted
from torchdoctor.diagnose.catalogue import failures_by_id
from torchdoctor.doctor.lost_torch import lost_torch
from torchdoctor.doctor.pip_leftovers import removable_leftovers
from torchdoctor.doctor.reinstall import damaged_in, plan_reinstall
from torchdoctor.doctor.repair_model import KernelRepair, Relocate, RemoveLeftovers, RemoveUnneeded
from torchdoctor.doctor.stale_metadata import stale_metadata
from torchdoctor.doctor.unneeded import unneeded_sizes
from torchdoctor.install.relocate import former_folders
from torchdoctor.kernel.ownership import belongs_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdoctor.detect import PythonInfo
    from torchdoctor.diagnose import Finding
    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.doctor.repair_model import Repair, Repaired
    from wheels_index import Snapshot

__all__ = ["confirmed_outcomes", "fix_command", "plan_repairs", "with_fix_command"]


def plan_repairs(check_up: CheckUp, findings: Sequence[Finding], index: Snapshot) -> tuple[Repair, ...]:
    """Return what can be done here about the findings; the others need a person, an administrator or the host."""
    ids = [finding.id for finding in findings]
    # First of all: what is installed after that gets launchers of the right place.
    repairs: list[Repair] = list(_relocations(check_up, ids))
    about_builds = tuple(name for name in ids if _repair_of(name) in ("other-build", "same-build"))
    if "torch-missing" in about_builds and lost_torch(check_up.inventory) is None:
        # Nothing says which one belongs here.
        about_builds = tuple(name for name in about_builds if name != "torch-missing")
    if about_builds == ("partial-install",) and _only_leftovers(check_up):
        if leftovers := removable_leftovers(check_up):
            repairs.append(RemoveLeftovers(findings=about_builds, leftovers=leftovers))
    elif about_builds:
        other_build = any(_repair_of(name) == "other-build" for name in about_builds)
        reinstall = plan_reinstall(check_up, about_builds, index, other_build=other_build)
        repairs += [reinstall] if reinstall is not None else []
    return (*repairs, *_removals(check_up, ids), *_kernel_repairs(check_up, ids))


def _removals(check_up: CheckUp, findings: Sequence[str]) -> Iterator[RemoveUnneeded]:
    """What another build of torch left, where the environment is our user's to change."""
    if check_up.inventory.kind.value not in ("venv", "conda"):
        return
    for finding in findings:
        if _repair_of(finding) == "unneeded" and (sizes := unneeded_sizes(check_up)):
            yield RemoveUnneeded(findings=(finding,), names=frozenset(sizes), size=sum(sizes.values()))


def _relocations(check_up: CheckUp, findings: Sequence[str]) -> Iterator[Relocate]:
    """A virtual environment whose launchers run another place's interpreter, where those can be rewritten."""
    if not check_up.moved:
        return
    former = former_folders(check_up.python.prefix)
    for finding in findings:
        if former and _repair_of(finding) == "relocate":
            yield Relocate(findings=(finding,), folder=check_up.python.prefix, former=former)


def _kernel_repairs(check_up: CheckUp, findings: Sequence[str]) -> Iterator[KernelRepair]:
    """Repair this environment's own kernels; one runs its Python again only where torch is installed there."""
    for kernel in check_up.kernels:
        problem = kernel.problem
        if problem is None or not problem.repairable or kernel.place == "nb_conda_kernels":
            continue
        if not belongs_to(kernel, check_up.python.prefix):
            continue
        if problem.kind != "no-ipykernel" and check_up.inventory.torch.value is None:
            continue
        for finding in findings:
            if (known := failures_by_id().get(finding)) and known.kernel_problem == problem.kind:
                yield KernelRepair(findings=(finding,), kernel=kernel, python=check_up.python.executable)


def _repair_of(finding: str) -> str:
    known = failures_by_id().get(finding)
    return known.repair if known is not None else "none"  # a cause of a package's check


def _only_leftovers(check_up: CheckUp) -> bool:
    """Whether leftover folders are all that is wrong: every file is complete, and torch can be imported."""
    left = (*(check_up.inventory.leftovers.value or ()), *stale_metadata(check_up.inventory))
    return (
        bool(left)
        and not damaged_in(check_up)
        and not check_up.inventory.truncated.value
        and check_up.healthy_import is not False
        and check_up.inventory.torch.value is not None
    )


def fix_command(python: PythonInfo) -> str:
    """Return the command that makes the repairs, for the shell of the environment's system."""
    prefix = str(python.prefix)
    folder = quoted(prefix, windows=python.sys_platform == "win32") if prefix.isprintable() else "ENV"
    return f"torchdoctor doctor {folder} --fix"


def with_fix_command(
    findings: Sequence[Finding], repairs: Sequence[Repair], command: str
) -> tuple[Finding, ...]:
    """Return the findings; one that can be repaired here begins its steps with the command that does it."""
    repairable = {finding for repair in repairs for finding in repair.findings}
    text = message("torchdoctor can repair this; it shows what it will do and asks first:")
    return tuple(
        replace(finding, fix=(text, command, *finding.fix)) if finding.id in repairable else finding
        for finding in findings
    )


def confirmed_outcomes(outcomes: Sequence[Repaired], findings: Sequence[Finding]) -> tuple[Repaired, ...]:
    """Return the outcomes after a second check: a repair failed if one of its findings is still reported."""
    left = {finding.id for finding in findings}
    return tuple(
        replace(
            outcome,
            outcome="failed",
            reason=message("still found after the repair: {ids}", ids=joined(still)),
        )
        if outcome.outcome == "repaired" and (still := sorted(left & set(outcome.findings)))
        else outcome
        for outcome in outcomes
    )
