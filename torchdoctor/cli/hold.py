"""`torchdoctor hold [ENV]`: have pip and uv keep torch in its family of builds."""

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
from torchdoctor.core.i18n import message, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from torchdoctor.workflows import HoldResult, SourceOptions

__all__ = ["command", "show_left_files"]


@click.command("hold", short_help="Have pip and uv keep torch in its family of builds.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@source_options
@trust_option
@output_options
def command(*, env: Path | None, sources: SourceOptions, output: Output) -> int:
    """Have pip and uv keep the torch of ENV in its family of builds, such as cu126, or renew what keeps it.

    `install` does this too. ENV's pip.conf gets a constraint, and its activate scripts a variable for uv; everything
    else in these files stays. Without ENV: the active environment, else ./.venv.

    \b
    torchdoctor hold
    torchdoctor hold ~/envs/vision
    """
    from torchdoctor.core.fs.user_folders import user_folders
    from torchdoctor.core.system import host_system
    from torchdoctor.install.location import environment_of
    from torchdoctor.workflows import HoldOptions, run_hold
    from torchdoctor.workflows.hold import hold_sentence

    folders = user_folders(os.environ)
    options = HoldOptions(
        folder=environment_of(environment_python(env)),
        cache=folders.cache,
        data=folders.data,
        sources=sources,
    )
    report = stage_lines(output)
    try:
        result = run_hold(options, system=host_system(os.environ), report=report)
    finally:
        report.close()
    if output.json:
        print_json(result.to_json())
        return 0
    if result.hold is None:
        text = message("nothing to hold: PyPI has the same kind of builds for this machine")
    else:
        text = message("{folder}: {sentence}", folder=result.folder, sentence=hold_sentence(result.hold))
    echo(translate(text))
    show_left_files(result)
    return 0


def show_left_files(result: HoldResult) -> None:
    """Name the files that were left as they are."""
    for name in result.written.left:
        text = message(
            "{file} stays as it is: it is a link, is signed or of an unknown kind, or somebody changed these lines",
            file=result.folder / name,
        )
        echo(translate(text), err=True)
