"""The line's progress on standard error: one line a stage, bars on a terminal, silence when asked."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from torchdoctor.proof import CheckResult

__all__ = ["StageLines"]

_WIDTH = 9


class StageLines:
    """Writes each stage as a line. `assume_yes` and a missing terminal both keep it from asking."""

    def __init__(self, *, quiet: bool = False, verbose: int = 0, may_ask: bool = True) -> None:
        self.quiet, self.verbose = quiet, verbose
        self.terminal = sys.stderr.isatty()
        self.may_ask = may_ask and sys.stdin.isatty() and self.terminal
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._turn = threading.Lock()

    def stage(self, name: str, text: str) -> None:
        """Write the line of a stage that is done."""
        self._end_bar()
        if not self.quiet:
            click.echo(f"{click.style(name.ljust(_WIDTH), fg='green', bold=True)} {text}", err=True)

    def note(self, text: str) -> None:
        """Write something worth knowing below the stages."""
        if not self.quiet:
            self._say(f"{'':{_WIDTH}} {text}")

    def detail(self, text: str) -> None:
        """Write what only `-v` shows."""
        if self.verbose and not self.quiet:
            self._say(click.style(f"{'':{_WIDTH}} {text}", dim=True))

    def warn(self, text: str) -> None:
        """Write a warning; `--quiet` does not hide it."""
        self._say(f"{click.style('warning'.ljust(_WIDTH), fg='yellow', bold=True)} {text}")

    def waiting(self, what: str, seconds: float) -> None:
        """Write that a stage is still at work."""
        self.note(f"{what}: still working after {seconds:.0f} s")

    def check(self, result: CheckResult) -> None:
        """Write a check that did not pass; with `-v` every one."""
        text = f"{result.status:4} {result.id} on {result.device or 'no device'}: {result.detail}"
        if result.status == "fail":
            self.warn(text)
        else:
            self.detail(text)

    def confirm(self, question: str) -> bool:
        """Ask on a terminal; False elsewhere."""
        self._end_bar()
        return self.may_ask and click.confirm(question, default=False, err=True)

    def agree(self, question: str) -> bool:
        """Ask on a terminal; True elsewhere, where a command does what it was started for."""
        self._end_bar()
        return not self.may_ask or click.confirm(question, default=True, err=True)

    def start(self, total: int | None, files: int) -> None:
        """Show a bar over all bytes where there is a terminal."""
        if self.quiet or not self.terminal or not files or os.environ.get("TERM") == "dumb":
            return
        from rich import progress
        from rich.console import Console

        columns: list[Any] = [
            progress.TextColumn("fetch    "), progress.BarColumn(), progress.DownloadColumn(),
            progress.TransferSpeedColumn(), progress.TimeRemainingColumn(),
        ]  # fmt: skip
        self._bar = progress.Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(f"{files} files", total=total)
        self._bar.start()

    def advance(self, count: int) -> None:
        """Move the bar."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)

    def file(self, filename: str, done: int, size: int | None) -> None:
        """Move the bar of one file."""

    def retry(self, filename: str, why: str) -> None:
        """Write that a file is fetched anew."""
        self.note(f"{filename}: {why}; trying again")

    def _say(self, text: str) -> None:
        with self._turn:
            if self._bar is not None:
                self._bar.console.print(text, markup=False, highlight=False)
            else:
                click.echo(text, err=True)

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._end_bar()
