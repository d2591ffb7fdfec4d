"""One solve: which build of torch goes with everything that was asked for, and what else is installed with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.resolve.model import SolvedPackage
from torchdoctor.resolve.offer import in_solver_order
from torchdoctor.workflows.stack_extensions import solve_with_extensions
from torchdoctor.workflows.stack_model import StackChoice
from torchdoctor.workflows.stack_solve import StackSolver
from torchdoctor.workflows.stack_texts import below_newest_warnings, why_this_torch
from wheels_index import COMPANIONS, TORCH_PROJECTS, variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Candidate, Plan, Request
    from torchdoctor.resolve.model import Ranking
    from torchdoctor.resolve.offer import OfferedBuild
    from torchdoctor.workflows.stack_extensions import FittedStack
    from torchdoctor.workflows.stack_model import StackTask
    from wheels_index import Wheel

__all__ = ["Offer", "chosen_candidate", "plan_of_choice", "plan_stack", "without_foreign_triton"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """Where builds come from: the listings of sources, or stored facts."""

    builds: Callable[
        [Sequence[Candidate]], Iterable[Sequence[OfferedBuild]]
    ]  # one sequence a place, the first best
    plan: Callable[[Ranking, Request], Plan | None]  # of the first candidate that can be had
    wheels: Callable[[str, str], Sequence[Wheel]]  # for this machine, of another project for a variant


def plan_stack(
    task: StackTask, ranking: Ranking, request: Request, machine: Machine, offer: Offer, report: Reporter
) -> Plan | None:
    """Return the plan that goes with everything asked for; None where no place has any of the builds.

    Raises `RequirementsUnmet` where nothing goes together.
    """
    task = without_foreign_triton(task, machine, ranking)
    solver = StackSolver(task, request, report)
    unmet: RequirementsUnmet | None = None
    for builds in offer.builds(in_solver_order(ranking.candidates)):
        if not builds:
            continue
        try:
            fitted = solve_with_extensions(solver, builds, machine, offer.wheels)
        except RequirementsUnmet as error:
            unmet = unmet or error
            continue
        choice = fitted.choice
        candidate = chosen_candidate(choice, builds, ranking)
        best = ranking.candidates[0]
        limits = fitted.limits
        if candidate.torch != best.torch and not limits:
            other = fitted.solver.with_torch(best.torch, choice, fitted.builds)
            if isinstance(other, StackChoice):
                choice, candidate = other, chosen_candidate(other, builds, ranking)
            else:
                limits = other
        reason = why_this_torch(candidate, best, request, limits, missing_with(best, choice, builds))
        plan = plan_of_choice(task, choice, candidate, reason, ranking, request, offer)
        return _with_limits(plan, fitted) if plan is not None else None
    if unmet is not None:
        raise unmet
    return None


def _with_limits(plan: Plan, fitted: FittedStack) -> Plan:
    """Keep what extensions need for the lock, and say it."""
    return replace(
        plan,
        warnings=(*plan.warnings, *fitted.warnings),
        constraints=(*plan.constraints, *fitted.constraints),
        find_links=tuple(source.url for source in fitted.find_links),
        accelerator_wheels=(*plan.accelerator_wheels, *fitted.wheels),
        solved=tuple(
            replace(package, version=str(wheel.version)) if wheel is not None else package
            for package in plan.solved
            for wheel in [next((each for each in fitted.wheels if each.project == package.name), None)]
        ),
    )


def chosen_candidate(choice: StackChoice, builds: Sequence[OfferedBuild], ranking: Ranking) -> Candidate:
    """Return the candidate whose build was chosen."""
    version = choice.solution.versions["torch"]
    build = next(build for build in builds if build.name == "torch" and str(build.package.version) == version)
    return next(c for c in ranking.candidates if c.variant == build.variant and c.torch in build.torch)


def missing_with(best: Candidate, choice: StackChoice, builds: Sequence[OfferedBuild]) -> tuple[str, ...]:
    """Return the companions of the choice of which the best build of torch has none."""
    there = {build.name for build in builds if build.variant == best.variant and best.torch in build.torch}
    return tuple(name for name in COMPANIONS if name in choice.solution.versions and name not in there)


def plan_of_choice(
    task: StackTask,
    choice: StackChoice,
    candidate: Candidate,
    reason: str,
    ranking: Ranking,
    request: Request,
    offer: Offer,
) -> Plan | None:
    """Return the plan of a choice, its first reason `reason`; None where the build cannot be had."""
    versions = choice.solution.versions
    chosen = {
        name: SpecifierSet(f"=={Version(versions[name]).public}") for name in COMPANIONS if name in versions
    }
    pinned = replace(request, required={**request.required, **chosen})
    alone = replace(ranking, candidates=(candidate,), rejected=ranking.rejected_for(candidate))
    plan = offer.plan(alone, pinned)
    if plan is None:
        return None
    asked = {named.name for named in task.named} - task.implied
    requiring = {name for project in TORCH_PROJECTS for name in choice.solution.required_by.get(project, ())}
    return replace(
        plan,
        reasons=(reason, *candidate.reasons),
        warnings=(*plan.warnings, *below_newest_warnings(choice)),
        solved=tuple(
            SolvedPackage(name=name, version=version, asked=name in asked, requires_torch=name in requiring)
            for name, version in sorted(versions.items())
            if name not in TORCH_PROJECTS
        ),
        overrides=task.lock_request.overrides,
        excluded=task.lock_request.excluded,
    )


def without_foreign_triton(task: StackTask, machine: Machine, ranking: Ranking) -> StackTask:
    """NVIDIA's triton has no file for macOS, and takes the place of the one that ROCm and XPU builds bring."""
    kind = variant(ranking.candidates[0].variant).kind
    if kind not in ("rocm", "xpu") and machine.os != "macos":
        return task
    request = task.lock_request
    return replace(task, lock_request=replace(request, excluded=request.excluded | {"triton"}))
