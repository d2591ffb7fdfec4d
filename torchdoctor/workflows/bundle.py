"""For this machine or another one: the lock of all that is to be installed, and the bundle to carry there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.bundle.write import write_bundle
from torchdoctor.core.fs.run_directories import workplace
from torchdoctor.lock.sizes import with_sizes
from torchdoctor.workflows.acquire import bring, lock_alone
from torchdoctor.workflows.context import Errand
from torchdoctor.workflows.plan import decide, gather_sources

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.bundle.write import Bundle
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import World
    from torchdoctor.detect import Machine, PythonInfo
    from torchdoctor.lock.model import Lock
    from torchdoctor.lock.target import Target
    from torchdoctor.resolve.model import Plan, Request
    from torchdoctor.sources.order import Sources
    from torchdoctor.workflows.plan import SourceOptions

__all__ = ["CarryOptions", "download", "lock_for"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CarryOptions:
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


def lock_for(options: CarryOptions, *, world: World, report: Reporter) -> tuple[Plan, Lock]:
    """The plan over what sources in reach have, and the lock of it all, each file with its hash."""
    plan, sources = _decide(options, world, report)
    with workplace(options.cache) as work:
        errand = _errand(options, sources, work, world)
        return plan, with_sizes(lock_alone(errand, plan, report))


def download(options: CarryOptions, folder: Path, *, world: World, report: Reporter) -> tuple[Plan, Bundle]:
    """Fetch it all into `folder`, with a lock, sums and scripts that install it where there is only Python."""
    plan, sources = _decide(options, world, report)
    with workplace(options.cache) as work:
        errand = _errand(options, sources, work, world)
        plan, locked, house = bring(errand, plan, report, lambda _: None)
        return plan, write_bundle(folder, locked, house, options.machine)


def _decide(options: CarryOptions, world: World, report: Reporter) -> tuple[Plan, Sources]:
    sources = gather_sources(options.sources, world, options.python, report)
    return decide(options.request, options.sources, options.machine, sources, report, data=options.data)


def _errand(options: CarryOptions, sources: Sources, work: Path, world: World) -> Errand:
    return Errand(
        request=options.request,
        python=options.python.executable,
        sources=sources,
        extras=options.extras,
        optional=options.optional,
        cache=options.cache,
        work=work,
        environ=world.environ,
        offline=options.sources.offline,
        machine=options.machine,
        target=options.target,
    )
