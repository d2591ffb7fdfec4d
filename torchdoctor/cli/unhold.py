"""`torchdoctor unhold [ENV]`: let pip and uv replace torch as they like."""

from __future__ import annotations

import os
from pathlib import Path

import click

from torchdoctor.cli.hold import show_left_files
from torchdoctor.cli.locations import environment_python
from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.cli.trust import trust_option
from torchdoctor.core.i18n import message, translate
from torchdoctor.report.terminal.echo import echo

__all__ = ["command"]


@click.command("unhold", short_help="Let pip and uv replace torch as they like.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@trust_option
@output_options
def command(*, env: Path | None, output: Output) -> int:
    """Take away what `install` and `hold` wrote into ENV; every other byte of its files stays.

    Without ENV: the active environment, else ./.venv.

    \b
    torchdoctor unhold
    torchdoctor unhold ~/envs/vision
    """
    from torchdoctor.core.fs.user_folders import cache_folder
    from torchdoctor.core.system import host_system
    from torchdoctor.install.location import environment_of
    from torchdoctor.workflows import run_unhold

    folder = environment_of(environment_python(env))
    result = run_unhold(folder, cache_folder(os.environ), system=host_system(os.environ))
    if output.json:
        print_json(result.to_json())
        return 0
    text = (
        message("{folder}: pip and uv may replace torch by any build", folder=folder)
        if result.written.changed
        else message("{folder}: nothing was held", folder=folder)
    )
    echo(translate(text))
    show_left_files(result)
    return 0
