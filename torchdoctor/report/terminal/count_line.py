"""A line on a terminal that says how far something is: it is written again in its place, and removed at the end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import click

from torchdoctor.core.threads import start_thread
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ClockLine", "CountLine"]

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


class ClockLine:
    """A line that is written again each second, by `text` of the seconds that have passed, until it is closed."""

    def __init__(self, text: Callable[[float], str], turn: threading.Lock) -> None:
        self._text, self._turn = text, turn
        self._line, self._closed = CountLine(), threading.Event()
        self._began = time.monotonic()
        start_thread(self._tick)

    def clear(self) -> None:
        """Remove the line, until it is written again."""
        self._line.clear()

    def close(self) -> None:
        """Remove the line for good."""
        self._closed.set()
        with self._turn:
            self._line.clear()

    def _tick(self) -> None:
        while True:
            with self._turn:
                if self._closed.is_set():
                    return
                self._line.show(self._text(time.monotonic() - self._began))
            self._closed.wait(1.0)
