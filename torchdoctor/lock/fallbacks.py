"""Errand and Plan -> Lock: with all that is optional and can be had, from the indexes that answer."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import plurals
from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.core.net.http import NotFound, Unreachable, fetch_page
from torchdoctor.errors import NoSolution, SourceFailed
from torchdoctor.lock.compile import compile_lock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.fetch.model import FetchedWheel
    from torchdoctor.lock.model import Lock
    from torchdoctor.resolve.model import Plan
    from torchdoctor.sources.order import Sources
    from torchdoctor.workflows.context import AcquireContext

__all__ = ["lock_with_fallbacks"]


def lock_with_fallbacks(
    context: AcquireContext, plan: Plan, report: Reporter, name: str, ahead: Sequence[FetchedWheel]
) -> Lock:
    """Lock under `name` in the errand's work folder; `ahead` are files that are here already.

    What is optional and nowhere to be had is left out, and indexes that do not answer are done without; both are said.
    Raises what `compile_lock` does.
    """
    started, optional, asked_again = time.monotonic(), context.optional, False
    while True:
        try:
            locked = _attempt(
                context, plan, report, f"{name}-{len(optional)}-{asked_again:d}", ahead, optional
            )
            break
        except SourceFailed:
            reachable = None if asked_again or context.offline else _in_reach(context.sources, report)
            if reachable is None or reachable == context.sources:
                raise
            context, asked_again = replace(context, sources=reachable), True
        except NoSolution as error:
            # uv names what it could not find; where it names none of these, none of these is at fault.
            missing = tuple(line for line in optional if line in error.message)
            if not missing:
                raise
            optional = tuple(line for line in optional if line not in missing)
            report.warn(
                message(
                    "{missing} is left out: no source in reach has it for this Python",
                    missing=joined(missing, " and "),
                )
            )
    report.stage(
        "lock",
        message(
            "{packages} in {seconds:.1f} s (PEP 751)",
            packages=plurals.packages(len(locked.wheels)),
            seconds=time.monotonic() - started,
        ),
    )
    return locked


def _attempt(
    context: AcquireContext,
    plan: Plan,
    report: Reporter,
    name: str,
    ahead: Sequence[FetchedWheel],
    optional: tuple[str, ...],
) -> Lock:
    folder = context.work / name
    folder.mkdir()
    return compile_lock(
        plan,
        python=context.python,
        sources=context.sources,
        extras=(*context.extras, *optional),
        constraints=plan.constraints,
        folder=folder,
        environ=context.environ,
        held={row.wheel.filename: row.path for row in ahead},
        preferred=context.installed,
        offline=context.offline,
        on_wait=lambda seconds: report.waiting("lock", seconds),
        machine=context.machine,
        target=context.target,
    )


def _in_reach(sources: Sources, report: Reporter) -> Sources:
    """The sources less the indexes that do not answer; each of those is named."""
    indexes = [*sources.indexes, *([sources.default_index] if sources.default_index else [])]
    gone = []
    for row in indexes:
        if row.local:
            continue
        try:
            fetch_page(f"{row.url.rstrip('/')}/pip/")
        except Unreachable as error:
            report.note(error.message)
            gone.append(row.url)
        except NotFound:
            continue
    return sources.without(gone)
