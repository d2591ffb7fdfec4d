"""Bytes from the probe's standard output -> events. Everything else that is printed there is ignored."""

from __future__ import annotations

import json
from typing import Any

from torchdoctor.core.visible import visible

__all__ = ["EventReader"]

# A result with its evidence is below 20 KB; a longer line than this is some library's output and is dropped.
_MAX_LINE_BYTES = 1 << 20


class EventReader:
    """Collects bytes and returns the events that they complete; `mark` begins the line of an event. Never raises."""

    def __init__(self, mark: str) -> None:
        self._mark = mark.encode("ascii")
        self._open = b""
        self._overlong = False

    def feed(self, received: bytes) -> list[dict[str, Any]]:
        """Return the events that end in these bytes."""
        *lines, rest = received.split(b"\n")
        events = []
        for line in lines:
            whole = self._open + line
            if not self._overlong and (event := self._event(whole)) is not None:
                events.append(event)
            self._open, self._overlong = b"", False
        self._open += rest
        if len(self._open) > _MAX_LINE_BYTES:
            self._open, self._overlong = b"", True
        return events

    def _event(self, line: bytes) -> dict[str, Any] | None:
        if not line.startswith(self._mark):
            return None
        try:
            value = json.loads(line[len(self._mark) :])
            # JSON can spell half a surrogate pair, which cannot be printed anywhere.
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict) or not isinstance(value.get("event"), str):
            return None
        # The texts of a result lose their colours first (step_result.py).
        return value if value["event"] == "result" else _shown(value)


def _shown(value: Any) -> Any:
    """The value with each text as a terminal may show it; what torch and its files say of themselves is not ours."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(name): _shown(row) for name, row in value.items()}
    return [_shown(row) for row in value] if isinstance(value, list) else value
