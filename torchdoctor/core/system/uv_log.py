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
_SENT = re.compile(rb"Sending fresh (GET|HEAD) request for: (\S+\.whl)(?:[?#]\S*)?$")
_STDERR_BYTES = 64 * 1024
_MAX_SHOWN = 200


class UvLog:
    """Takes uv's lines apart; `clock` is for tests. Its reader writes to it while another thread looks.

    `on_whole_file` is called when uv begins to read a whole wheel: it does that to learn its hash, and unpacks it.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        on_whole_file: Callable[[], object] | None = None,
    ) -> None:
        self._clock, self._on_whole_file = clock, on_whole_file
        self._heads: set[bytes] = set()
        self._whole: dict[bytes, None] = {}
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
            if self._on_whole_file is not None:
                self._note_file(line.rstrip(), self._on_whole_file)
        elif not (self._after_log and _CAUSE.match(line)):
            self._after_log = False
            self._tail.add(line)

    def _note_file(self, line: bytes, on_whole_file: Callable[[], object]) -> None:
        """Of a wheel whose hash it knows, uv asks for the head first, and reads the metadata alone."""
        found = _SENT.search(line)
        if found is None:
            return
        if found[1] == b"HEAD":
            self._heads.add(found[2])
        elif found[2] not in self._heads:
            self._whole[found[2]] = None
            on_whole_file()

    @property
    def whole_files(self) -> tuple[str, ...]:
        """The addresses of the wheels that it began to read as a whole, as it shows them."""
        return tuple(url.decode("utf-8", "replace") for url in self._whole)

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
