"""The way back to the parent: one JSON line an event, on what was standard output when we started."""

from __future__ import annotations

import json
import os
import sys

__all__ = ["Channel"]


class Channel:
    """Sends events as lines that begin with a mark only the parent and this run know.

    A pipe, because its end tells the parent at once that we died, and because standard output is the one
    that every platform passes on. Output that is not ours cannot break it: what was printed before we took
    over (a sitecustomize) lacks the mark, and what is printed afterwards goes to standard error.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        sys.stdout.flush()
        self._fd = os.dup(1)
        os.dup2(2, 1)

    def send(self, event: str, **values: object) -> None:
        """Send one event, whole, before going on: the next thing that happens may be a crash."""
        # ASCII only, so no locale matters. The first newline ends a line that someone else left open.
        text = "\n" + self._mark + json.dumps(dict(values, event=event), allow_nan=False) + "\n"
        left = text.encode("ascii")
        while left:
            left = left[os.write(self._fd, left) :]
