"""A line on a terminal that says how far something is: it is written again in its place, and removed at the end."""

from __future__ import annotations

import click

from torchdoctor.report.terminal.echo import echo

__all__ = ["CountLine"]

# https://ecma-international.org/publications-and-standards/standards/ecma-48/: erase in line.
_ERASE = "\r\x1b[K"


class CountLine:
    """The line at the bottom of standard error."""

    def __init__(self) -> None:
        self._shown = False

    def show(self, text: str) -> None:
        """Write the text in place of the last one."""
        click.echo(_ERASE, nl=False, err=True)
        echo(text, nl=False, err=True)
        self._shown = True

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            click.echo(_ERASE, nl=False, err=True)
            self._shown = False
