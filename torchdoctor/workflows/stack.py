"""What is asked for besides torch, for one machine: split from the request, and its indexes beside the user's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.detect import supported_tags
from torchdoctor.lock.target import marker_environment
from torchdoctor.requirements.markers import stack_for_environment
from torchdoctor.requirements.wheel_urls import refuse_wheels_of_other_machines
from torchdoctor.resolve.stack import with_stack
from torchdoctor.sources.source import Source, as_url
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import Machine
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.requirements import AskedRequirement, StackRequest
    from torchdoctor.resolve import Request
    from torchdoctor.sources import Sources
    from torchdoctor.workflows.source_builds import SourceBuilds

__all__ = [
    "asked_for_machine",
    "lock_request_for_stack",
    "projects_left_out",
    "request_for_machine",
    "sources_with_stack",
    "with_wheels_of_sources",
]


def request_for_machine(
    request: Request, stack: StackRequest, machine: Machine, report: Reporter
) -> tuple[Request, StackRequest]:
    """Return the request with what the stack asks of torch, and the rest of the stack as it counts on that machine.

    What of the files is replaced or not followed is reported. Raises `UsageError` where a project is for another
    Python, `NoSolution` where a wheel that is asked for by URL is for another machine.
    """
    stack = stack_for_environment(stack, marker_environment(machine))
    refuse_wheels_of_other_machines(stack.requirements, supported_tags(machine))
    asked, rest = with_stack(request, stack)
    for text in rest.notes:
        report.note(text)
    return asked, rest


def asked_for_machine(
    stack: StackRequest, machine: Machine, built: Mapping[str, str] | None = None
) -> tuple[AskedRequirement, ...]:
    """Return what the stack asks for on that machine, torch included.

    `built` has the true names of packages that are built from the sources that were asked for: hashes are of these.
    """
    asked = stack_for_environment(stack, marker_environment(machine)).requirements
    names = built or {}
    return tuple(
        replace(each, name=names[each.name], hashes=()) if each.name in names else each for each in asked
    )


def with_wheels_of_sources(
    stack: StackRequest, request: LockRequest, builds: SourceBuilds, system: System
) -> tuple[StackRequest, Mapping[str, str]]:
    """Return what `with_direct_sources` returns; nothing is loaded for a stack that names no place."""
    if not any(" @ " in asked.line for asked in stack.requirements):
        return stack, {}
    from torchdoctor.workflows.direct_sources import with_direct_sources

    return with_direct_sources(stack, request, builds, system)


def lock_request_for_stack(request: LockRequest, stack: StackRequest) -> LockRequest:
    """Return the request with everything that the stack asks for; its markers are evaluated."""
    return replace(
        request,
        sources=sources_with_stack(request.sources, stack),
        extras=tuple(each.line for each in stack.requirements),
        constraints=tuple(each.line for each in stack.constraints),
        overrides=stack.overrides,
        prereleases=stack.prereleases,
        preferred={each.name: each.line.partition("==")[2] for each in stack.preferred},
    )


def projects_left_out(request: Request) -> frozenset[str]:
    """Return what `--without` keeps away, whoever requires it.

    Companions are left out by the choice. pip and NumPy are only not added: what is chosen may need them.
    """
    return request.excluded - {*TORCH_PROJECTS, "numpy", "pip"}


def sources_with_stack(sources: Sources, stack: StackRequest) -> Sources:
    """Return the sources with the indexes and pages of the stack, to which the user agreed, after the user's own."""
    indexes = [_source(url, "simple") for url in stack.indexes]
    links = [_source(place, "flat") for place in stack.find_links]
    return replace(sources, indexes=(*sources.indexes, *indexes), find_links=(*sources.find_links, *links))


def _source(place: str, layout: str) -> Source:
    from torchdoctor.core.urls import redact_url

    return Source(
        name=redact_url(place),
        url=as_url(place, origin="a file of requirements"),
        layout="flat" if layout == "flat" else "simple",
        origin="a file of requirements",
    )
