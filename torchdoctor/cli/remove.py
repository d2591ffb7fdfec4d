"""`torchdoctor remove ENV`: remove an environment with its kernels."""

from __future__ import annotations

import os
from pathlib import Path

import click

from torchdoctor.cli.locations import environment_folder
from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.core.i18n import message, translate
from torchdoctor.report.terminal.echo import echo

__all__ = ["command"]


@click.command("remove", short_help="Remove an environment and its Jupyter kernels.")
@click.argument("env", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and stop.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@output_options
def command(*, env: Path, dry_run: bool, yes: bool, output: Output) -> int:
    """Remove the virtual environment ENV and the Jupyter kernels that run it.

    A folder that holds anything else is left as it is. Fetched wheels stay in the cache: `torchdoctor cache clean`
    removes those.

    \b
    torchdoctor remove .venv --dry-run
    torchdoctor remove ~/envs/vision
    """
    from torchdoctor.core.fs.user_folders import cache_folder
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows import run_remove

    report = stage_lines(output)
    try:
        result = run_remove(
            env.absolute() if env.is_symlink() else environment_folder(env), cache_folder(os.environ),
            dry_run=dry_run, assume_yes=yes, system=host_system(os.environ), report=report,
        )  # fmt: skip
    finally:
        report.close()
    if output.json:
        print_json(result.to_json())
        return 0
    text = (
        message("removed {what}", what=result.summary)
        if result.removed
        else message("would remove {what}", what=result.summary)
    )
    echo(translate(text))
    return 0
