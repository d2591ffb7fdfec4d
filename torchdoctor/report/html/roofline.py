"""A bench report -> a roofline plot: what memory and cores allow at each intensity, and where the cases lie.

The model: S. Williams, A. Waterman, D. Patterson, "Roofline", 2009, https://doi.org/10.1145/1498765.1498785.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.report.bench_texts import figure, title_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.bench import BenchReport, BenchResult

__all__ = ["Plot", "bandwidth_of", "roofline"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 14, 42
# Where a point's number may be: right, left, above, below; from the point to the middle of the number.
_LABEL_OFFSETS = ((13, 0), (-13, 0), (0, -13), (0, 13), (13, -11), (13, 11), (-13, -11), (-13, 11))
_LABEL_WIDTH, _LABEL_HEIGHT = 9, 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A case of the benchmark in the plot; lengths are in the drawing's units."""

    number: int  # in the plot and in the key below it
    title: str
    dtype: str
    text: str  # its rate and intensity, for people
    x: float
    y: float
    label_x: float  # of the middle of its number
    label_y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Roof:
    """The ceiling of a dtype: a level line at its peak."""

    dtype: str
    text: str  # the dtype and its peak
    path: str  # of SVG
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
    """Logarithmic axis: powers of ten from `low` to `high` on `length` units from `start`."""

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
    """Return the plot; None where no case has both operations and bytes, or where no bandwidth is known."""
    cases = [case for case in report.results if _can_be_plotted(case)]
    bandwidth, bandwidth_text = bandwidth_of(report)
    if not cases or not bandwidth:
        return None
    peaks = _peaks(cases)
    intensities = [_intensity(case) for case in cases]
    rates = [case.best_value or case.value or 0.0 for case in cases] + [case.value or 0.0 for case in cases]
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
        bandwidth=bandwidth_text,
        roofs=tuple(
            Roof(
                dtype=dtype,
                text=f"{dtype} {figure(peak)}",
                path=f"M{x(peak / bandwidth)} {y(peak)} L{width - _RIGHT} {y(peak)}",
                y=y(peak),
            )
            for dtype, (peak, _) in peaks.items()
        ),
        points=_points(cases, x, y),
        x_ticks=x.ticks(),
        y_ticks=y.ticks(),
    )


def _can_be_plotted(result: BenchResult) -> bool:
    return bool(
        result.unit == "GFLOP/s" and result.value and result.flop and result.bytes and not result.threads
    )


def bandwidth_of(report: BenchReport) -> tuple[float | None, str]:
    """Return the memory's bandwidth in GB/s, by the vendor or else the best that was measured, and a text of it."""
    copies = [result for result in report.results if result.id in ("memory-copy", "memory-triad")]
    vendors = max((result.peak for result in copies if result.peak), default=None)
    if vendors:
        return vendors, message("{figure} GB/s, the vendor's figure", figure=figure(vendors))
    best = max((result.best_value for result in copies if result.best_value), default=None)
    return best, message("{figure} GB/s, measured in this run", figure=figure(best))


def _peaks(cases: Sequence[BenchResult]) -> dict[str, tuple[float, str]]:
    found: dict[str, tuple[float, str]] = {}
    for case in cases:
        if case.peak and case.dtype:
            found.setdefault(case.dtype, (case.peak, case.peak_source or ""))
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


def _intensity(case: BenchResult) -> float:
    return (case.flop or 0.0) / (case.bytes or 1.0)


def _points(cases: Sequence[BenchResult], x: _Scale, y: _Scale) -> tuple[Point, ...]:
    places = [(x(_intensity(case)), y(case.value or 1.0)) for case in cases]
    taken = list(places)
    points = []
    for number, (case, (across, up)) in enumerate(zip(cases, places, strict=True), 1):
        label_x, label_y = _label_position(across, up, taken)
        taken.append((label_x, label_y))
        points.append(
            Point(
                number=number,
                title=title_of(case),
                dtype=case.dtype or "",
                text=message(
                    "{value} GFLOP/s at {intensity} FLOP a byte",
                    value=figure(case.value),
                    intensity=figure(_intensity(case)),
                ),
                x=across,
                y=up,
                label_x=round(label_x, 2),
                label_y=round(label_y, 2),
            )
        )
    return tuple(points)


def _label_position(across: float, up: float, taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The first position beside a point that covers no other point and no number, else the first one."""
    places = [(across + right, up + down) for right, down in _LABEL_OFFSETS]
    clear = (
        place for place in places
        if not any(abs(place[0] - x) < 2 * _LABEL_WIDTH - 5 and abs(place[1] - y) < _LABEL_HEIGHT for x, y in taken)
    )  # fmt: skip
    return next(clear, places[0])


def _power(power: int) -> str:
    # Seven digits do not fit beside the plot.
    for least, size, letter in ((6, 6, "M"), (5, 3, "k")):
        if power >= least:
            return f"{10 ** (power - size):,}{letter}"
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"
