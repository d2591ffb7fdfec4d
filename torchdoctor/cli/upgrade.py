"""`torchdoctor upgrade [ENV]`: the newest torch that fits, with everything that was asked for."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.install import install_document, show_result
from torchdoctor.cli.locations import environment_python
from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.param_types import TORCH, VARIANT
from torchdoctor.cli.plan_options import dated_source_options

if TYPE_CHECKING:
    from torchdoctor.report.terminal.stages import StageLines
    from torchdoctor.workflows import InstallOptions, SourceOptions

__all__ = ["command"]


@click.command("upgrade", short_help="Bring torch and what was asked for to the newest versions.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option(
    "--torch",
    type=TORCH,
    metavar="VERSION",
    help="A torch release, such as 2.9.1, 2.9 or '>=2.8,<2.10'.",
)
@click.option(
    "--variant",
    type=VARIANT,
    metavar="NAME",
    help="auto, cpu, cu126, rocm6.4, xpu, ... By default the family of builds that is there.",
)
@dated_source_options
@click.option("--dry-run", is_flag=True, help="Say what is newer, and stop.")
@click.option("--verify/--no-verify", default=True, show_default=True, help="Prove the result.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@output_options
def command(
    *,
    env: Path | None,
    torch: str | None,
    variant: str | None,
    sources: SourceOptions,
    dry_run: bool,
    verify: bool,
    yes: bool,
    output: Output,
) -> int:
    """Bring ENV to the newest torch of its family of builds, with its companions and all packages that were asked for.

    A version that was asked for stays. `torchdoctor undo` takes the change back. Without ENV: the active environment,
    else ./.venv.

    \b
    torchdoctor upgrade --dry-run
    torchdoctor upgrade ~/envs/vision
    torchdoctor upgrade --torch 2.14
    """
    from torchdoctor.core.system import host_system
    from torchdoctor.install.location import environment_of
    from torchdoctor.workflows import run_upgrade

    folder = environment_of(environment_python(env, is_read=dry_run))
    report = stage_lines(output)
    options = replace(
        _options(folder, torch, variant, sources, report, yes=yes), verify=verify, dry_run=dry_run
    )
    try:
        result = run_upgrade(
            options, keep_family=variant is None, system=host_system(os.environ), report=report
        )
    finally:
        report.close()
    if output.json:
        print_json(install_document(options, result))
    else:
        show_result(folder, result, output)
    return result.exit_status


def _options(
    folder: Path,
    torch: str | None,
    variant: str | None,
    sources: SourceOptions,
    report: StageLines,
    *,
    yes: bool,
) -> InstallOptions:
    """What is asked for, as an install of it."""
    from torchdoctor.cli.requests import request_from_options, stack_from_options
    from torchdoctor.core.fs.user_folders import cache_folder, data_folder
    from torchdoctor.install.hold.model import read_hold
    from torchdoctor.requirements import StackOptions
    from torchdoctor.workflows import InstallOptions

    stack = stack_from_options(StackOptions(), sources, report, yes=yes, python=str(folder), torch=torch)
    return InstallOptions(
        folder=folder,
        cache=cache_folder(os.environ),
        data=data_folder(os.environ),
        request=request_from_options(
            torch=torch, variant_name=variant or "auto", without=(), stack=stack, yes=yes
        ),
        sources=sources,
        stack=stack,
        hold=read_hold(folder) is not None,
        assume_yes=yes,
    )
