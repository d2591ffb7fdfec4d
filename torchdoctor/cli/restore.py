"""`torchdoctor restore [ENV]`: bring torch back to what was recorded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.locations import environment_python
from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.plan_options import source_options
from torchdoctor.cli.trust import trust_option
from torchdoctor.core.i18n import message, plurals, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from torchdoctor.workflows import RecordedResult, SourceOptions

__all__ = ["command"]


@click.command("restore", short_help="Bring torch back to what was recorded.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@source_options
@click.option("--dry-run", is_flag=True, help="Say what would be changed, and stop.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@trust_option
@output_options
def command(*, env: Path | None, sources: SourceOptions, dry_run: bool, yes: bool, output: Output) -> int:
    """Bring torch, its companions and what they need back to what torchdoctor recorded when it installed into ENV.

    The files come from the cache or from where they came from then. Other packages stay; where one would stop working,
    nothing is changed. Without ENV: the active environment, else ./.venv.

    \b
    torchdoctor restore --dry-run
    torchdoctor restore ~/envs/vision
    """
    from torchdoctor.core.fs.user_folders import cache_folder, data_folder
    from torchdoctor.core.system import host_system
    from torchdoctor.install.location import environment_of
    from torchdoctor.workflows import RecordedOptions, run_restore

    options = RecordedOptions(
        folder=environment_of(environment_python(env, is_read=dry_run)),
        cache=cache_folder(os.environ),
        data=data_folder(os.environ),
        sources=sources,
        dry_run=dry_run,
        assume_yes=yes,
    )
    report = stage_lines(output)
    try:
        result = run_restore(options, system=host_system(os.environ), report=report)
    finally:
        report.close()
    if output.json:
        print_json(result.to_json(dry_run=dry_run))
    else:
        _show(result, dry_run=dry_run)
    return 0


def _show(result: RecordedResult, *, dry_run: bool) -> None:
    packages = plurals.packages(len(result.changes) + len(result.again))
    if not result.changes and not result.again:
        text = message("{folder} is as it was recorded; nothing was changed", folder=result.folder)
    elif dry_run:
        text = message("would change {folder}: {packages}", folder=result.folder, packages=packages)
    else:
        text = message(
            "{folder} is as it was recorded on {time}: {packages}",
            folder=result.folder,
            time=result.recorded or "?",
            packages=packages,
        )
    echo(translate(text))
    if dry_run:
        for change in result.changes:
            echo(f"  {change}")
        for name in result.again:
            echo(f"  {translate(message('{name} is installed again', name=name))}")
