"""Lock for this machine or another one, and fetch the wheels into a bundle to carry there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from torchdoctor.bundle import SignKey, check_sign_key, write_bundle
from torchdoctor.core.fs import run_directory
from torchdoctor.lock.sizes import with_sizes
from torchdoctor.workflows.acquire import lock_and_fetch, lock_only
from torchdoctor.workflows.acquire_model import AcquireContext
from torchdoctor.workflows.machine_plan import plan_of_sources
from torchdoctor.workflows.stack import asked_for_machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torchdoctor.bundle import Bundle
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.lock import Lock
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.machine_plan import BundleOptions

__all__ = ["download", "lock_for_machine"]


def lock_for_machine(options: BundleOptions, *, system: System, report: Reporter) -> tuple[Plan, Lock]:
    """Return the plan of what the sources really have, and its lock with the hash and size of every file.

    Raises `NoSolution` where nothing fits, `SourceFailed` where a source cannot be read.
    """
    with _resolved(options, system, report) as (plan, context):
        locked, lock = lock_only(context, plan, report)
        return locked, with_sizes(lock)


def download(
    options: BundleOptions,
    folder: Path,
    *,
    system: System,
    report: Reporter,
    sign_key: Path | None = None,
) -> tuple[Plan, Bundle]:
    """Fetch everything into `folder`, with a lock, hashes and scripts that install it where there is only Python.

    Raises `NoSolution` where nothing fits, `SourceFailed` where a source or a wheel cannot be read, and `UsageError`
    for a key that cannot sign.
    """
    key = SignKey(path=sign_key, environ=system.environ) if sign_key is not None else None
    if key is not None:
        check_sign_key(key)
    with _resolved(options, system, report) as (plan, context):
        acquired = lock_and_fetch(context, plan, report, lambda _: None)
        return acquired.plan, write_bundle(
            folder, acquired.lock, acquired.wheelhouse, options.machine, sign_key=key
        )


@contextlib.contextmanager
def _resolved(
    options: BundleOptions, system: System, report: Reporter
) -> Iterator[tuple[Plan, AcquireContext]]:
    """Give the plan, and what locking it needs while the directory of this run exists."""
    with run_directory(options.cache) as run_dir:
        plan, request, asked, built = plan_of_sources(options, run_dir, system=system, report=report)
        yield (
            plan,
            AcquireContext(
                lock_request=request,
                cache=options.cache,
                run_dir=run_dir,
                required=frozenset(asked.required),
                asked=asked_for_machine(options.stack, options.machine, built),
            ),
        )
