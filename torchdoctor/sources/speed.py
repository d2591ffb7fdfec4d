"""How fast sources serve: one short range request to each, in parallel, with a time limit."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.threads import thread_pool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import requests

__all__ = ["Measurement", "fastest", "measure", "measure_all", "mirror_page"]

_SAMPLE_BYTES = 512 * 1024
_READ_SECONDS = 3.0
_TOTAL_SECONDS = 8.0  # with connecting
_MIN_SHARE_OF_FASTEST = 0.25


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """How fast a URL is served, or why that is not known."""

    url: str
    latency: float | None = None  # seconds until the first byte
    rate: float | None = None  # bytes per second, the wait for the first byte included
    failure: str | None = None  # why the two are None


def measure(url: str) -> Measurement:
    """Time a request for the first half MiB; a failure is part of the result."""
    import requests

    from torchdoctor.core.net.http import failure_reason, with_deadline

    try:
        return with_deadline(_TOTAL_SECONDS, lambda: _measure(url))
    except (requests.RequestException, OSError, ValueError) as error:
        return Measurement(url=url, failure=failure_reason(error))


def _measure(url: str) -> Measurement:
    from torchdoctor.core.net import open_stream

    started = time.monotonic()
    with contextlib.closing(open_stream(url, {"Range": f"bytes=0-{_SAMPLE_BYTES - 1}"})) as answer:
        if answer.status_code not in (200, 206):
            return Measurement(
                url=url, failure=message("it answers {status_code}", status_code=answer.status_code)
            )
        return _read_sample(url, answer, time.monotonic() - started)


def _read_sample(url: str, answer: requests.Response, latency: float) -> Measurement:
    from torchdoctor.core.net.http import iter_body

    started, count = time.monotonic(), 0
    for chunk in iter_body(answer):
        count += len(chunk)
        if count >= _SAMPLE_BYTES or time.monotonic() - started > _READ_SECONDS:
            break
    # The wait for the first byte counts: for a short file a distant server is as slow as a narrow connection.
    return Measurement(url=url, latency=latency, rate=count / (time.monotonic() - started + latency))


def measure_all(urls: Iterable[str]) -> tuple[Measurement, ...]:
    """Measure several URLs in parallel; the results are in their order."""
    wanted = list(urls)
    if not wanted:
        return ()
    with thread_pool(len(wanted)) as pool:
        return tuple(pool.map(measure, wanted))


def fastest(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """Return the URLs that answered, the fastest first, without those that are far slower than it."""
    by_rate = sorted((-measured.rate, measured.url) for measured in measurements if measured.rate)
    best = -by_rate[0][0] if by_rate else 0.0
    return tuple(url for rate, url in by_rate if -rate >= _MIN_SHARE_OF_FASTEST * best)


def mirror_page(row: Mapping[str, str]) -> str:
    """Return the URL of a page that every mirror of this layout has, long enough to be timed; `row` is of the table."""
    base = row["base"].rstrip("/")
    return f"{base}/cpu/" if row["layout"] == "flat-variants" else f"{base}/cpu/torch/"
