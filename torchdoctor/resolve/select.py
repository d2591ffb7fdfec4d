"""Machine + Request + the listings of sources -> Plan, or `NoSolution`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.errors import NoSolution
from torchdoctor.resolve.candidates import why_this_release
from torchdoctor.resolve.companions import plan_companions
from torchdoctor.resolve.listing import planned_package
from torchdoctor.resolve.model import Plan
from torchdoctor.resolve.ranking import NothingFits, rank_builds
from torchdoctor.resolve.wheel_choice import WheelChoice, pypi_defaults, tag_ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.tags import Tag
    from packaging.version import Version

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.listing import Listing
    from torchdoctor.resolve.model import Ranking, Request
    from wheels_index import Snapshot

__all__ = ["rank", "select_plan"]


def rank(machine: Machine, request: Request, snapshot: Snapshot, *, best_only: bool = False) -> Ranking:
    """Return every release and variant that fits the machine and the request, the best first.

    `best_only` stops at the release of the best one, which reads fewer releases. Raises `NoSolution`, which names
    the constraints in conflict, when nothing fits.
    """
    ranking = rank_builds(machine, request, snapshot, best_only=best_only)
    if isinstance(ranking, NothingFits):
        from torchdoctor.resolve.explain import explain  # only a failure needs it

        raise explain(machine, request, snapshot, ranking.refusals)
    return ranking


def select_plan(
    ranking: Ranking,
    listings: Sequence[Listing],
    *,
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    tags: Sequence[Tag],
) -> Plan | None:
    """Return the plan of the best candidate that the first listing with any of them has; None when none has.

    `tags` are those of the interpreter, the best first. Raises `NoSolution` when a companion asked for by name has
    no build that goes with the torch chosen.
    """
    ranks = tag_ranks(tags)
    missing: NoSolution | None = None
    for candidates in (ranking.candidates, ranking.last_resort if request.allow_cuda_without_gpu else ()):
        for listing in listings:
            for candidate in candidates:
                choice = WheelChoice(
                    variant=candidate.variant,
                    default_variant=_default_variant(machine, snapshot, candidate.torch),
                    ranks=ranks,
                    companion_defaults=pypi_defaults(snapshot, candidate.torch, machine.platform),
                )
                wheels = listing.wheels("torch", candidate.variant)
                wheel = choice.best(wheels, "torch", candidate.torch, listing.admits)
                if wheel is None:
                    continue
                others = [other for other in listings if other is not listing]
                try:
                    packages, left_out = plan_companions(request, candidate, [listing, *others], choice)
                except NoSolution as error:
                    missing = missing or error
                    continue
                reason = why_this_release(candidate, candidates[0], request, missing=missing)
                return Plan(
                    variant=candidate.variant,
                    index_url=listing.index_url(candidate.variant),
                    packages=(planned_package(wheel, listing), *packages),
                    reasons=(reason, *candidate.reasons),
                    rejected=ranking.rejected_for(candidate),
                    warnings=candidate.warnings,
                    left_out=left_out,
                    constraints=snapshot.release(candidate.torch).constraints(machine.platform),
                )
    if missing is not None:
        raise missing
    return None


def _default_variant(machine: Machine, snapshot: Snapshot, torch: Version) -> str | None:
    builds = snapshot.release(torch).platforms.get(machine.platform or "")
    return builds.pypi_default if builds else None
