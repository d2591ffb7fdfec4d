"""A bench report -> a roofline plot: what memory and the cores allow at each intensity, and where the cases lie.

The model: S. Williams, A. Waterman, D. Patterson, "Roofline", 2009, https://doi.org/10.1145/1498765.1498785.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.report.terminal.bench import figure, title_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.bench import BenchReport, BenchResult

__all__ = ["Plot", "bandwidth_of", "roofline"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 14, 42
# Where a point's number may stand: right, left, above, below; from the point to the middle of the number.
_BESIDE = ((13, 0), (-13, 0), (0, -13), (0, 13), (13, -11), (13, 11), (-13, -11), (-13, 11))
_WIDE, _HIGH = 9, 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A case: its number in the key, its place, and the place of its number."""

    number: int
    title: str
    dtype: str
    said: str
    x: float
    y: float
    label_x: float
    label_y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Roof:
    """A dtype's ceiling: along the memory's slope and on, at the peak."""

    dtype: str
    said: str
    path: str
    y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """A drawing of `width` by `height`, with all lengths in its units."""

    width: int
    height: int
    slope: str
    bandwidth: str
    roofs: tuple[Roof, ...]
    points: tuple[Point, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    bottom: int = _BOTTOM


@dataclass(frozen=True, slots=True)
class _Scale:
    """Powers of ten from `low` to `high` on so many units from `start`."""

    low: float
    high: float
    start: float
    length: float

    def __call__(self, value: float) -> float:
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self.start + part * self.length, 2)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        return tuple(
            (self(10.0**power), _power(power)) for power in range(math.ceil(self.low), int(self.high) + 1)
        )


def roofline(report: BenchReport, *, width: int, height: int) -> Plot | None:
    """The plot; None where nothing measured has both operations and bytes, or no bandwidth is known."""
    cases = [row for row in report.results if _has_a_place(row)]
    bandwidth, said = bandwidth_of(report)
    if not cases or not bandwidth:
        return None
    peaks = _peaks(cases)
    intensities = [_intensity(row) for row in cases]
    rates = [row.best_value or row.value or 0.0 for row in cases] + [row.value or 0.0 for row in cases]
    highest = max([*rates, *(peak for peak, _ in peaks.values())])
    x = _Scale(
        math.log10(min(*intensities, 1.0)) - 0.1, math.log10(max(*intensities, highest / bandwidth)) + 0.3,
        _LEFT, width - _LEFT - _RIGHT,
    )  # fmt: skip
    y = _Scale(
        math.log10(min(*rates, bandwidth * 10**x.low)) - 0.15, math.log10(highest) + 0.15,
        height - _BOTTOM, -(height - _BOTTOM - _TOP),
    )  # fmt: skip
    top = max((peak for peak, _ in peaks.values()), default=highest)
    return Plot(
        width=width,
        height=height,
        slope=f"M{x(10**x.low)} {y(bandwidth * 10**x.low)} L{x(top / bandwidth)} {y(top)}",
        bandwidth=said,
        roofs=tuple(
            Roof(
                dtype=dtype,
                said=f"{dtype} {figure(peak)}",
                path=f"M{x(peak / bandwidth)} {y(peak)} L{width - _RIGHT} {y(peak)}",
                y=y(peak),
            )
            for dtype, (peak, _) in peaks.items()
        ),
        points=_points(cases, x, y),
        x_ticks=x.ticks(),
        y_ticks=y.ticks(),
    )


def _has_a_place(row: BenchResult) -> bool:
    return bool(row.unit == "GFLOP/s" and row.value and row.flop and row.bytes and not row.threads)


def bandwidth_of(report: BenchReport) -> tuple[float | None, str]:
    """Of the device's memory, GB/s: the vendor's figure, else the best that was measured; and which."""
    rows = [row for row in report.results if row.id in ("memory-copy", "memory-triad")]
    vendors = max((row.peak for row in rows if row.peak), default=None)
    if vendors:
        return vendors, message("{figure} GB/s, the vendor's figure", figure=figure(vendors))
    best = max((row.best_value for row in rows if row.best_value), default=None)
    return best, message("{figure} GB/s, measured in this run", figure=figure(best))


def _peaks(cases: Sequence[BenchResult]) -> dict[str, tuple[float, str]]:
    found: dict[str, tuple[float, str]] = {}
    for row in cases:
        if row.peak and row.dtype:
            found.setdefault(row.dtype, (row.peak, row.peak_source or ""))
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


def _intensity(row: BenchResult) -> float:
    return (row.flop or 0.0) / (row.bytes or 1.0)


def _points(cases: Sequence[BenchResult], x: _Scale, y: _Scale) -> tuple[Point, ...]:
    places = [(x(_intensity(row)), y(row.value or 1.0)) for row in cases]
    taken = list(places)
    points = []
    for number, (row, (across, up)) in enumerate(zip(cases, places, strict=True), 1):
        label_x, label_y = _free(across, up, taken)
        taken.append((label_x, label_y))
        points.append(
            Point(
                number=number,
                title=title_of(row),
                dtype=row.dtype or "",
                said=message(
                    "{value} GFLOP/s at {intensity} FLOP a byte",
                    value=figure(row.value),
                    intensity=figure(_intensity(row)),
                ),
                x=across,
                y=up,
                label_x=round(label_x, 2),
                label_y=round(label_y, 2),
            )
        )
    return tuple(points)


def _free(across: float, up: float, taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The first place beside a point that covers no other point and no number, else the first."""
    places = [(across + right, up + down) for right, down in _BESIDE]
    clear = (
        place for place in places
        if not any(abs(place[0] - x) < 2 * _WIDE - 5 and abs(place[1] - y) < _HIGH for x, y in taken)
    )  # fmt: skip
    return next(clear, places[0])


def _power(power: int) -> str:
    # Seven digits do not fit beside the plot.
    for least, size, letter in ((6, 6, "M"), (5, 3, "k")):
        if power >= least:
            return f"{10 ** (power - size):,}{letter}"
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"
