"""The one way of a line to a terminal: nothing but our own colours acts there."""

from __future__ import annotations

import re

import click

from torchdoctor.core.visible import visible

__all__ = ["echo", "guarded"]

# What `click.style` writes. Conceal and blink are not among it: a text could hide a part of itself with them.
_OWN_COLOUR = re.compile(r"(\x1b\[(?:0|1|2|3|4|7|9|2[2-9]|[349][0-7]|10[0-7]|39|49)m)")


def echo(text: object = "", *, err: bool = False, nl: bool = True, color: bool | None = None) -> None:
    """Write a text as `click.echo` does, with an escape for every character that acts, reorders or is not seen."""
    click.echo(guarded(str(text)), err=err, nl=nl, color=color)


def guarded(text: str) -> str:
    """Return the text as it may reach a terminal: our own colours act, everything else is shown."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        part if number % 2 else visible(part) for number, part in enumerate(_OWN_COLOUR.split(text))
    )
