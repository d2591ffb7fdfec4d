"""Families for a project's machines: the change of a uv project, constraints for pip, steps for other programs."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import NoSolution
from torchdoctor.project import edit_uv_project, recognize_project
from torchdoctor.project.adopt import adopt_families
from torchdoctor.project.advice import launcher_advice
from torchdoctor.project.asked import machine_with_project_python, pinned_torch, project_request
from torchdoctor.project.families import family_tables, named_families
from torchdoctor.project.limits import torch_limits
from torchdoctor.project.result import ProjectResult
from torchdoctor.project.snippets import github_matrix, poetry_tables
from torchdoctor.project.warnings import project_warnings
from torchdoctor.report.formats import describe_stack, format_text
from torchdoctor.resolve import Request, resolve
from torchdoctor.resolve.driver_updates import fewer_families, idle_gpus, updates_for_newer_torch
from torchdoctor.resolve.family_cover import TorchLimits, cover_machines
from torchdoctor.sources import OFFICIAL
from torchdoctor.workflows.project_constraints import constraint_changes
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torchdoctor.detect import Machine
    from torchdoctor.project import FamilyTables, ProjectFolder
    from torchdoctor.project.advice import AdviceStep
    from torchdoctor.project.model import Section
    from torchdoctor.project.result import ProjectOptions
    from torchdoctor.resolve.family_cover import Family, FamilyCover
    from wheels_index import Snapshot

__all__ = ["plan_project"]


def plan_project(options: ProjectOptions, snapshot: Snapshot) -> ProjectResult:
    """Return the families for the machines, and what each kind of project needs for them; nothing is written.

    Raises `UsageError` for a folder or a file that cannot be used, `NoSolution` where no machine can be served.
    """
    project = recognize_project(options.folder)
    names = project.names() | {str(canonicalize_name(name)) for name in options.with_}
    machines = {
        name: machine_with_project_python(machine, project, snapshot)
        for name, machine in options.machines.items()
    }
    requests = {name: _request(project, machine, options, names) for name, machine in machines.items()}
    limits = TorchLimits()
    if project.kind == "uv" and project.pyproject is not None and options.torch is None:
        limits = torch_limits(project.pyproject, snapshot)
    cover = cover_machines(machines, requests, snapshot, limits=limits)
    if cover.unserved and not cover.families:
        raise next(iter(cover.unserved.values()))
    families = _all_families(cover, options, snapshot)
    tables = tuple(
        family_tables(
            family,
            section=_section(project, options),
            index_url=options.source.index_url,
            names=names,
            is_pinned=pinned_torch(project) and options.torch is None,
            snapshot=snapshot,
        )
        for family in families
    )
    if project.pyproject is not None and project.kind == "uv":
        tables = adopt_families(project.pyproject, tables, keep_mirrors=options.source == OFFICIAL)
    result = ProjectResult(
        project=project,
        machines=machines,
        cover=cover,
        families=tables,
        idle=idle_gpus(machines, cover, snapshot),
        newer_torch=updates_for_newer_torch(machines, cover, snapshot),
        fewer=fewer_families(machines, cover, requests, snapshot, limits=limits),
        warnings=project_warnings(project, names, families, snapshot),
    )
    return _with_files(result, families, requests, snapshot)


def _with_files(
    result: ProjectResult, families: tuple[Family, ...], requests: Mapping[str, Request], snapshot: Snapshot
) -> ProjectResult:
    """Add what the kind of project needs."""
    project, tables = result.project, result.families
    if project.launcher is not None:
        result = replace(result, advice=_advice(result, requests, snapshot))
    if project.kind == "uv" and project.pyproject is not None:
        return replace(
            result,
            changes=(edit_uv_project(project.pyproject, tables),),
            commands=_commands(result, lambda table: table.sync_command),
            matrix=_matrix(result),
        )
    if project.kind == "poetry":
        return replace(
            result,
            to_add=poetry_tables(tables),
            commands=_commands(result, lambda table: f"poetry install --extras {table.name}"),
        )
    if project.kind == "requirements":
        file = project.requirement_files[0].name
        return replace(
            result,
            changes=constraint_changes(result, families, snapshot),
            commands=_commands(
                result,
                lambda table: shlex.join(
                    ["pip", "install", "-c", f"constraints-{table.name}.txt", "-r", file]
                ),
            ),
        )
    return result


def _commands(result: ProjectResult, command: Callable[[FamilyTables], str]) -> dict[str, str]:
    found = {name: result.tables_of(name) for name in result.machines}
    return {name: command(table) for name, table in found.items() if table is not None}


def _matrix(result: ProjectResult) -> str | None:
    if not result.machines:
        return None
    taken = {name: (machine, result.tables_of(name)) for name, machine in result.machines.items()}
    return github_matrix(
        result.families,
        {name: (machine, table.name) for name, (machine, table) in taken.items() if table is not None},
    )


def _advice(
    result: ProjectResult, requests: Mapping[str, Request], snapshot: Snapshot
) -> dict[str, tuple[AdviceStep, ...]]:
    """The steps for each family, as its first machine takes them."""
    launcher = result.project.launcher
    assert launcher is not None  # noqa: S101  (the caller has looked)
    advice = {}
    for family in result.cover.families:
        machine = result.machines[family.machines[0]]
        request = replace(
            requests[family.machines[0]],
            torch=SpecifierSet(f"=={family.torch}"),
            variant=family.variant,
            excluded=frozenset({"torchaudio"}) if launcher.mechanism == "torch-command" else frozenset(),
        )
        plan = resolve(machine, request, snapshot)
        words = shlex.split(format_text(describe_stack(plan, machine, snapshot=snapshot), "pip"))
        advice[family.variant] = launcher_advice(
            launcher, result.project.path, plan, machine, pip_words=tuple(words)
        )
    return advice


def _request(project: ProjectFolder, machine: Machine, options: ProjectOptions, names: set[str]) -> Request:
    """What the project asks on a machine; a companion that only another package brings must have a build as well."""
    request = project_request(project, machine, torch=options.torch, with_=options.with_)
    required = {name: SpecifierSet() for name in COMPANIONS if name in names} | request.required
    return replace(request, required=required)


def _section(project: ProjectFolder, options: ProjectOptions) -> Section:
    """Extras that a build backend makes cannot be written into the file: groups stand beside them."""
    is_dynamic = project.pyproject is not None and project.pyproject.is_dynamic("optional-dependencies")
    return "group" if is_dynamic else options.section


def _all_families(cover: FamilyCover, options: ProjectOptions, snapshot: Snapshot) -> tuple[Family, ...]:
    """Those of the machines, and those that were named; raises `NoSolution` where there is none."""
    torch = max((family.torch for family in cover.families), default=None) if cover.shares_release else None
    taken = {family.variant for family in cover.families}
    more = [name for name in options.variants if name not in taken]
    named = named_families(more, Request(torch=options.torch), torch, snapshot)
    missing = set(more) - {family.variant for family in named}
    if missing:
        raise NoSolution(
            message("no known torch release has a build of {variants}", variants=joined(sorted(missing))),
            fix=message("see `torchdoctor index show` for the variants that there are"),
        )
    return (*cover.families, *named)
