"""Plans of stacks whose pins of torch are overridden, by the user or because they leave the GPU unused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchdoctor.core.i18n import message
from torchdoctor.errors import NoSolution
from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.resolve.offer import full_version, in_solver_order
from torchdoctor.workflows import gpu_pins
from torchdoctor.workflows.stack_model import StackChoice, may_be_on_another_index
from torchdoctor.workflows.stack_plan import (
    chosen_candidate,
    plan_of_choice,
    plan_stack,
    without_foreign_triton,
)
from torchdoctor.workflows.stack_solve import StackSolver
from wheels_index import TORCH_PROJECTS, variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torchdoctor.core.i18n import Message
    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Candidate, Plan, Request
    from torchdoctor.resolve.model import Ranking
    from torchdoctor.resolve.offer import OfferedBuild
    from torchdoctor.workflows.stack_model import StackTask
    from torchdoctor.workflows.stack_plan import Offer

__all__ = ["plan_with_pins"]

_MAX_OVERRIDDEN = 4  # builds that are tried where the pins of torch are overridden


def plan_with_pins(
    task: StackTask,
    ranking: Ranking,
    request: Request,
    machine: Machine,
    offer: Offer,
    report: Reporter,
    rank: Callable[[Request], Ranking],
) -> Plan | None:
    """Return the plan that goes with everything asked for; None where no place has any of the builds.

    A pin that leaves the GPU unused is overridden where the user agrees. Raises `NoSolution` where nobody agrees and
    where nothing goes together.
    """
    task, is_overridden = task.without_torch_overrides, task.overrides_torch
    if is_overridden:
        return _plan_overridden(task, ranking, ranking.candidates, request, machine, offer, report)
    pin = gpu_pins.pin_by_request(ranking, request, machine, rank)
    if pin is None:
        try:
            return plan_stack(task, ranking, request, machine, offer, report)
        except RequirementsUnmet as error:
            if may_be_on_another_index(error, task):
                raise  # and all is solved again, with no index before another
            pin = _pin_by_packages(task, ranking, request, machine, offer, report, rank)
            if pin is None:
                raise
    nearest = gpu_pins.take_nearest(pin, report)
    return _plan_overridden(task, ranking, [nearest], request, machine, offer, report)


def _plan_overridden(
    task: StackTask,
    ranking: Ranking,
    candidates: Sequence[Candidate],
    request: Request,
    machine: Machine,
    offer: Offer,
    report: Reporter,
) -> Plan | None:
    """Return the plan of the first of the candidates that goes with everything, whatever that asks of torch."""
    free = replace(request, torch=None, required={name: SpecifierSet() for name in request.required})
    if not task.named:
        plan = offer.plan(replace(ranking, candidates=tuple(candidates)), free)
        return replace(plan, reasons=(_overridden(plan), *plan.reasons[1:])) if plan is not None else None
    task = without_foreign_triton(task, machine, replace(ranking, candidates=tuple(candidates)))
    solver = StackSolver(task, request, report)
    unmet: RequirementsUnmet | None = None
    for candidate in candidates[:_MAX_OVERRIDDEN]:
        for builds in offer.builds([candidate]):
            lines = tuple(_newest_of_each(builds))
            try:
                choice = solver.solve(builds, lines) if builds else None
            except RequirementsUnmet as error:
                unmet = unmet or error
                continue
            if choice is None:
                continue
            plan = plan_of_choice(task, choice, candidate, "", ranking, free, offer)
            if plan is not None:
                reasons = (_overridden(plan), *plan.reasons[1:])
                return replace(plan, reasons=reasons, overrides=(*lines, *plan.overrides))
    if unmet is not None:
        raise unmet
    return None


def _pin_by_packages(
    task: StackTask,
    ranking: Ranking,
    request: Request,
    machine: Machine,
    offer: Offer,
    report: Reporter,
    rank: Callable[[Request], Ranking],
) -> gpu_pins.GpuPin | None:
    """Return who wants a torch that has no build for the GPU; None where the CPU build would not help either."""
    if request.variant != "auto" or variant(ranking.candidates[0].variant).kind == "cpu":
        return None
    try:
        on_cpu = rank(replace(request, variant="cpu"))
    except NoSolution:
        return None
    solver = StackSolver(without_foreign_triton(task, machine, on_cpu), request, report)
    for builds in offer.builds(in_solver_order(on_cpu.candidates)):
        try:
            choice = solver.solve(builds) if builds else None
        except RequirementsUnmet:
            continue
        if choice is None:
            continue
        release = chosen_candidate(choice, builds, on_cpu).torch
        nearest = gpu_pins.nearest_gpu_build(release, request, rank)
        limits = solver.with_torch(nearest.torch, choice, builds) if nearest is not None else choice
        if nearest is not None and not isinstance(limits, StackChoice):
            return gpu_pins.who_pins(limits, nearest)
    return None


def _overridden(plan: Plan) -> Message:
    version = full_version(plan.torch.version, plan.variant)
    return message("what is asked of torch is overridden, so torch {version}", version=version)


def _newest_of_each(builds: Sequence[OfferedBuild]) -> Iterator[str]:
    """Yield a line for torch and for each companion, of its newest build."""
    for project in TORCH_PROJECTS:
        versions = [build.package.version for build in builds if build.name == project]
        if versions:
            yield f"{project}=={max(versions)}"
