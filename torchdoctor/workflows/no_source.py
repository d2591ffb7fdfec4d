"""What happens when no source has the builds that fit: a CUDA build with the user's consent, else an error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import NoSolution, SourceFailed
from torchdoctor.resolve.select import select_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.tags import Tag

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Plan, Request
    from torchdoctor.resolve.model import Ranking
    from torchdoctor.sources import SourceListing
    from wheels_index import Snapshot

__all__ = ["cuda_fallback_plan"]


def cuda_fallback_plan(
    ranking: Ranking,
    listings: Sequence[SourceListing],
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    tags: Sequence[Tag],
    report: Reporter,
    *,
    offline: bool,
) -> Plan:
    """Return a plan of a CUDA build for a machine that cannot use CUDA, if the user agrees to it.

    Raises `NoSolution` where nobody agrees or no source has any build that runs, and `SourceFailed` where a source
    that could not be asked may have one.
    """
    relaxed = replace(request, allow_cuda_without_gpu=True)
    plan = select_plan(ranking, listings, machine=machine, request=relaxed, snapshot=snapshot, tags=tags)
    if plan is None:
        raise _no_source_error(ranking, listings, offline=offline)
    if request.allow_cuda_without_gpu:
        return plan
    offer = _describe_cuda_build(plan)
    if report.ask(message("{what}. Install it anyway?", what=offer), default=False):
        return plan
    raise NoSolution(
        offer,
        fix=message(
            "accept it with --yes, or name a source of CPU builds with --index-url, --mirror or --find-links"
        ),
        code="cuda-build-for-cpu",
    )


def _describe_cuda_build(plan: Plan) -> str:
    torch = plan.torch
    size = (
        message("{size:.0f} MB and ", size=torch.wheel.size / 1e6) if torch.wheel and torch.wheel.size else ""
    )
    return message(
        "no reachable source has a CPU build of torch for this Python; {source} has torch "
        "{version}, a {variant} build: {size}several GB of CUDA packages that this machine "
        "cannot use",
        source=torch.source,
        version=torch.version,
        variant=plan.variant,
        size=size,
    )


def _no_source_error(
    ranking: Ranking, listings: Sequence[SourceListing], *, offline: bool
) -> NoSolution | SourceFailed:
    best = ranking.candidates[0]
    failures = [listing.failure for listing in listings if listing.failure]
    names = joined([listing.name for listing in listings]) or message("none (--offline leaves only folders)")
    what = message(
        "no reachable source has torch {torch} or an older release as a {variant} build",
        torch=best.torch,
        variant=best.variant,
    )
    if failures or offline:
        return SourceFailed(
            message(
                "{what}; asked: {asked}; {why}",
                what=what,
                asked=names,
                why=joined(failures, "; ") or message("only folders may be used"),
            ),
            fix=message(
                "check the network and the proxy settings, try `--mirror auto`, or name a folder with "
                "--find-links"
            ),
            code="no-source",
        )
    return NoSolution(
        message("{what} for this Python; asked: {asked}", what=what, asked=names),
        fix=message("ask for another release with --torch, or another Python with --python"),
        code="no-wheel",
    )
