"""The plan of a stack for one machine: what is asked for, and from where."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from torchdoctor.core.fs.run_directories import run_directory
from torchdoctor.lock.model import LockRequest
from torchdoctor.requirements.model import StackRequest
from torchdoctor.sources.freshness import old_facts_warning
from torchdoctor.sources.index_cache import known_index
from torchdoctor.workflows.build_rounds import with_known_sdists
from torchdoctor.workflows.limits import said_of_limits, stack_with_limits
from torchdoctor.workflows.newest_versions import NewestSearch
from torchdoctor.workflows.project_settings import agreed_settings
from torchdoctor.workflows.source_builds import SourceBuilds
from torchdoctor.workflows.sources import gather_sources
from torchdoctor.workflows.stack import (
    lock_request_for_stack,
    projects_left_out,
    request_for_machine,
    sources_with_stack,
    with_wheels_of_sources,
)
from torchdoctor.workflows.stack_model import StackTask

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import Machine, PythonInfo
    from torchdoctor.lock.target import Target
    from torchdoctor.resolve import Plan, Request
    from torchdoctor.sources import Sources
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["BundleOptions", "plan_for_machine", "plan_of_sources"]


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


def plan_for_machine(options: BundleOptions, *, system: System, report: Reporter) -> Plan:
    """Return the plan that goes with everything asked for.

    It rests on stored facts, unless the options name a source of torch; indexes of other packages are read where one
    was asked for. Raises `NoSolution` where nothing fits or goes together, `SourceFailed` where an index cannot be
    read.
    """
    named = options.sources
    with run_directory(options.cache) as run_dir:
        if named.names_torch:
            return plan_of_sources(options, run_dir, system=system, report=report)[0]
        sources = _gather(options, system, report)
        wanted, sources = stack_with_limits(options.stack, sources, system.environ, report, options.machine)
        asked, stack = request_for_machine(options.request, wanted, options.machine, report)
        builds = SourceBuilds(cache=options.cache, report=report, agreed=options.stack.builds, plan_only=True)
        stack, request, _ = _lock_request(options, stack, sources, builds, system)
        pins_torch = asked.torch != options.request.torch
        task = StackTask(stack=stack, lock_request=request, run_dir=run_dir, pins_torch=pins_torch)
        task = with_known_sdists(task, builds)
        with NewestSearch(task.newest_asked, run_dir) as search:
            # Loaded while uv reads the indexes.
            from torchdoctor.workflows.stack_facts import resolve_stack

            index = known_index(options.data, report.note)
            task = replace(task, newest=search)
            plan = resolve_stack(task, asked, options.machine, index, report, builds)
            plan = said_of_limits(plan, sources.limits, index)
            warning = old_facts_warning(index, asked=False)
            return plan if warning is None else replace(plan, warnings=(*plan.warnings, warning))


def _gather(options: BundleOptions, system: System, report: Reporter) -> Sources:
    settings = agreed_settings(options.sources, system, options.python, report, options.stack)
    return gather_sources(options.sources, system, options.python, report, settings)


def plan_of_sources(
    options: BundleOptions, run_dir: Path, *, system: System, report: Reporter
) -> tuple[Plan, LockRequest, Request, Mapping[str, str]]:
    """Return the plan of what the sources really have, and what to lock with it of which request.

    The last are the true names of packages that were asked for as sources, by the names that were asked for.
    Raises what `plan_for_machine` raises.
    """
    from torchdoctor.workflows.plan import resolve_online

    sources = _gather(options, system, report)
    wanted, sources = stack_with_limits(options.stack, sources, system.environ, report, options.machine)
    asked, stack = request_for_machine(options.request, wanted, options.machine, report)
    builds = SourceBuilds(cache=options.cache, report=report, agreed=options.stack.builds)
    stack, request, built = _lock_request(options, stack, sources, builds, system)
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
        builds=builds,
    )
    return plan, replace(request, sources=sources_with_stack(sources, stack)), asked, built


def _lock_request(
    options: BundleOptions, stack: StackRequest, sources: Sources, builds: SourceBuilds, system: System
) -> tuple[StackRequest, LockRequest, Mapping[str, str]]:
    """Return the stack with the wheels of what was asked for as sources, what is locked for it, and their names."""
    request = LockRequest(
        python=options.python.executable,
        sources=sources,
        environ=system.environ,
        optional=options.optional,
        offline=options.sources.offline,
        machine=options.machine,
        target=options.target,
        excluded=projects_left_out(options.request),
    )
    stack, built = with_wheels_of_sources(stack, request, builds, system)
    return stack, lock_request_for_stack(request, stack), built
