"""The ways in which a response can fail a transfer."""

from __future__ import annotations

from typing import Literal

__all__ = ["Fault", "FaultKind"]

# broken: the connection or the server failed; trying again may help. slow: almost nothing arrived.
# late: no whole answer came within a minute, however it dripped; a second wait would be as long.
# busy: the server asks to come back later. refused: this server will not give the file.
# changed: the file on the server has changed. bad-range: the response is not the range that was requested.
# stopped: nobody wants the response any more.
FaultKind = Literal["broken", "slow", "late", "busy", "refused", "changed", "bad-range", "stopped"]


class Fault(Exception):
    """A response failed. `retry_after` is what the server asks to wait, in seconds; `status` its HTTP status."""

    def __init__(
        self, kind: FaultKind, reason: str, *, retry_after: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.retry_after = retry_after
        self.status = status
