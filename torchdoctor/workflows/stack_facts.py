"""Resolve a stack by stored facts of torch and its companions; only indexes of the other packages are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.detect import supported_tags
from torchdoctor.resolve.offline import offered_by_facts, plan_of_ranking, resolve
from torchdoctor.resolve.select import rank
from torchdoctor.workflows.build_rounds import plan_with_builds
from torchdoctor.workflows.gpu_pins import companions_freed, request_on_the_gpu
from torchdoctor.workflows.limits import dated_facts
from torchdoctor.workflows.stack_pins import plan_with_pins
from torchdoctor.workflows.stack_plan import Offer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.tags import Tag

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Candidate, Plan, Request
    from torchdoctor.resolve.model import Ranking
    from torchdoctor.resolve.offer import OfferedBuild
    from torchdoctor.workflows.source_builds import SourceBuilds
    from torchdoctor.workflows.stack_model import StackTask
    from wheels_index import Snapshot, Wheel

__all__ = ["adapted_request", "resolve_stack", "wheels_of_variant"]


def resolve_stack(
    task: StackTask,
    request: Request,
    machine: Machine,
    snapshot: Snapshot,
    report: Reporter,
    builds: SourceBuilds | None = None,
) -> Plan:
    """Return the plan of stored facts that goes with everything asked for; no source is asked for torch.

    Raises `NoSolution` where no build fits or nothing goes together, and `SourceFailed` where an index of the other
    packages cannot be read.
    """
    cutoff = task.lock_request.sources.limits.cutoff
    snapshot = dated_facts(snapshot, cutoff)
    request = adapted_request(request, task, machine, snapshot, report)
    if not (task.named or task.overrides_torch):
        return resolve(machine, request, snapshot)
    ranking = rank(machine, request, snapshot)

    def offered(candidates: Sequence[Candidate]) -> Iterator[Sequence[OfferedBuild]]:
        yield offered_by_facts(candidates, machine, request, snapshot)

    def plan(ranking: Ranking, pinned: Request) -> Plan:
        return plan_of_ranking(ranking, machine, pinned, snapshot)

    tags = supported_tags(machine)
    offer = Offer(
        builds=offered,
        plan=plan,
        wheels=lambda project, name: (
            []  # it is not known when these files came out
            if cutoff is not None and cutoff.of(project) is not None
            else wheels_of_variant(snapshot.project(project), name, tags)
        ),
    )
    chosen, _ = plan_with_builds(
        task,
        builds,
        lambda each: plan_with_pins(
            each, ranking, request, machine, offer, report, lambda other: rank(machine, other, snapshot)
        ),
    )
    assert chosen is not None  # noqa: S101  (facts have a build of every candidate)
    return chosen


def adapted_request(
    request: Request, task: StackTask | None, machine: Machine, snapshot: Snapshot, report: Reporter
) -> Request:
    """Return the request without versions of companions that do not go with a torch that overrides them.

    Where only torch is asked for, a pin that leaves the GPU unused is overridden with the user's consent.
    """

    def rank_other(other: Request) -> Ranking:
        return rank(machine, other, snapshot)

    if task is not None and task.pins_torch and not (task.named or task.overrides_torch):
        return request_on_the_gpu(request, machine, rank_other, report)
    if task is None or not task.overrides_torch:
        return request
    freed, names = companions_freed(request, rank_other)
    for name in names:
        report.note(
            message(
                "{name} {wanted} does not go with the torch that overrides the pins; another version is taken",
                name=name,
                wanted=request.required[name],
            )
        )
    return freed


def wheels_of_variant(wheels: Iterable[Wheel], name: str, tags: Sequence[Tag]) -> list[Wheel]:
    """The wheels of one variant for this machine."""
    supported = frozenset(tags)
    return [
        wheel for wheel in wheels if wheel.variant == name and not wheel.yanked and wheel.tags & supported
    ]
