"""Progress of the pipeline on standard error: a line for each stage, bars on a terminal, nothing with `--quiet`."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import click

from torchdoctor.core.i18n import message, translate
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.core.urls import redact_urls_in
from torchdoctor.report.terminal.echo import echo
from torchdoctor.report.terminal.wrap import columns_of, hanging, padded
from torchdoctor.verify.status_text import STATUS

if TYPE_CHECKING:
    from torchdoctor.core.progress import CheckStatus
    from torchdoctor.report.terminal.count_line import ClockLine, CountLine
    from torchdoctor.report.terminal.download_progress import FetchView

__all__ = ["STAGES", "StageLines"]

_WIDTH = 9
STAGES = ("detect", "resolve", "lock", "fetch", "install", "kernel", "verify")


class StageLines:
    """Writes each stage as a line. `assume_yes` and a missing terminal both keep it from asking."""

    def __init__(self, *, quiet: bool = False, verbose: int = 0, may_ask: bool = True) -> None:
        self.quiet, self.verbose = quiet, verbose
        self.terminal = sys.stderr.isatty()
        self.can_ask = may_ask and sys.stdin.isatty() and self.terminal
        self._columns = columns_of(sys.stderr)
        self._fetch: FetchView | None = None
        self._count: CountLine | None = None
        self._clock: ClockLine | None = None
        self._checks_done, self._last_check = 0, ""
        self._turn = threading.Lock()

    def stage(self, name: str, text: str) -> None:
        """Write the line of a stage that is done."""
        self._end_bar()
        if not self.quiet:
            echo(
                f"{click.style(padded(_(name), _WIDTH), fg='green', bold=True)} {self._hung(text)}", err=True
            )

    def note(self, text: str) -> None:
        """Write something worth knowing, indented below the stages."""
        if not self.quiet:
            self._say(f"{'':{_WIDTH}} {self._hung(text)}")

    def detail(self, text: str) -> None:
        """Write what only `-v` shows."""
        if self.verbose and not self.quiet:
            self._say(click.style(f"{'':{_WIDTH}} {self._hung(text)}", dim=True))

    def warn(self, text: str) -> None:
        """Write a warning; `--quiet` does not hide it."""
        self._say(f"{click.style(padded(_('warning'), _WIDTH), fg='yellow', bold=True)} {self._hung(text)}")

    def waiting(self, what: str, seconds: float, asked: str = "") -> None:
        """Write that a stage is still at work, and what it asked for last."""
        if asked:
            self.note(
                message(
                    "{what}: still working after {seconds:.0f} s, last on {url}",
                    what=message(what), seconds=seconds, url=asked,
                )
            )  # fmt: skip
            return
        self.note(message("{what}: still working after {seconds:.0f} s", what=message(what), seconds=seconds))

    def check(self, check_id: str, device: str, status: CheckStatus, detail: str) -> None:
        """Write a check that did not pass; with `-v` every one."""
        text = message(
            "{status} {check} on {device}: {detail}",
            status=STATUS[status],
            check=check_id,
            device=device or message("no device"),
            detail=detail,
        )
        if status == "fail":
            self.warn(text)
        else:
            self.detail(text)

    def checked(self, check_id: str | None) -> None:
        """Show how many checks have ended, and the last one (None before the first), on a terminal alone."""
        if check_id is not None:
            self._checks_done, self._last_check = self._checks_done + 1, check_id
        elif not self.quiet and self.terminal and os.environ.get("TERM") != "dumb":
            from torchdoctor.report.terminal.count_line import ClockLine

            self._clock = ClockLine(self._checks_text, self._turn)

    def _checks_text(self, seconds: float) -> str:
        text = (
            message(
                "{count} checks, the last {check}; {seconds:.0f} s",
                count=self._checks_done, check=self._last_check, seconds=seconds,
            )
            if self._last_check
            else message("starting Python and importing torch; {seconds:.0f} s", seconds=seconds)
        )  # fmt: skip
        return f"{'':{_WIDTH}} {translate(text)}"

    def packages(self, done: int, total: int) -> None:
        """Show how many packages are checked: in a line that changes, on a terminal alone."""
        if self.quiet or not self.terminal or os.environ.get("TERM") == "dumb":
            return
        self._end_clock()
        if self._count is None:
            from torchdoctor.report.terminal.count_line import CountLine

            self._count = CountLine()
        text = message("{done} of {total} packages checked", done=done, total=total)
        if done < total:
            self._count.show(f"{'':{_WIDTH}} {translate(text)}")
        else:
            self._count.clear()

    def ask(self, question: str, *, default: bool) -> bool:
        """Ask on a terminal; elsewhere the answer is `default`."""
        self._end_bar()
        return click.confirm(translate(question), default=default, err=True) if self.can_ask else default

    def start(self, total: int | None, files: int) -> None:
        """Show the progress of a download: bars on a terminal, a line now and then elsewhere."""
        self._end_bar()
        if self.quiet or not files:
            return
        from torchdoctor.report.terminal.download_progress import FetchBars, FetchLines

        if self.terminal and os.environ.get("TERM") != "dumb":
            self._fetch = FetchBars(total, files)
        else:
            self._fetch = FetchLines(total, files, lambda text: echo(text, err=True))

    def advance(self, count: int) -> None:
        """Add `count` bytes to the progress."""
        if self._fetch is not None:
            self._fetch.advance(count)

    def file(self, filename: str, done: int, size: int | None) -> None:
        """Report that a file has `done` of `size` bytes."""
        if self._fetch is not None:
            self._fetch.file(filename, done, size)

    def retry(self, filename: str, why: str) -> None:
        """Write that a file is downloaded again, and why."""
        self.note(message("{filename}: {why}; trying again", filename=filename, why=why))

    def _say(self, text: str) -> None:
        with self._turn:
            for line in (self._count, self._clock):
                if line is not None:
                    line.clear()
            if self._fetch is not None:
                self._fetch.say(text)
            else:
                echo(text, err=True)

    def _hung(self, text: str) -> str:
        return hanging(redact_urls_in(translate(text)), _WIDTH + 1, self._columns)

    def _end_bar(self) -> None:
        if self._count is not None:
            self._count.clear()
            self._count = None
        if self._fetch is not None:
            self._fetch.end()
            self._fetch = None

    def _end_clock(self) -> None:
        if self._clock is not None:
            self._clock.close()
            self._clock = None

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._end_clock()
        self._end_bar()
