"""Two runs of bench -> what became faster or slower, and what is within the noise of either."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.bench.model import BenchReport, BenchResult

__all__ = ["Comparison", "SpeedChange", "compare"]

Verdict = Literal["faster", "slower", "within noise"]

# One thread on a quiet machine differs by this much between processes, however steady each process is by itself.
_MIN_NOISE_PERCENT = 3.0
# Above this the exact size of the noise means nothing to a reader.
_MAX_SHOWN_NOISE_PERCENT = 100.0
# Ten thousand times as fast: beyond it a logarithm only overflows.
_MAX_LOG_RATIO = 9.2
# What a busy machine takes from one thread, as a logarithm: the fastest tenth of its calls is undisturbed, and within
# some per cent also where it got a fifth of the CPU time that it wanted.
_ONE_THREAD_NOISE = 0.1
# A smaller share of CPU time counts as this one.
_MIN_CPU_SHARE = 0.05
_MAX_FACT_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedChange:
    """One case in both runs.

    `before` and `after` are in `unit`. `percent` is the change in speed: above 0 is faster, also where the unit is a
    time. `noise_percent` is how much of a change may be noise.
    """

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
        """The noise to print."""
        if self.noise_percent <= _MAX_SHOWN_NOISE_PERCENT:
            return f"±{self.noise_percent:.1f}%"
        return message("over ±{limit:.0f}%", limit=_MAX_SHOWN_NOISE_PERCENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The cases of both runs, the cases of one alone, and how the two environments differ.

    `name` is that of the earlier run.
    """

    name: str
    changes: tuple[SpeedChange, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def mean_percent(self) -> float | None:
        """The geometric mean of all changes; None without any."""
        if not self.changes:
            return None
        logs = [math.log1p(change.percent / 100) for change in self.changes]
        return round(math.expm1(sum(logs) / len(logs)) * 100, 2)

    def regressions(self, percent: float) -> tuple[SpeedChange, ...]:
        """Return the cases that are slower by more than `percent`, and by more than the noise."""
        return tuple(
            change for change in self.changes if change.verdict == "slower" and -change.percent > percent
        )

    def to_json(self) -> dict[str, Any]:
        """Return what `bench --json` has under `comparison`."""
        return {
            "name": self.name,
            "mean_percent": self.mean_percent,
            "changes": [asdict(change) | {"params": dict(change.params)} for change in self.changes],
            "only_before": list(self.only_before),
            "only_after": list(self.only_after),
            "differences": list(self.differences),
        }


def compare(before: BenchReport, after: BenchReport, *, name: str) -> Comparison:
    """Compare each case with the same work in the earlier run: same case, kind of device, dtype and parameters."""
    old, new = _by_work(before), _by_work(after)
    return Comparison(
        name=name,
        changes=tuple(_change(old[key], new[key]) for key in new if key in old),
        only_before=tuple(_title(old[key]) for key in old if key not in new),
        only_after=tuple(_title(new[key]) for key in new if key not in old),
        differences=tuple(_differences(before.environment, after.environment)),
    )


def _by_work(report: BenchReport) -> dict[str, BenchResult]:
    results: dict[str, BenchResult] = {}
    for result in report.results:
        if result.value and result.value > 0 and result.unit:
            kind = result.device.partition(":")[0]
            key = [result.id, kind, result.dtype, result.unit, sorted(result.params.items())]
            results.setdefault(json.dumps(key, default=str), result)
    return results


def _title(result: BenchResult) -> str:
    params = " ".join(f"{name}={value}" for name, value in result.params.items())
    return " ".join(part for part in (result.id, result.dtype, params) if part)


def _change(before: BenchResult, after: BenchResult) -> SpeedChange:
    old, new = before.value or 0.0, after.value or 0.0
    ratio = old / new if after.unit == "us" else new / old
    # In logarithms, so that half as fast and twice as fast are as far from no change.
    noise = max(math.log1p(_MIN_NOISE_PERCENT / 100), math.hypot(_noise(before), _noise(after)))
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
        noise_percent=round(math.expm1(min(noise, _MAX_LOG_RATIO)) * 100, 2),
        verdict=verdict,
    )


def _noise(result: BenchResult) -> float:
    """Half the distance between the rounds' outer tenths, and what a busy machine may have taken; as a logarithm."""
    spread = 0.0
    if len(result.rounds_s) > 1 and min(result.rounds_s) > 0:
        tenths = quantiles(result.rounds_s, n=10, method="inclusive")
        spread = math.log(tenths[-1] / tenths[0]) / 2
    elif result.iqr_s and result.median_s:
        spread = math.log1p(result.iqr_s / result.median_s)
    return math.hypot(spread, _loss_to_others(result)) if result.busy else spread


def _loss_to_others(result: BenchResult) -> float:
    if result.threads == 1:
        return _ONE_THREAD_NOISE
    # With half the CPU time several threads were seen to be up to four times slower: they wait for the one that waits.
    return 2 * math.log(max(result.cpu_share or 0.0, _MIN_CPU_SHARE))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What else differs between the two environments and may have changed the speed."""
    names = ("torch", "python", "threads", "cuda", "hip")
    facts = [(name, before.get(name), after.get(name)) for name in names]
    facts.append(("devices", _device_names(before), _device_names(after)))
    return [
        message("{name}: {old} before, {new} now", name=name, old=_shown(old), new=_shown(new))
        for name, old, new in facts
        if old != new
    ]


def _device_names(environment: Mapping[str, Any]) -> str:
    devices = environment.get("devices")
    if not isinstance(devices, list):
        return ""
    names = [device.get("name") for device in devices if isinstance(device, dict)]
    return ", ".join(str(name) for name in names if name)


def _shown(value: Any) -> str:
    return "none" if value in (None, "") else str(value)[:_MAX_FACT_CHARACTERS]
