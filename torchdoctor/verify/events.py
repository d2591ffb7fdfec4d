"""Bytes from the probe's standard output -> events. Whatever else is printed there is passed over."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["EventReader"]

# A result with its evidence is below 20 KB; a line longer than this is somebody's output, and is not kept.
_LONGEST = 1 << 20


class EventReader:
    """Takes bytes as they come and gives the events whose lines they complete. Never raises."""

    def __init__(self, mark: str) -> None:
        self._mark = mark.encode("ascii")
        self._open = b""
        self._overlong = False

    def feed(self, received: bytes) -> list[dict[str, Any]]:
        """The events that end in these bytes."""
        *lines, rest = received.split(b"\n")
        events = []
        for line in lines:
            whole = self._open + line
            if not self._overlong and (event := self._event(whole)) is not None:
                events.append(event)
            self._open, self._overlong = b"", False
        self._open += rest
        if len(self._open) > _LONGEST:
            self._open, self._overlong = b"", True
        return events

    def _event(self, line: bytes) -> dict[str, Any] | None:
        if not line.startswith(self._mark):
            return None
        try:
            value = json.loads(line[len(self._mark) :])
            # Half a surrogate pair, which JSON can spell, could be printed nowhere.
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) and isinstance(value.get("event"), str) else None
