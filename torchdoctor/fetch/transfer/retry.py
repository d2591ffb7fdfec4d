"""When to try again, and how long to wait before it. Progress counts, not attempts. Pure."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

__all__ = ["ENOUGH", "LONGEST_WAIT", "RetryPolicy", "parse_retry_after"]

# Less than this between two failures is no progress; a server that drips would else be waited for without end.
ENOUGH = 16 * 1024
LONGEST_WAIT = 60.0
_MISSES = 6
_FIRST_WAIT = 0.5


class RetryPolicy:
    """Counts failures in a row between which nothing came."""

    def __init__(self, misses: int = _MISSES) -> None:
        self._limit, self.misses = misses, 0

    def failed(self, gained: int, *, slow: bool = False) -> bool:
        """Whether to try again after a failure that came when `gained` more bytes were there.

        A connection given up because it was `slow` is a miss, whatever it brought.
        """
        self.misses = 0 if gained >= ENOUGH and not slow else self.misses + 1
        return self.misses < self._limit

    def wait(self, retry_after: float | None, chance: float) -> float:
        """Seconds to wait: what the server asked for up to a limit, else longer with every miss.

        `chance` between 0 and 1 spreads clients that failed together (full jitter over the second half).
        """
        if retry_after is not None:
            return min(retry_after, LONGEST_WAIT)
        if self.misses == 0:
            return 0.0
        longest = min(LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (self.misses - 1))
        return float(longest * (0.5 + 0.5 * chance))


def parse_retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Seconds from a `Retry-After` header, which is a number or a date; None when it is neither.

    https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), 10 * LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    passed = (date - (now or datetime.now(timezone.utc))).total_seconds()
    return max(0.0, passed)
