"""`torchdoctor help [COMMAND]`: the help of the program or of a command."""

from __future__ import annotations

import click

from torchdoctor.cli.commands import COMMANDS, load_command
from torchdoctor.cli.language import translate_help
from torchdoctor.report.terminal.echo import echo

__all__ = ["command"]


@click.command("help", short_help="Show the help of a command.")
@click.argument("name", required=False, metavar="[COMMAND]", type=click.Choice([*COMMANDS]))
@click.pass_context
def command(ctx: click.Context, *, name: str | None) -> int:
    """Show the help of the program, or of one command.

    \b
    torchdoctor help
    torchdoctor help install
    """
    root = ctx.find_root()
    if name is None:
        echo(root.get_help())
        return 0
    asked = load_command(name)
    translate_help(asked)
    with click.Context(asked, info_name=name, parent=root) as inner:
        echo(asked.get_help(inner))
    return 0
