"""How fast a place serves: one short range request each, side by side, with a limit on the whole."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import requests

__all__ = ["Measured", "fastest", "measure", "measure_all", "mirror_page"]

_BYTES = 512 * 1024
_SECONDS, _LIMIT = 3.0, 8.0  # for reading, and for all of it
_KEPT_SHARE = 0.25


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """`latency` in seconds to the first byte, `rate` in bytes a second; None with a `failure` that says why."""

    url: str
    latency: float | None = None
    rate: float | None = None
    failure: str | None = None


def measure(url: str) -> Measured:
    """Ask for the first half MiB and time it; a failure is a result."""
    import requests

    from torchdoctor.core.net.http import failure_reason, with_deadline

    try:
        return with_deadline(_LIMIT, lambda: _measure(url))
    except (requests.RequestException, OSError, ValueError) as error:
        return Measured(url=url, failure=failure_reason(error))


def _measure(url: str) -> Measured:
    from torchdoctor.core.net.http import open_stream

    started = time.monotonic()
    with contextlib.closing(open_stream(url, {"Range": f"bytes=0-{_BYTES - 1}"})) as answer:
        if answer.status_code not in (200, 206):
            return Measured(
                url=url, failure=message("it answers {status_code}", status_code=answer.status_code)
            )
        return _timed(url, answer, time.monotonic() - started)


def _timed(url: str, answer: requests.Response, latency: float) -> Measured:
    from torchdoctor.core.net.http import iter_body

    started, count = time.monotonic(), 0
    for chunk in iter_body(answer):
        count += len(chunk)
        if count >= _BYTES or time.monotonic() - started > _SECONDS:
            break
    # The wait for the first byte counts: a short file over a far line is as slow as a long one over a thin line.
    return Measured(url=url, latency=latency, rate=count / (time.monotonic() - started + latency))


def measure_all(urls: Iterable[str]) -> tuple[Measured, ...]:
    """Measure several at once, in their order."""
    wanted = list(urls)
    if not wanted:
        return ()
    with ThreadPoolExecutor(len(wanted)) as pool:
        return tuple(pool.map(measure, wanted))


def fastest(found: Sequence[Measured]) -> tuple[str, ...]:
    """The URLs that answered, the fastest first, without those that are far slower than it."""
    rows = sorted((-row.rate, row.url) for row in found if row.rate)
    best = -rows[0][0] if rows else 0.0
    return tuple(url for rate, url in rows if -rate >= _KEPT_SHARE * best)


def mirror_page(row: Mapping[str, str]) -> str:
    """A page that every mirror of its layout has, long enough to be timed."""
    base = row["base"].rstrip("/")
    return f"{base}/cpu/" if row["layout"] == "flat-variants" else f"{base}/cpu/torch/"
