"""Plan -> Lock, where not everything can be had: without optional packages, and without indexes that do not answer."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from torchdoctor.core.i18n import joined, message, plurals
from torchdoctor.core.net import NotFound, Unreachable, fetch_page
from torchdoctor.errors import SourceFailed
from torchdoctor.lock.compile import RequirementsUnmet, compile_lock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.lock.model import Lock, LockRequest
    from torchdoctor.resolve import Plan
    from torchdoctor.sources import Sources

__all__ = ["lock_with_fallbacks", "reachable_pages", "reachable_sources"]


def lock_with_fallbacks(
    plan: Plan,
    request: LockRequest,
    *,
    folder: Path,
    report: Reporter,
    held: Mapping[str, Path] | None = None,
) -> Lock:
    """Lock the plan; leave out what is optional and cannot be had, and indexes that do not answer.

    `report` is told of both. `folder`, which must not exist, takes the files of uv; `held` maps names of the plan's
    files to local copies. Raises what `compile_lock` raises where leaving out does not help.
    """
    folder.mkdir()
    started, indexes_checked, attempt = time.monotonic(), False, 0
    while True:
        attempt += 1
        (folder / str(attempt)).mkdir()
        try:
            lock = compile_lock(
                plan,
                request,
                folder=folder / str(attempt),
                held=held,
                on_wait=lambda seconds, asked: report.waiting("lock", seconds, asked),
            )
            break
        except SourceFailed:
            if indexes_checked or request.offline:
                raise
            reachable, indexes_checked = reachable_sources(request.sources, report), True
            pages = reachable_pages(plan.find_links, report)
            if reachable == request.sources and pages == plan.find_links:
                raise
            request, plan = replace(request, sources=reachable), replace(plan, find_links=pages)
        except RequirementsUnmet as error:
            request = _without_unmet(request, error, report)
    report.stage(
        "lock",
        message(
            "{packages} in {seconds:.1f} s (PEP 751)",
            packages=plurals.packages(len(lock.wheels)),
            seconds=time.monotonic() - started,
        ),
    )
    return lock


def _without_unmet(request: LockRequest, error: RequirementsUnmet, report: Reporter) -> LockRequest:
    """Return the request without the optional packages that uv's reasons name; raise `error` where they name none."""
    unmet = tuple(line for line in request.optional if error.error.names(Requirement(line).name))
    if not unmet:
        raise error
    report.warn(
        message(
            "{missing} is left out: no reachable source has it for this Python",
            missing=joined(unmet, " and "),
        )
    )
    return replace(request, optional=tuple(line for line in request.optional if line not in unmet))


def reachable_sources(sources: Sources, report: Reporter) -> Sources:
    """Return the sources without the indexes and pages of links that do not answer, and report each of these."""
    indexes = [*sources.indexes, *([sources.default_index] if sources.default_index else [])]
    unreachable = []
    for source in indexes:
        if source.local:
            continue
        try:
            fetch_page(f"{source.url.rstrip('/')}/pip/")
        except Unreachable as error:
            report.note(error.message)
            unreachable.append(source.url)
        except NotFound:
            continue
    pages = [source.url for source in sources.find_links]
    unreachable += set(pages) - set(reachable_pages(pages, report))
    return sources.without(unreachable)


def reachable_pages(urls: Sequence[str], report: Reporter) -> tuple[str, ...]:
    """Return the pages of links that answer, and report the others."""
    reachable = []
    for url in urls:
        try:
            if url.startswith(("http://", "https://")):
                fetch_page(url)
            reachable.append(url)
        except (NotFound, Unreachable) as error:
            report.note(error.message)
    return tuple(reachable)
