"""`torchdoctor resolve`: the plan alone, from what is known, without touching a source."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from torchdoctor.cli.options import Output, choice_options, output_options
from torchdoctor.cli.place import say_json

__all__ = ["command"]


@click.command("resolve", short_help="Say which build fits, and why not the others.")
@choice_options
@click.option("--python", metavar="VERSION|PATH", help="The Python to choose for.")
@click.option(
    "--machine",
    "machine_file",
    metavar="FILE|-",
    help="Another machine, as `report --format json` writes it.",
)
@output_options
def command(
    *,
    torch: str | None,
    variant: str,
    with_: tuple[str, ...],
    without: tuple[str, ...],
    python: str | None,
    machine_file: str | None,
    output: Output,
) -> int:
    """Say which build fits this machine, or the one described by --machine, and why not the others.

    No source is asked: the answer rests on the releases that torchdoctor knows.

    \b
    torchdoctor resolve
    torchdoctor resolve --torch 2.9 --json
    torchdoctor resolve --machine other.json
    """
    from torchdoctor.cli.asked import request_asked
    from torchdoctor.machine import Machine, detect, find_python, real_world
    from torchdoctor.snapshot_shelf import plan_from_snapshot

    request = request_asked(torch=torch, variant_name=variant, with_=with_, without=without)
    if machine_file is not None:
        machine = Machine.from_json(_read(machine_file))
    else:
        world = real_world(os.environ)
        machine = detect(world, python=find_python(world, python)).machine
    plan = plan_from_snapshot(machine, request)
    if output.json:
        say_json({"schema": 1, "machine": machine.to_json(), **plan.to_json()})
        return 0
    for package in plan.packages:
        seen = package.wheel.filename if package.wheel else "no file of it was seen yet"
        click.echo(f"{package.name} {package.version}  {seen}")
    click.echo(f"from {plan.index_url}")
    for reason in plan.reasons:
        click.echo(f"  because {reason}")
    for row in plan.rejected:
        click.echo(f"  not {row.variant}: {row.because}")
    for text in plan.warnings:
        click.echo(f"  warning: {text}")
    for left in plan.left_out:
        click.echo(f"  {left.name} is left out: {left.because}")
    return 0


def _read(name: str) -> Any:
    import json

    from torchdoctor.errors import UsageError

    limit = 4 * 1024 * 1024
    try:
        text = sys.stdin.read(limit + 1) if name == "-" else Path(name).read_text("utf-8")
        if len(text) > limit:
            raise UsageError(
                f"{name} is larger than 4 MiB, which no machine's description is", fix="check the file"
            )
        document = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"--machine {name} cannot be read: {error}",
            fix="give a file that `torchdoctor report --format json` wrote",
        ) from error
    # A whole report holds the machine under `machine`.
    return (
        document["machine"]
        if isinstance(document, dict) and isinstance(document.get("machine"), dict)
        else document
    )
