"""LockRequest -> Wheelhouse without a torch to choose: locked, fetched and checked as an installation's files are."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

from torchdoctor.fetch import fetch
from torchdoctor.lock import compile_lock
from torchdoctor.resolve import Plan
from torchdoctor.workflows.acquire_model import AcquireContext
from torchdoctor.workflows.copy_check import without_lying_copies
from torchdoctor.workflows.fetch_report import report_unverified
from torchdoctor.workflows.lock_checks import start_checks
from torchdoctor.workflows.wheel_metadata import check_metadata
from torchdoctor.workflows.whole_files import lock_with_whole_files

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.lock import Lock
    from torchdoctor.lock.model import LockRequest

__all__ = ["fetch_checked"]

_NO_PLAN = Plan(variant="cpu", index_url="", packages=(), reasons=())


def fetch_checked(
    request: LockRequest, cache: Path, run_dir: Path, report: Reporter, *, installed: Collection[str] = ()
) -> Wheelhouse:
    """Fetch what the request asks for, but for what is `installed`: from PyPI itself where a copy of it lies.

    Raises what `compile_lock` and `fetch` raise, and `SourceFailed` for what nobody vouches for.
    """
    for attempt in itertools.count():
        request, whole = lock_with_whole_files(
            request, cache, run_dir, report, partial(_lock, folder=run_dir / f"lock-{attempt}", report=report)
        )
        lock = whole.without(installed)
        context = AcquireContext(lock_request=request, cache=cache, run_dir=run_dir)
        checks = start_checks(context, _NO_PLAN, lock)
        wheelhouse = fetch(lock.wheels, cache=cache / "wheels", progress=report, offline=request.offline)
        report_unverified(checks.hashless(), report)
        checks.protection.refuse()
        if not (lies := checks.copies.lies()):
            if not installed:  # else what stays may require some of it
                check_metadata(context, _NO_PLAN, lock, wheelhouse.wheels)
            checks.copies.report_unanswered(report)
            return wheelhouse
        request = without_lying_copies(request, lies, report)
    raise AssertionError("the loop returns or raises")


def _lock(request: LockRequest, folder: Path, report: Reporter) -> Lock:
    folder = folder.with_name(f"{folder.name}-{len(request.whole_files)}")
    folder.mkdir()
    return compile_lock(
        _NO_PLAN,
        request,
        folder=folder,
        on_wait=lambda seconds, asked: report.waiting("lock", seconds, asked),
    )
