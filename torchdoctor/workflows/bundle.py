"""Lock for this machine or another one, and fetch the wheels into a bundle to carry there."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from torchdoctor.bundle import write_bundle
from torchdoctor.core.fs import run_directory
from torchdoctor.lock.model import LockRequest
from torchdoctor.lock.sizes import with_sizes
from torchdoctor.requirements import StackRequest
from torchdoctor.sources.index_cache import known_index
from torchdoctor.workflows.acquire import lock_and_fetch, lock_only
from torchdoctor.workflows.acquire_model import AcquireContext
from torchdoctor.workflows.plan import resolve_online, resolve_stack
from torchdoctor.workflows.source_builds import SourceBuilds
from torchdoctor.workflows.sources import gather_sources
from torchdoctor.workflows.stack import (
    asked_for_machine,
    lock_request_for_stack,
    request_for_machine,
    sources_with_stack,
)
from torchdoctor.workflows.stack_model import StackTask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torchdoctor.bundle import Bundle
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import Machine, PythonInfo
    from torchdoctor.lock import Lock
    from torchdoctor.lock.target import Target
    from torchdoctor.resolve import Plan, Request
    from torchdoctor.sources import Sources
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["BundleOptions", "download", "lock_for_machine", "plan_for_machine"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleOptions:
    """What to lock or to download, and for which machine."""

    machine: Machine
    target: Target | None  # how uv names that machine; None where it is this one
    python: PythonInfo  # an interpreter that runs here; it is the machine's where there is no target
    request: Request
    sources: SourceOptions
    optional: tuple[str, ...]  # requirement lines that are left out where no source has them
    cache: Path  # torchdoctor's cache folder
    data: Path  # the folder in which `index update` keeps what it read
    stack: StackRequest = field(default_factory=StackRequest)  # what is asked for besides torch


def lock_for_machine(options: BundleOptions, *, system: System, report: Reporter) -> tuple[Plan, Lock]:
    """Return the plan of what the sources really have, and its lock with the hash and size of every file.

    Raises `NoSolution` where nothing fits, `SourceFailed` where a source cannot be read.
    """
    with _resolved(options, system, report) as (plan, context):
        return plan, with_sizes(lock_only(context, plan, report))


def plan_for_machine(options: BundleOptions, *, system: System, report: Reporter) -> Plan:
    """Return the plan that goes with everything asked for.

    It rests on stored facts, unless the options name a source of torch; indexes of other packages are read where one
    was asked for. Raises `NoSolution` where nothing fits or goes together, `SourceFailed` where an index cannot be
    read.
    """
    named = options.sources
    if named.index_url or named.find_links or named.mirror:
        with _resolved(options, system, report) as (plan, _):
            return plan
    sources = gather_sources(options.sources, system, options.python, report)
    asked, stack = request_for_machine(options.request, options.stack, options.machine, report)
    with run_directory(options.cache) as run_dir:
        request = _lock_request(options, stack, sources, system)
        pins_torch = asked.torch != options.request.torch
        task = StackTask(stack=stack, lock_request=request, run_dir=run_dir, pins_torch=pins_torch)
        builds = SourceBuilds(cache=options.cache, report=report, agreed=options.stack.builds, plan_only=True)
        index = known_index(options.data, report.note)
        return resolve_stack(task, asked, options.machine, index, report, builds)


def download(
    options: BundleOptions, folder: Path, *, system: System, report: Reporter
) -> tuple[Plan, Bundle]:
    """Fetch everything into `folder`, with a lock, hashes and scripts that install it where there is only Python.

    Raises `NoSolution` where nothing fits, `SourceFailed` where a source or a wheel cannot be read.
    """
    with _resolved(options, system, report) as (plan, context):
        acquired = lock_and_fetch(context, plan, report, lambda _: None)
        return acquired.plan, write_bundle(folder, acquired.lock, acquired.wheelhouse, options.machine)


@contextlib.contextmanager
def _resolved(
    options: BundleOptions, system: System, report: Reporter
) -> Iterator[tuple[Plan, AcquireContext]]:
    """Give the plan, and what locking it needs while the directory of this run exists."""
    sources = gather_sources(options.sources, system, options.python, report)
    asked, stack = request_for_machine(options.request, options.stack, options.machine, report)
    request = _lock_request(options, stack, sources, system)
    with run_directory(options.cache) as run_dir:
        plan, sources = resolve_online(
            asked,
            options.machine,
            sources,
            offline=options.sources.offline,
            report=report,
            data=options.data,
            task=StackTask(
                stack=stack,
                lock_request=request,
                run_dir=run_dir,
                pins_torch=asked.torch != options.request.torch,
            ),
            builds=SourceBuilds(cache=options.cache, report=report, agreed=options.stack.builds),
        )
        yield (
            plan,
            AcquireContext(
                lock_request=replace(request, sources=sources_with_stack(sources, stack)),
                cache=options.cache,
                run_dir=run_dir,
                required=frozenset(asked.required),
                asked=asked_for_machine(options.stack, options.machine),
            ),
        )


def _lock_request(
    options: BundleOptions, stack: StackRequest, sources: Sources, system: System
) -> LockRequest:
    request = LockRequest(
        python=options.python.executable,
        sources=sources,
        environ=system.environ,
        optional=options.optional,
        offline=options.sources.offline,
        machine=options.machine,
        target=options.target,
    )
    return lock_request_for_stack(request, stack)
