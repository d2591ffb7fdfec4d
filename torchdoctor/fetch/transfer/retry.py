"""When to try again, and how long to wait before that. Progress counts, not attempts. Pure."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchdoctor.fetch.transfer.faults import FaultKind

__all__ = ["MAX_WAIT_SECONDS", "PROGRESS_BYTES", "RetryPolicy", "parse_retry_after"]

# Fewer bytes than this between two failures are no progress; a server that drips would be waited for without end.
PROGRESS_BYTES = 16 * 1024
MAX_WAIT_SECONDS = 60.0
_MAX_MISSES = 6
_FIRST_WAIT_SECONDS = 0.5


class RetryPolicy:
    """Counts consecutive failures without progress."""

    def __init__(self, misses: int = _MAX_MISSES) -> None:
        self._limit, self.misses = misses, 0

    def failed(self, gained: int, kind: FaultKind = "broken") -> bool:
        """Count a failure that came when `gained` more bytes were there; return whether to try again.

        A connection that was abandoned because it was slow made no progress, whatever it brought.
        """
        self.misses = 0 if gained >= PROGRESS_BYTES and kind != "slow" else self.misses + 1
        return self.misses < self._limit and kind != "late"

    def wait(self, retry_after: float | None, chance: float) -> float:
        """Return the seconds to wait: what the server asked for up to a limit, else longer with every failure.

        `chance` between 0 and 1 spreads clients that failed together (full jitter over the second half).
        """
        if retry_after is not None:
            return min(retry_after, MAX_WAIT_SECONDS)
        if self.misses == 0:
            return 0.0
        longest = min(MAX_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** (self.misses - 1))
        return float(longest * (0.5 + 0.5 * chance))


def parse_retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds of a `Retry-After` header, which is a number or a date; None when it is neither.

    https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), 10 * MAX_WAIT_SECONDS)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    seconds = (date - (now or datetime.now(timezone.utc))).total_seconds()
    return max(0.0, seconds)
