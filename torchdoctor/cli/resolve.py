"""`torchdoctor resolve`: the plan alone, for this machine or another one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.machine_options import MachineOptions, machine_of, machine_options
from torchdoctor.cli.options import AsTyped, output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.plan_options import choice_options, dated_source_options, stack_options
from torchdoctor.core.i18n import message, translate
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.errors import UsageError
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.detect import Machine
    from torchdoctor.requirements import StackOptions, StackRequest
    from torchdoctor.resolve import Plan, Request
    from torchdoctor.resolve.uv_choice import UvChoice
    from torchdoctor.workflows import SourceOptions
    from wheels_index import Snapshot

__all__ = ["command"]


@click.command("resolve", short_help="Say which build fits, and why not the others.")
@choice_options
@stack_options
@machine_options
@click.option(
    "--format",
    "form",
    cls=AsTyped,
    type=click.Choice(
        [
            "table",
            "json",
            "pip",
            "requirements",
            "constraints",
            "uv",
            "poetry",
            "environment.yml",
            "dockerfile",
            "devcontainer",
            "pylock",
            "urls",
        ]
    ),
    default="table",
    show_default=True,
    help="What to print.",
)
@click.option(
    "--hashes", is_flag=True, help="Requirements with everything that has to be installed, and its hashes."
)
@click.option(
    "--compare-uv", is_flag=True, help="Say also what `uv pip install --torch-backend=auto` would take."
)
@dated_source_options
@click.option(
    "--yes", is_flag=True, help="Take what a terminal would be asked for: indexes and code of projects."
)
@output_options
def command(
    *,
    torch: str | None,
    variant: str,
    without: tuple[str, ...],
    asked: StackOptions,
    described: MachineOptions,
    form: str,
    hashes: bool,
    compare_uv: bool,
    sources: SourceOptions,
    yes: bool,
    output: Output,
) -> int:
    """Say which build fits this machine, or another one, and why not the others.

    The answer rests on the releases that torchdoctor knows, and no source is asked unless one is named. A lock
    (`--format pylock`, or `--format requirements --hashes`) holds everything that has to be installed, so for it the
    sources of `install` are asked.

    \b
    torchdoctor resolve
    torchdoctor resolve --torch 2.9 --json
    torchdoctor resolve -r requirements.txt
    torchdoctor resolve --platform win_amd64 --python-version 3.12 --driver 551.61 --gpu "RTX 4090" --format pip
    torchdoctor resolve --machine other.json --format urls
    torchdoctor resolve --with timm --format dockerfile > Dockerfile
    torchdoctor resolve --format pylock > pylock.toml
    """
    from torchdoctor.cli.requests import request_from_options, stack_from_options

    stack = stack_from_options(asked, sources, stage_lines(output), yes=yes, python=described.python)
    request = request_from_options(torch=torch, variant_name=variant, without=without, stack=stack)
    machine = machine_of(described)
    if hashes and form != "requirements":
        raise UsageError(
            message("--hashes belongs to --format requirements"),
            fix=message("add --format requirements; a lock (--format pylock) has its hashes without it"),
        )
    if (form == "pylock" or hashes) and not output.json:
        return _print_lock(described, machine, request, sources, stack, without, output, form)
    plan = _resolve(described, machine, request, sources, stack, without, output)
    uv = _compare(machine, plan) if compare_uv else None
    if output.json or form == "json":
        told = uv.to_json() if uv is not None else None
        print_json({"schema": 1, "machine": machine.to_json(), **plan.to_json(), "uv": told})
        return 0
    _print_plan(plan, _form_of(plan, machine, form, stack, sources), form, output)
    _print_comparison(uv, plan, form)
    return 0


def _resolve(
    described: MachineOptions,
    machine: Machine,
    request: Request,
    sources: SourceOptions,
    stack: StackRequest,
    without: tuple[str, ...],
    output: Output,
) -> Plan:
    from torchdoctor.workflows.project_settings import has_limits

    if stack or has_limits(sources, os.environ):
        return _resolve_stack(described, machine, request, sources, stack, without, output)
    if sources.names_torch:
        return _resolve_online(machine, request, sources, output)
    return _resolve_offline(machine, request)


def _compare(machine: Machine, plan: Plan) -> UvChoice:
    from torchdoctor.lock.uv_backend import uv_families
    from torchdoctor.resolve.uv_choice import uv_choice

    return uv_choice(machine, uv_families(machine, os.environ), _known_index(), plan)


def _print_comparison(uv: UvChoice | None, plan: Plan, form: str) -> None:
    """What uv would take: the last row of a table; beside what another program reads, a line of its own."""
    from torchdoctor.report.terminal.plan import plan_row

    if uv is not None:
        echo(plan_row(plan, "uv", uv.description), err=form != "table")


def _form_of(plan: Plan, machine: Machine, form: str, stack: StackRequest, sources: SourceOptions) -> str:
    from torchdoctor.report.terminal.plan import FORMATS, plan_text

    if form in FORMATS:
        return plan_text(plan, form)
    from torchdoctor.report.formats import describe_stack, format_text

    return format_text(describe_stack(plan, machine, stack=stack, find_links=sources.find_links), form)


def _resolve_offline(machine: Machine, request: Request) -> Plan:
    from dataclasses import replace

    from torchdoctor.resolve import resolve
    from torchdoctor.sources.freshness import old_facts_warning

    index = _known_index(lambda text: echo(translate(text), err=True))
    plan = resolve(machine, request, index)
    warning = old_facts_warning(index, asked=False)
    return plan if warning is None else replace(plan, warnings=(*plan.warnings, warning))


def _known_index(note: Callable[[str], None] | None = None) -> Snapshot:
    from torchdoctor.core.fs.user_folders import data_folder
    from torchdoctor.sources.index_cache import known_index

    return known_index(data_folder(os.environ), note)


def _resolve_online(machine: Machine, request: Request, options: SourceOptions, output: Output) -> Plan:
    from torchdoctor.core.fs.user_folders import data_folder
    from torchdoctor.workflows import resolve_online
    from torchdoctor.workflows.sources import sources_from_options

    report = stage_lines(output, may_ask=False)
    plan, _ = resolve_online(
        request,
        machine,
        sources_from_options(options, report),
        offline=options.offline,
        report=report,
        data=data_folder(os.environ),
    )
    return plan


def _resolve_stack(
    described: MachineOptions,
    machine: Machine,
    request: Request,
    sources: SourceOptions,
    stack: StackRequest,
    without: tuple[str, ...],
    output: Output,
) -> Plan:
    """Other packages take part: their indexes are read, and those of torch only where one is named."""
    from torchdoctor.cli.bundle_options import bundle_options_from
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows.machine_plan import plan_for_machine

    report = stage_lines(output, may_ask=False)
    options = bundle_options_from(described, machine, request, sources, stack, without)
    try:
        return plan_for_machine(options, system=host_system(os.environ), report=report)
    finally:
        report.close()


def _print_plan(plan: Plan, text: str, form: str, output: Output) -> None:
    echo(text)
    if form != "table" and not output.quiet:
        for warning in (*plan.warnings, *(left_out.message for left_out in plan.left_out)):
            label = click.style(gettext("warning:"), fg="yellow")
            echo(f"{label} {translate(warning)}", err=True)


def _print_lock(
    described: MachineOptions,
    machine: Machine,
    request: Request,
    sources: SourceOptions,
    stack: StackRequest,
    without: tuple[str, ...],
    output: Output,
    form: str,
) -> int:
    from torchdoctor.cli.bundle_options import bundle_options_from
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows.bundle import lock_for_machine

    report = stage_lines(output, may_ask=False)
    options = bundle_options_from(described, machine, request, sources, stack, without)
    try:
        plan, lock = lock_for_machine(options, system=host_system(os.environ), report=report)
    finally:
        report.close()
    if form == "pylock":
        echo(lock.text, nl=False)
        return 0
    from torchdoctor.report.formats import describe_stack
    from torchdoctor.report.formats.pip import locked_requirements

    echo(locked_requirements(describe_stack(plan, machine, find_links=sources.find_links), lock))
    return 0
