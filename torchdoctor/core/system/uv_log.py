"""What uv writes while it works: its own words of an error, and log lines that tell that it works and what it asks."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from torchdoctor.core.system.process import Tail
from torchdoctor.core.text import sanitize_line
from torchdoctor.core.urls import redact_url

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOG_FILTER", "UvLog"]

# The parts of uv that log each request and each step of a solve, on one line each.
# https://docs.astral.sh/uv/reference/environment/#rust_log
LOG_FILTER = "uv_client=debug,uv_resolver=debug"
_LOG_LINE = re.compile(rb"(?:TRACE|DEBUG| INFO|INFO| WARN|WARN|ERROR) ")
# The causes of a failure that uv logs and tries again after stand on further lines; an error's own begin with `cause:`.
_CAUSE = re.compile(rb"\s+Caused by: ")
_ASKED = re.compile(
    rb"(?:No cache entry for:|Sending fresh GET request for:|Sending revalidation request for:) (\S+)"
)
_STDERR_BYTES = 64 * 1024
_MAX_SHOWN = 200


class UvLog:
    """Takes uv's lines apart; `clock` is for tests. Its reader writes to it while another thread looks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tail = Tail(_STDERR_BYTES)
        self._after_log = False
        self._asked = b""
        self._last = clock()

    def add(self, line: bytes) -> None:
        """Take one line."""
        self._last = self._clock()
        if _LOG_LINE.match(line):
            self._after_log = True
            if (found := _ASKED.search(line)) is not None:
                self._asked = found[1]
        elif not (self._after_log and _CAUSE.match(line)):
            self._after_log = False
            self._tail.add(line)

    @property
    def text(self) -> str:
        """What uv says besides its log."""
        return self._tail.text

    @property
    def silent_seconds(self) -> float:
        """How long it has said nothing."""
        return self._clock() - self._last

    @property
    def asked(self) -> str:
        """What it asked a server for last, without passwords; empty before the first."""
        return sanitize_line(redact_url(self._asked.decode("utf-8", "replace")), limit=_MAX_SHOWN)

    @property
    def reads_file(self) -> bool:
        """Whether that is a whole file, which may take long and is no sign of a fault."""
        return re.split(rb"[?#]", self._asked)[0].endswith((b".whl", b".tar.gz", b".zip"))
