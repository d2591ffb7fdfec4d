"""Progress of a download: bars on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from torchdoctor.core.i18n import message, plurals, translate
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.report.terminal.echo import guarded
from torchdoctor.report.terminal.wrap import padded

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import TaskID

__all__ = ["FetchBars", "FetchLines", "FetchView", "Tally", "short_name"]

_LINE_INTERVAL_SECONDS = 10.0
_MARK_INTERVAL_SECONDS = 0.5
_WINDOW_SECONDS = 15.0  # over which the speed is measured
_MAX_NAME_LENGTH = 30


class FetchView(Protocol):
    """One way to show a download. Several threads call it at the same time."""

    def advance(self, count: int) -> None:
        """Add `count` bytes; a negative count takes some back."""

    def file(self, filename: str, done: int, size: int | None) -> None:
        """Report that a file has `done` of `size` bytes; None while its size is unknown."""

    def say(self, text: str) -> None:
        """Write a line above the progress."""

    def end(self) -> None:
        """Leave the terminal as it was."""


class Tally:
    """Bytes over time: how many of how many, how fast, and for how long still. `clock` gives seconds."""

    def __init__(self, total: int | None, files: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._files, self._clock = total, files, clock
        self.done = 0
        self._sizes: dict[str, int] = {}
        self._finished: set[str] = set()
        self._marks: deque[tuple[float, int]] = deque([(clock(), 0)])

    def advance(self, count: int) -> None:
        """Add `count` bytes; a negative count takes some back."""
        self.done += count
        now = self._clock()
        if now - self._marks[-1][0] >= _MARK_INTERVAL_SECONDS:
            self._marks.append((now, self.done))
        while len(self._marks) > 2 and now - self._marks[0][0] > _WINDOW_SECONDS:  # noqa: PLR2004
            self._marks.popleft()

    def file(self, filename: str, done: int, size: int | None) -> None:
        """Report that a file has `done` of `size` bytes; None while its size is unknown."""
        if size is not None:
            self._sizes[filename] = size
            if done >= size:
                self._finished.add(filename)

    @property
    def total(self) -> int | None:
        """Return the bytes of all files; None while a size is unknown."""
        if self._total is None and len(self._sizes) == self._files:
            return sum(self._sizes.values())
        return self._total

    @property
    def rate(self) -> float:
        """Return the speed of the last seconds, in bytes a second."""
        since, before = self._marks[0]
        return max(0.0, (self.done - before) / max(self._clock() - since, 0.001))

    def text(self) -> str:
        """Return all of that in one line."""
        total, rate = self.total, self.rate
        left: str = ""
        if total is not None and rate > 0 and total > self.done:
            left = message(", {time} left", time=_duration((total - self.done) / rate))
        return message(
            "{done}, {rate:.1f} MB/s{left} ({finished} of {files})",
            done=message("{done:,.1f} of {total:,.1f} MB", done=self.done / 1e6, total=total / 1e6)
            if total is not None
            else message("{done:,.1f} MB", done=self.done / 1e6),
            rate=rate / 1e6,
            left=left,
            finished=len(self._finished),
            files=plurals.files(self._files),
        )


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004
        return message("{seconds} s", seconds=whole)
    if whole < 3600:  # noqa: PLR2004
        return message("{minutes} min {seconds} s", minutes=whole // 60, seconds=whole % 60)
    return message("{hours} h {minutes} min", hours=whole // 3600, minutes=whole % 3600 // 60)


def short_name(filename: str) -> str:
    """Return name and version of a wheel, short enough for a column."""
    name = "-".join(filename.split("-")[:2])
    return name if len(name) <= _MAX_NAME_LENGTH else f"{name[: _MAX_NAME_LENGTH - 1]}…"


class FetchLines:
    """Writes a line every ten seconds, for a log."""

    def __init__(self, total: int | None, files: int, write: Callable[[str], None]) -> None:
        self._tally, self._write = Tally(total, files), write
        self._turn = threading.Lock()
        self._next = time.monotonic() + _LINE_INTERVAL_SECONDS

    def advance(self, count: int) -> None:
        """Count, and write a line when it is time."""
        with self._turn:
            self._tally.advance(count)
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + _LINE_INTERVAL_SECONDS
                self._write(f"{padded(gettext('fetch'), 9)} {translate(self._tally.text())}")

    def file(self, filename: str, done: int, size: int | None) -> None:
        """Count the file when it is finished."""
        with self._turn:
            self._tally.file(filename, done, size)

    def say(self, text: str) -> None:
        """Write it as it is."""
        with self._turn:
            self._write(text)

    def end(self) -> None:
        """Do nothing: a log has no bars to remove."""


def _column(text_of: Callable[[Any], str]) -> Any:
    """A column of a bar, with the text that `text_of` makes of its task."""
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Column(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(text_of(task))

    return Column()


def _bytes_of(done: float, total: float | None) -> str:
    """How many MB of how many; empty while neither is known."""
    if total is None:
        return translate(message("{done:,.1f} MB", done=done / 1e6)) if done else ""
    return translate(message("{done:,.1f} of {total:,.1f} MB", done=done / 1e6, total=total / 1e6))


class FetchBars:
    """A bar for all bytes, and one for each file that is being downloaded."""

    def __init__(self, total: int | None, files: int) -> None:
        from rich import progress

        from torchdoctor.report.terminal.table import make_console

        columns: list[Any] = [
            progress.TextColumn("{task.description}", markup=False), progress.BarColumn(),
            _column(lambda task: _bytes_of(task.completed, task.total)),
            _column(lambda task: f"{task.speed / 1e6:.1f} MB/s" if task.speed else ""),
            progress.TimeRemainingColumn(compact=True),
        ]  # fmt: skip
        self._bars = progress.Progress(*columns, console=make_console(stderr=True), transient=True)
        self._tally = Tally(total, files)
        self._all = self._bars.add_task(
            f"{padded(gettext('fetch'), 9)} {translate(plurals.files(files))}", total=total
        )
        self._tasks: dict[str, TaskID] = {}
        self._turn = threading.Lock()
        self._bars.start()

    def advance(self, count: int) -> None:
        """Move the bar for all bytes."""
        self._bars.advance(self._all, count)

    def file(self, filename: str, done: int, size: int | None) -> None:
        """Move the file's bar, which appears with its first byte and disappears with its last."""
        with self._turn:
            before = self._tally.total
            self._tally.file(filename, done, size)
            if self._tally.total != before:
                self._bars.update(self._all, total=self._tally.total)
            if filename not in self._tasks:
                self._tasks[filename] = self._bars.add_task(f"  {short_name(filename)}", total=size)
            finished = size is not None and done >= size
            self._bars.update(self._tasks[filename], completed=done, total=size, visible=not finished)

    def say(self, text: str) -> None:
        """Write above the bars."""
        from rich.text import Text

        self._bars.console.print(Text.from_ansi(guarded(text)))

    def end(self) -> None:
        """Remove the bars."""
        self._bars.stop()
