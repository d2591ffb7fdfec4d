"""`torchdoctor resolve`: the plan alone, for this machine or another one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.options import Output, choice_options, output_options, source_options
from torchdoctor.cli.place import say_json

if TYPE_CHECKING:
    from torchdoctor.machine import Machine
    from torchdoctor.plan import Plan, Request

__all__ = ["command"]

_SIZE = 4 * 1024 * 1024


@click.command("resolve", short_help="Say which build fits, and why not the others.")
@choice_options
@click.option("--python", metavar="VERSION|PATH", help="The Python to choose for.")
@click.option("--machine", "machine_file", metavar="FILE|-", help="Another machine, as contract JSON.")
@click.option(
    "--platform", metavar="TAG", help="Another machine: win_amd64, linux_aarch64, macosx_14_0_arm64, ..."
)
@click.option("--python-version", metavar="X.Y[t]", help="Its Python; this one's without it.")
@click.option("--driver", metavar="VERSION", help="Its NVIDIA driver.")
@click.option(
    "--gpu", "gpus", multiple=True, metavar="NAME", help="Its GPU: a name, 8.9 or gfx1100. Once for each."
)
@click.option("--libc", metavar="NAMEX.Y", help="Its C library: glibc2.28, musl1.2.")
@click.option(
    "--format",
    "form",
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
    python: str | None,
    machine_file: str | None,
    platform: str | None,
    python_version: str | None,
    driver: str | None,
    gpus: tuple[str, ...],
    libc: str | None,
    form: str,
    index_url: str | None,
    find_links: tuple[str, ...],
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """Say which build fits this machine, or another one, and why not the others.

    The answer rests on the releases that torchdoctor knows, and no source is asked unless one is named.

    \b
    torchdoctor resolve
    torchdoctor resolve --torch 2.9 --json
    torchdoctor resolve --platform win_amd64 --python-version 3.12 --driver 551.61 --gpu "RTX 4090" --format pip
    torchdoctor resolve --machine other.json --format urls
    """
    from torchdoctor.cli.asked import request_asked

    request = request_asked(torch=torch, variant_name=variant, with_=with_, without=without)
    machine = _machine(machine_file, platform, python, python_version, driver, gpus, libc)
    if index_url or find_links or mirror:
        plan = _ask_sources(machine, request, index_url, find_links, mirror, offline, output)
    else:
        from torchdoctor.cli.place import data_folder
        from torchdoctor.index_store import known_index
        from torchdoctor.snapshot_shelf import plan_from_snapshot

        known = known_index(data_folder(), lambda text: click.echo(text, err=True))
        plan = plan_from_snapshot(machine, request, known)
    if output.json or form == "json":
        say_json({"schema": 1, "machine": machine.to_json(), **plan.to_json()})
        return 0
    from torchdoctor.report.plan_text import plan_text

    click.echo(plan_text(plan, form))
    if form != "table" and not output.quiet:
        for text in (*plan.warnings, *(f"{row.name} is left out: {row.because}" for row in plan.left_out)):
            click.echo(f"{click.style('warning:', fg='yellow')} {text}", err=True)
    return 0


def _machine(
    machine_file: str | None,
    platform: str | None,
    python: str | None,
    python_version: str | None,
    driver: str | None,
    gpus: tuple[str, ...],
    libc: str | None,
) -> Machine:
    """The machine of the file, of the description, or this one, with what the options say of it changed."""
    from dataclasses import replace

    from torchdoctor.errors import UsageError
    from torchdoctor.machine import Machine

    described = [text for text in (platform, python_version, driver, libc, *gpus) if text is not None]
    if machine_file is not None:
        if described or python:
            raise UsageError(
                "--machine describes a whole machine, and other options describe one as well",
                fix="leave out --machine, or --platform, --python, --python-version, --driver, --gpu and --libc",
            )
        return Machine.from_json(_read(machine_file))
    if python is not None and python_version is not None:
        raise UsageError(
            "--python and --python-version both say for which Python", fix="leave one of them out"
        )
    from torchdoctor.described import described_machine

    if platform is not None:
        version = python_version or python or ".".join(map(str, sys.version_info[:3]))
        return described_machine(
            platform=platform, python_version=version, driver=driver, gpus=gpus, libc=libc
        )
    from torchdoctor.machine import detect, find_python, real_world

    world = real_world(os.environ)
    here = detect(world, python=find_python(world, python)).machine
    if not described:
        return here
    other = described_machine(
        platform="linux",
        python_version=python_version or here.python_label,
        driver=driver,
        gpus=gpus,
        libc=libc,
    )
    if python_version:
        here = replace(here, python=replace(other.python, bits=here.python.bits))
    if libc:
        here = replace(here, libc=other.libc)
    if gpus or driver:
        here = replace(here, nvidia=other.nvidia, amd=other.amd, intel=other.intel)
    return here


def _ask_sources(
    machine: Machine,
    request: Request,
    index_url: str | None,
    find_links: tuple[str, ...],
    mirror: str | None,
    offline: bool,
    output: Output,
) -> Plan:
    from torchdoctor.cli.place import data_folder
    from torchdoctor.decide import SourceOptions, decide
    from torchdoctor.report.progress import StageLines
    from torchdoctor.sources.order import sources_in_order

    options = SourceOptions(index_url=index_url, find_links=find_links, mirror=mirror, offline=offline)
    sources = sources_in_order(
        index_url=index_url, find_links=find_links, mirror_name=mirror, offline=offline
    )
    report = StageLines(quiet=output.quiet or output.json, verbose=output.verbose, may_ask=False)
    return decide(request, options, machine, sources, report, data=data_folder())[0]


def _read(name: str) -> Any:
    import json

    from torchdoctor.errors import UsageError

    try:
        text = sys.stdin.read(_SIZE + 1) if name == "-" else _head(Path(name))
        if len(text) > _SIZE:
            raise UsageError(
                f"{name} is larger than 4 MiB, which no machine's description is", fix="check the file"
            )
        document = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"--machine {name} cannot be read: {error}",
            fix="give a file that `torchdoctor report --format json` or `resolve --json` wrote",
        ) from error
    # A whole report holds the machine under `machine`.
    inner = document.get("machine") if isinstance(document, dict) else None
    return inner if isinstance(inner, dict) else document


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_SIZE + 1).decode("utf-8")
