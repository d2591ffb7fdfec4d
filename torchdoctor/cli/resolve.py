"""`torchdoctor resolve`: the plan alone, for this machine or another one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.machine_options import MachineOptions, machine_of, machine_options
from torchdoctor.cli.options import AsTyped, output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.plan_options import choice_options, source_options
from torchdoctor.core.i18n import translate
from torchdoctor.core.i18n.catalog import gettext

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Plan, Request
    from torchdoctor.workflows import SourceOptions

__all__ = ["command"]


@click.command("resolve", short_help="Say which build fits, and why not the others.")
@choice_options
@machine_options
@click.option(
    "--format",
    "form",
    cls=AsTyped,
    type=click.Choice(["table", "json", "pip", "requirements", "pylock", "urls"]),
    default="table",
    show_default=True,
    help="What to print.",
)
@source_options
@output_options
def command(
    *,
    torch: str | None,
    variant: str,
    with_: tuple[str, ...],
    without: tuple[str, ...],
    described: MachineOptions,
    form: str,
    sources: SourceOptions,
    output: Output,
) -> int:
    """Say which build fits this machine, or another one, and why not the others.

    The answer rests on the releases that torchdoctor knows, and no source is asked unless one is named. A lock
    (`--format pylock`) holds everything that has to be installed, so for it the sources of `install` are asked.

    \b
    torchdoctor resolve
    torchdoctor resolve --torch 2.9 --json
    torchdoctor resolve --platform win_amd64 --python-version 3.12 --driver 551.61 --gpu "RTX 4090" --format pip
    torchdoctor resolve --machine other.json --format urls
    torchdoctor resolve --format pylock > pylock.toml
    """
    from torchdoctor.cli.requests import request_from_options

    request = request_from_options(torch=torch, variant_name=variant, with_=with_, without=without)
    machine = machine_of(described)
    if form == "pylock" and not output.json:
        return _print_lock(described, machine, request, sources, with_, without, output)
    if sources.index_url or sources.find_links or sources.mirror:
        plan = _resolve_online(machine, request, sources, output)
    else:
        plan = _resolve_offline(machine, request)
    if output.json or form == "json":
        print_json({"schema": 1, "machine": machine.to_json(), **plan.to_json()})
    else:
        _print_plan(plan, form, output)
    return 0


def _resolve_offline(machine: Machine, request: Request) -> Plan:
    from torchdoctor.core.fs.user_folders import data_folder
    from torchdoctor.resolve import resolve
    from torchdoctor.sources.index_cache import known_index

    index = known_index(data_folder(os.environ), lambda text: click.echo(translate(text), err=True))
    return resolve(machine, request, index)


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


def _print_plan(plan: Plan, form: str, output: Output) -> None:
    from torchdoctor.report.terminal.plan import plan_text

    click.echo(plan_text(plan, form))
    if form != "table" and not output.quiet:
        for text in (*plan.warnings, *(left_out.message for left_out in plan.left_out)):
            label = click.style(gettext("warning:"), fg="yellow")
            click.echo(f"{label} {translate(text)}", err=True)


def _print_lock(
    described: MachineOptions,
    machine: Machine,
    request: Request,
    sources: SourceOptions,
    with_: tuple[str, ...],
    without: tuple[str, ...],
    output: Output,
) -> int:
    from torchdoctor.cli.bundle_options import bundle_options_from
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows.bundle import lock_for_machine

    report = stage_lines(output, may_ask=False)
    options = bundle_options_from(described, machine, request, sources, with_, without)
    try:
        _, lock = lock_for_machine(options, system=host_system(os.environ), report=report)
    finally:
        report.close()
    click.echo(lock.text, nl=False)
    return 0
