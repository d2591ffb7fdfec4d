"""`torchdoctor undo [ENV]`: take the last change of an environment back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.locations import environment_python
from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.plan_options import source_options
from torchdoctor.core.i18n import message, plurals, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from torchdoctor.workflows import RecordedResult, SourceOptions

__all__ = ["command"]


@click.command("undo", short_help="Take the last change of an environment back.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@source_options
@click.option("--dry-run", is_flag=True, help="Say what would be changed, and stop.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@output_options
def command(*, env: Path | None, sources: SourceOptions, dry_run: bool, yes: bool, output: Output) -> int:
    """Bring ENV back to what it was before torchdoctor changed it last; a second time makes that change again.

    The files come from the cache or from where they came from then. Where torchdoctor does not know them, since another
    program had installed them, nothing is changed. Without ENV: the active environment, else ./.venv.

    \b
    torchdoctor undo --dry-run
    torchdoctor undo ~/envs/vision
    """
    from torchdoctor.core.fs.user_folders import user_folders
    from torchdoctor.core.system import host_system
    from torchdoctor.install.location import environment_of
    from torchdoctor.workflows import RecordedOptions, run_undo

    folders = user_folders(os.environ)
    options = RecordedOptions(
        folder=environment_of(environment_python(env, is_read=dry_run)),
        cache=folders.cache,
        data=folders.data,
        sources=sources,
        dry_run=dry_run,
        assume_yes=yes,
    )
    report = stage_lines(output)
    try:
        result = run_undo(options, system=host_system(os.environ), report=report)
    finally:
        report.close()
    if output.json:
        print_json(result.to_json(dry_run=dry_run))
    else:
        _show(result, dry_run=dry_run)
    return 0


def _show(result: RecordedResult, *, dry_run: bool) -> None:
    packages = plurals.packages(len(result.changes))
    if dry_run:
        echo(translate(message("would change {folder}: {packages}", folder=result.folder, packages=packages)))
        for change in result.changes:
            echo(f"  {change}")
        return
    text = message(
        "{folder} is as it was before its last change: {packages}; a second undo makes that change again",
        folder=result.folder,
        packages=packages,
    )
    echo(translate(text))
