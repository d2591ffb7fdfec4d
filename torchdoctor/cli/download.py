"""`torchdoctor download DIR`: all wheels for this machine or another, to carry to where there is no network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.machine_options import MachineOptions, machine_of, machine_options
from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.plan_options import choice_options, dated_source_options, stack_options
from torchdoctor.core.fs.user_folders import full_path
from torchdoctor.core.i18n import message, plurals, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from torchdoctor.bundle import Bundle
    from torchdoctor.requirements import StackOptions
    from torchdoctor.workflows import SourceOptions

__all__ = ["command"]


@click.command("download", short_help="Fetch the wheels for a machine without network.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@choice_options
@stack_options
@machine_options
@dated_source_options
@click.option(
    "--sign-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Sign the bundle with this key of OpenSSH, as ssh-keygen -Y sign does.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Take what a terminal would be asked for: a CUDA build for a machine without a GPU, "
    "indexes and code of projects.",
)
@output_options
def command(
    *,
    folder: Path,
    torch: str | None,
    variant: str,
    without: tuple[str, ...],
    asked: StackOptions,
    described: MachineOptions,
    sources: SourceOptions,
    sign_key: Path | None,
    yes: bool,
    output: Output,
) -> int:
    """Fetch the wheels of the PyTorch that fits this machine, or another one, into DIR.

    DIR gets a lock, SHA-256 sums, and scripts that install it all where there is only Python. An interrupted run
    continues where it stopped.

    \b
    torchdoctor download usb-stick
    torchdoctor download D:/torch --platform win_amd64 --python-version 3.12 --driver 551.61 --gpu "RTX 4090"
    torchdoctor download bundle --machine other.json -r requirements.txt
    """
    from torchdoctor.bundle.folder import check_bundle_folder
    from torchdoctor.cli.bundle_options import bundle_options_from
    from torchdoctor.cli.requests import request_from_options, stack_from_options
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows import download

    place = full_path(folder)
    check_bundle_folder(place)
    report = stage_lines(output)
    stack = stack_from_options(asked, sources, report, yes=yes, python=described.python)
    request = request_from_options(torch=torch, variant_name=variant, without=without, stack=stack, yes=yes)
    machine = machine_of(described)
    options = bundle_options_from(described, machine, request, sources, stack, without)
    try:
        plan, bundle = download(
            options, place, system=host_system(os.environ), report=report,
            sign_key=full_path(sign_key) if sign_key is not None else None,
        )  # fmt: skip
    finally:
        report.close()
    if output.json:
        written = {
            "path": str(bundle.folder), "files": list(bundle.files), "size": bundle.size, "digest": bundle.digest,
            "signed": bundle.signed,
        }  # fmt: skip
        print_json({"schema": 1, "machine": machine.to_json(), **plan.to_json(), "bundle": written})
    else:
        _show(bundle)
    return 0


def _show(bundle: Bundle) -> None:
    echo(
        translate(
            message(
                "carry      {folder}  {files}, {size:.1f} MB",
                folder=bundle.folder,
                files=plurals.files(len(bundle.files)),
                size=bundle.size / 1e6,
            )
        )
    )
    echo(
        translate(
            message(
                "install    sh install.sh [ENV]      on Windows: install.ps1, anywhere: python install.py"
            )
        )
    )
    echo(translate(message("digest     {digest}", digest=bundle.digest)))
    echo(
        translate(
            message(
                "           send it to whoever installs, but not with the bundle: install.sh --digest {digest}",
                digest="sha256:…",
            )
        )
    )
