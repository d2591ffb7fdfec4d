"""For this machine or another one: the lock of all that is to be installed, and the bundle to carry there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.bundle.write import write_bundle
from torchdoctor.core.fs.run_directories import run_directory
from torchdoctor.lock.sizes import with_sizes
from torchdoctor.workflows.acquire import lock_and_fetch, lock_only
from torchdoctor.workflows.context import AcquireContext
from torchdoctor.workflows.plan import resolve_online
from torchdoctor.workflows.sources import gather_sources

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.bundle.write import Bundle
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import Machine, PythonInfo
    from torchdoctor.lock.model import Lock
    from torchdoctor.lock.target import Target
    from torchdoctor.resolve.model import Plan, Request
    from torchdoctor.sources.order import Sources
    from torchdoctor.workflows.sources import SourceOptions

__all__ = ["BundleOptions", "download", "lock_for"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleOptions:
    """For which machine, and what for; `python` runs here, and is the machine's own where there is no `target`."""

    machine: Machine
    target: Target | None
    python: PythonInfo
    request: Request
    sources: SourceOptions
    extras: tuple[str, ...]
    optional: tuple[str, ...]
    cache: Path
    data: Path


def lock_for(options: BundleOptions, *, system: System, report: Reporter) -> tuple[Plan, Lock]:
    """The plan over what sources in reach have, and the lock of it all, each file with its hash."""
    plan, sources = _decide(options, system, report)
    with run_directory(options.cache) as work:
        context = _errand(options, sources, work, system)
        return plan, with_sizes(lock_only(context, plan, report))


def download(
    options: BundleOptions, folder: Path, *, system: System, report: Reporter
) -> tuple[Plan, Bundle]:
    """Fetch it all into `folder`, with a lock, sums and scripts that install it where there is only Python."""
    plan, sources = _decide(options, system, report)
    with run_directory(options.cache) as work:
        context = _errand(options, sources, work, system)
        plan, locked, house = lock_and_fetch(context, plan, report, lambda _: None)
        return plan, write_bundle(folder, locked, house, options.machine)


def _decide(options: BundleOptions, system: System, report: Reporter) -> tuple[Plan, Sources]:
    sources = gather_sources(options.sources, system, options.python, report)
    return resolve_online(
        options.request,
        options.machine,
        sources,
        offline=options.sources.offline,
        report=report,
        data=options.data,
    )


def _errand(options: BundleOptions, sources: Sources, work: Path, system: System) -> AcquireContext:
    return AcquireContext(
        request=options.request,
        python=options.python.executable,
        sources=sources,
        extras=options.extras,
        optional=options.optional,
        cache=options.cache,
        work=work,
        environ=system.environ,
        offline=options.sources.offline,
        machine=options.machine,
        target=options.target,
    )
