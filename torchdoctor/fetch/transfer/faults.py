"""The ways in which an answer can fail a transfer."""

from __future__ import annotations

from typing import Literal

__all__ = ["Fault", "FaultKind"]

# broken: the connection or the server failed; trying again may help. slow: next to nothing came.
# busy: the server asks to come back later. refused: this place will not give the file.
# changed: the file there is another one now. lying: the answer is not the range that was asked for.
# stopped: nobody wants the answer any more.
FaultKind = Literal["broken", "slow", "busy", "refused", "changed", "lying", "stopped"]


class Fault(Exception):
    """One answer failed; `retry_after` are the seconds that the server asked for, `status` is what it said instead."""

    def __init__(
        self, kind: FaultKind, why: str, *, retry_after: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(why)
        self.kind = kind
        self.why = why
        self.retry_after = retry_after
        self.status = status
