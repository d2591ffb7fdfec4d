"""The limits that pip's and uv's settings set, as part of what is asked for and of the facts that are chosen from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from torchdoctor.core.fs.user_folders import current_folder
from torchdoctor.core.i18n import message
from torchdoctor.core.markers import marker_holds
from torchdoctor.errors import NoSolution
from torchdoctor.lock.target import marker_environment
from wheels_index import DatedSnapshot, released_before

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.requirements import AskedRequirement, StackRequest
    from torchdoctor.resolve import Plan
    from torchdoctor.sources import Sources
    from torchdoctor.sources.cutoff import Cutoff
    from torchdoctor.sources.installer_limits import Limits
    from wheels_index import Snapshot

__all__ = ["dated_facts", "said_of_limits", "stack_with_limits"]


def stack_with_limits(
    stack: StackRequest,
    sources: Sources,
    environ: Mapping[str, str],
    report: Reporter,
    machine: Machine | None = None,
) -> tuple[StackRequest, Sources]:
    """Return the stack with the constraints and overrides of the files that settings name, and what they say of torch.

    Where there is a `machine`, that is what counts on it.
    Raises `UsageError` for a file that cannot be read, as pip and uv do.
    """
    limits = sources.limits
    if not (limits.constraints or limits.overrides or limits.prereleases):
        return stack, sources
    from torchdoctor.requirements.builder import StackBuilder
    from torchdoctor.requirements.pip_files import read_requirements_file

    constraints: list[AskedRequirement] = []
    overrides: list[str] = []
    notes: list[str] = []
    for named, origin in (*limits.constraints, *limits.overrides):
        builder = StackBuilder(
            environ=environ, folder=current_folder(), ask=lambda question: report.ask(question, default=False)
        )
        is_override = (named, origin) in limits.overrides
        read_requirements_file(named, builder, kind="constraints", origin=origin)
        found = [
            replace(each, origin=message("{place} ({setting})", place=each.origin, setting=origin))
            for each in builder.constraints
        ]
        if is_override:
            overrides += [each.line for each in found]
        else:
            constraints += found
        notes += builder.notes
    values = marker_environment(machine) if machine is not None else None
    on_torch = tuple(
        (str(requirement.specifier), each.origin)
        for each in constraints
        for requirement in ([Requirement(each.line)] if each.name == "torch" else [])
        if values is None or marker_holds(requirement.marker, dict(values))
    )
    joined_stack = replace(
        stack,
        constraints=(*stack.constraints, *constraints),
        overrides=tuple(dict.fromkeys((*stack.overrides, *overrides))),
        prereleases=stack.prereleases or limits.prereleases,
        notes=tuple(dict.fromkeys((*stack.notes, *notes))),
    )
    return joined_stack, replace(sources, limits=replace(limits, on_torch=on_torch))


def dated_facts(known: Snapshot, cutoff: Cutoff | None) -> Snapshot:
    """Return the facts as they were before the moment that counts; raises `NoSolution` where there was no torch yet."""
    if cutoff is None or cutoff.of("torch") is None:
        return known
    dated = DatedSnapshot(known, cutoff.of)
    if not dated.versions():
        oldest = known.release(known.versions()[-1])
        raise NoSolution(
            message(
                "no torch that is known came out before {moment}, which {origin} says: the first is {version} of {day}",
                moment=cutoff.shown,
                origin=cutoff.origin,
                version=oldest.version,
                day=oldest.released or "?",
            ),
            fix=message("name a later time, or --exclude-newer false"),
            code="exclude-newer",
        )
    return dated


def said_of_limits(plan: Plan, limits: Limits, known: Snapshot) -> Plan:
    """Return the plan with the settings that took part in it, and the reasons that they are for its torch.

    `known` are all facts, whenever they became known.
    """
    if not limits.used:
        return plan
    reasons: list[str] = [
        message("torch is limited to {versions} by {origin}", versions=versions, origin=origin)
        for versions, origin in limits.on_torch
        if versions
    ]
    cutoff = limits.cutoff
    moment = cutoff.of("torch") if cutoff is not None else None
    newest = known.release(known.versions()[0])
    if cutoff is not None and moment is not None and not released_before(newest.released, moment):
        reasons.append(_newest_left_out(cutoff, newest.released, str(newest.version)))
    used = tuple(each.to_json() for each in limits.used)
    return replace(plan, reasons=(*plan.reasons, *reasons), limits=used)


def _newest_left_out(cutoff: Cutoff, day: str | None, version: str) -> str:
    if day is None:
        return message(
            "of torch {version} it is not known when it came out, so it does not count where {origin} says {moment}",
            version=version,
            origin=cutoff.origin,
            moment=cutoff.shown,
        )
    return message(
        "torch {version} came out on {day}, which is too late for {origin}: only what is older than {moment} counts",
        version=version,
        day=day,
        origin=cutoff.origin,
        moment=cutoff.shown,
    )
