"""The channel to the parent: one line of JSON for each event, on the probe's standard output."""

from __future__ import annotations

import json
import os
import sys

__all__ = ["Channel"]


class Channel:
    """Sends events as lines that begin with a mark that only the parent and this run know.

    It is a pipe because its end shows the parent at once that the probe died, and standard output because every
    platform passes that one on. Other output cannot break it: what was printed before (by a sitecustomize) lacks the
    mark, and what is printed afterwards goes to standard error.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        sys.stdout.flush()
        self._fd = os.dup(1)
        os.dup2(2, 1)

    def send(self, event: str, **values: object) -> None:
        """Send one event completely before returning: the next step may crash."""
        # ASCII only, so no locale matters. The first newline ends a line that a library left open.
        text = "\n" + self._mark + json.dumps(dict(values, event=event), allow_nan=False) + "\n"
        left = text.encode("ascii")
        while left:
            left = left[os.write(self._fd, left) :]
