"""Two runs of bench -> what became faster or slower, and what is within the noise of either."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.i18n.messages import message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.bench.model import BenchReport, BenchResult

__all__ = ["Comparison", "SpeedChange", "compare"]

Verdict = Literal["faster", "slower", "within noise"]

# One thread on a quiet machine differs by so much from process to process, whatever a process's own rounds say.
_FLOOR = 3.0
_LOUD = 100.0
_FIRST, _LAST = 0, -1
_LEAST_SHARE, _ONE_THREAD = 0.05, 0.1
# Ten thousand times: beyond it a logarithm is only overflow.
_MOST = 9.2


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedChange:
    """One case in both runs. `percent` is the change in speed: above 0 is faster, also where the unit is a time."""

    id: str
    device: str
    dtype: str | None
    params: Mapping[str, Any]
    unit: str
    before: float
    after: float
    percent: float
    noise_percent: float
    verdict: Verdict

    @property
    def noise_text(self) -> str:
        """The noise to print: beyond a hundred per cent its size says nothing more."""
        return (
            f"±{self.noise_percent:.1f}%"
            if self.noise_percent <= _LOUD
            else message("over ±{limit:.0f}%", limit=_LOUD)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Every case in both runs, those in one alone, and in what the two environments differ."""

    name: str
    changes: tuple[SpeedChange, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def mean_percent(self) -> float | None:
        """The geometric mean of all changes."""
        if not self.changes:
            return None
        logs = [math.log1p(change.percent / 100) for change in self.changes]
        return round(math.expm1(sum(logs) / len(logs)) * 100, 2)

    def regressions(self, percent: float) -> tuple[SpeedChange, ...]:
        """The cases that are slower by more than so many per cent, and by more than the noise."""
        return tuple(row for row in self.changes if row.verdict == "slower" and -row.percent > percent)

    def to_json(self) -> dict[str, Any]:
        """What `bench --json` says under `comparison`."""
        return {
            "name": self.name,
            "mean_percent": self.mean_percent,
            "changes": [asdict(change) | {"params": dict(change.params)} for change in self.changes],
            "only_before": list(self.only_before),
            "only_after": list(self.only_after),
            "differences": list(self.differences),
        }


def compare(before: BenchReport, after: BenchReport, *, name: str) -> Comparison:
    """Set each case beside the same work of the other run: same case, kind of device, dtype and parameters."""
    old, new = _by_work(before), _by_work(after)
    return Comparison(
        name=name,
        changes=tuple(_change(old[key], new[key]) for key in new if key in old),
        only_before=tuple(_title(old[key]) for key in old if key not in new),
        only_after=tuple(_title(new[key]) for key in new if key not in old),
        differences=tuple(_differences(before.environment, after.environment)),
    )


def _by_work(report: BenchReport) -> dict[str, BenchResult]:
    rows: dict[str, BenchResult] = {}
    for result in report.results:
        if result.value and result.value > 0 and result.unit:
            kind = result.device.partition(":")[0]
            key = [result.id, kind, result.dtype, result.unit, sorted(result.params.items())]
            rows.setdefault(json.dumps(key, default=str), result)
    return rows


def _title(result: BenchResult) -> str:
    params = " ".join(f"{name}={value}" for name, value in result.params.items())
    return " ".join(part for part in (result.id, result.dtype, params) if part)


def _change(before: BenchResult, after: BenchResult) -> SpeedChange:
    old, new = before.value or 0.0, after.value or 0.0
    ratio = old / new if after.unit == "us" else new / old
    # In logarithms, so that half as fast and twice as fast are as far from no change.
    noise = max(math.log1p(_FLOOR / 100), math.hypot(_noise(before), _noise(after)))
    change = math.log(ratio)
    verdict: Verdict = "within noise" if abs(change) <= noise else "faster" if change > 0 else "slower"
    return SpeedChange(
        id=after.id,
        device=after.device,
        dtype=after.dtype,
        params=after.params,
        unit=after.unit or "",
        before=old,
        after=new,
        percent=round((ratio - 1) * 100, 2),
        noise_percent=round(math.expm1(min(noise, _MOST)) * 100, 2),
        verdict=verdict,
    )


def _noise(result: BenchResult) -> float:
    """Half of what lies between the rounds' outer tenths, and what a busy machine may have taken; as logarithm."""
    spread = 0.0
    if len(result.rounds_s) > 1 and min(result.rounds_s) > 0:
        tenths = quantiles(result.rounds_s, n=10, method="inclusive")
        spread = math.log(tenths[_LAST] / tenths[_FIRST]) / 2
    elif result.iqr_s and result.median_s:
        spread = math.log1p(result.iqr_s / result.median_s)
    if result.busy:
        # A share of a half was seen to cost several threads up to four times: they wait for the one that waits. Of
        # one thread the fastest tenth of its calls is undisturbed, and within some per cent also at a share of a fifth.
        lost = (
            _ONE_THREAD if result.threads == 1 else 2 * math.log(max(result.cpu_share or 0.0, _LEAST_SHARE))
        )
        spread = math.hypot(spread, lost)
    return spread


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What else changed between the two, which a change of speed may come from."""
    rows = [
        (name, before.get(name), after.get(name)) for name in ("torch", "python", "threads", "cuda", "hip")
    ]
    rows.append(("devices", _devices(before), _devices(after)))
    return [
        message("{name}: {old} before, {new} now", name=name, old=_shown(old), new=_shown(new))
        for name, old, new in rows
        if old != new
    ]


def _devices(environment: Mapping[str, Any]) -> str:
    rows = environment.get("devices")
    names = [row.get("name") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return ", ".join(str(name) for name in names if name)


def _shown(value: Any) -> str:
    return "none" if value in (None, "") else str(value)[:200]
