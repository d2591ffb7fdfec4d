"""Environment -> DistributedReport: starts the ranks, or is one of them, and gathers what they say."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from torchdoctor.bench.launchers import Launch, exit_codes, launched, own_launch
from torchdoctor.bench.model import BenchReport, BenchResult
from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.verify.probe_process import ProbeProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["DistributedReport", "Trouble", "differences", "run_ranks"]

# A rank or link below this part of the others' median is worth a look.
SLOW, SLOW_OF_TWO = 0.9, 0.6
_TWO = 2
# The first import on every rank at once, from a cold disk.
_START = 240.0
_AFTER_TROUBLE = 8.0
# What may differ between ranks without a word.
_OWN = frozenset({"host", "driver"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """A rank that did not come to the end: which, where it was, and what is known of how."""

    rank: int
    stage: str
    detail: str

    def to_json(self) -> dict[str, Any]:
        """The object under `troubles`."""
        return {"rank": self.rank, "stage": self.stage, "detail": self.detail}


@dataclass(frozen=True, kw_only=True, slots=True)
class DistributedReport:
    """What the ranks are, how fast they exchange, and which of them failed, differ or lag.

    `rank` is None when all ranks were started here, else ours; only rank 0 has figures. `results` are bus bandwidths
    by nccl-tests' definitions; `links` are (from, to, GB/s); `compute` is each rank's GFLOP/s in a product.
    """

    launcher: str
    size: int
    rank: int | None
    backend: str | None
    ranks: Mapping[int, Mapping[str, Any]]
    results: tuple[BenchResult, ...] = ()
    links: tuple[tuple[int, int, float], ...] = ()
    compute: tuple[float, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    evidence: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Every rank came to the end, and all run the same versions."""
        return not self.troubles and not self.differences

    @property
    def differences(self) -> tuple[str, ...]:
        """Each rank that is not as most are, and in what."""
        return differences(self.ranks)

    @property
    def slowest_rank(self) -> int | None:
        """The rank that computed least in a second."""
        return self.compute.index(min(self.compute)) if self.compute else None

    @property
    def slowest_link(self) -> tuple[int, int, float] | None:
        """The way between two ranks with the least bandwidth."""
        return min(self.links, key=lambda link: link[2], default=None)

    def name(self, rank: int) -> str:
        """A rank by number, host and device."""
        facts = self.ranks.get(rank, {})
        place = ", ".join(str(facts[key]) for key in ("host", "device") if facts.get(key))
        if not place:
            return message("rank {rank}", rank=rank)
        return message("rank {rank} ({place})", rank=rank, place=place)

    def lagging(self) -> tuple[str, ...]:
        """The slowest rank and link as sentences; with the share of the median where it is small."""
        said = []
        rank, link = self.slowest_rank, self.slowest_link
        if rank is not None:
            said.append(
                message(
                    "slowest rank: {name}, {against}",
                    name=self.name(rank),
                    against=_against(self.compute[rank], self.compute, "GFLOP/s"),
                )
            )
        if link is not None:
            way = f"{self.name(link[0])} to {self.name(link[1])}"
            said.append(
                message(
                    "slowest link: {way}, {against}",
                    way=way,
                    against=_against(link[2], [row[2] for row in self.links], "GB/s"),
                )
            )
        return tuple(said)

    def as_bench(self) -> BenchReport:
        """The bandwidths as a run of bench, to save and to compare."""
        facts = dict(self.ranks.get(0, {}))
        environment = {
            "backend": self.backend,
            "ranks": self.size,
            "torch": facts.get("torch"),
            "cuda": facts.get("cuda"),
        }
        return BenchReport(environment=environment, results=self.results)

    def to_json(self) -> dict[str, Any]:
        """The contract's document, with the ranks, links and troubles added."""
        link, rank = self.slowest_link, self.slowest_rank
        return self.as_bench().to_json() | {
            "launcher": self.launcher,
            "ranks": [{"rank": number, **self.ranks[number]} for number in sorted(self.ranks)],
            "links": [{"from": a, "to": b, "gb_per_s": round(rate, 4)} for a, b, rate in self.links],
            "compute_gflops": [round(rate, 2) for rate in self.compute],
            "slowest_rank": rank,
            "slowest_link": None if link is None else {"from": link[0], "to": link[1]},
            "differences": list(self.differences),
            "troubles": [trouble.to_json() for trouble in self.troubles],
            "passed": self.passed,
        }


def differences(ranks: Mapping[int, Mapping[str, Any]]) -> tuple[str, ...]:
    """Each fact in which ranks differ, with the ranks that are not as most are."""
    said = []
    for key in sorted({key for facts in ranks.values() for key in facts} - _OWN):
        values = {rank: str(ranks[rank].get(key)) for rank in sorted(ranks)}
        usual, _ = Counter(values.values()).most_common(1)[0]
        for value in sorted(set(values.values()) - {usual}):
            odd = joined(str(rank) for rank in values if values[rank] == value)
            said.append(
                message(
                    "{key} is {value} on rank {odd}, and {usual} elsewhere",
                    key=key,
                    value=value,
                    odd=odd,
                    usual=usual,
                )
            )
    return tuple(said)


def run_ranks(
    python: Path,
    *,
    quick: bool = False,
    measure: bool = True,
    ranks: int | None = None,
    limit: float = 60.0,
    driver: str | None = None,
    on_stage: Callable[[str], None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> DistributedReport:
    """Run the ranks: those that torchrun or srun has started with us, else `ranks` of our own on this machine.

    Without `measure` they only meet, compare what they are, and prove a sum over all. `limit` is in seconds, for each
    stage; a rank that needs longer is named. Raises `EnvironmentUnusable` when there is no torch to run.
    """
    environ = os.environ if environ is None else environ
    launch = launched(environ) or own_launch(python, ranks, environ)
    request = {"suite": "run_ranks", "quick": quick, "measure": measure, "limit": limit, "driver": driver}
    with tempfile.TemporaryDirectory(prefix="torchdoctor-", ignore_cleanup_errors=True) as folder:
        child = ProbeProcess(python, request, Path(folder), {**environ, **launch.environ}, launch.command)
        gathered = _Gathered(launch, on_stage)
        try:
            gathered.listen(child, limit)
        finally:
            child.stop()
            gathered.end_all()
    return gathered.report(child)


class _Gathered:
    """What the ranks have said so far."""

    def __init__(self, launch: Launch, on_stage: Callable[[str], None] | None) -> None:
        self._launch, self._on_stage = launch, on_stage
        self._facts: dict[int, Mapping[str, Any]] = {}
        self._pids: dict[int, int] = {}
        self._stages: dict[int, str] = {}
        self._ended: set[int] = set()
        self._told: dict[int, Mapping[str, Any]] = {}
        self._values: dict[str, Any] = {"results": [], "links": [], "compute": (), "backend": None}
        self._device = "cpu"
        self._late = ""

    def listen(self, child: ProbeProcess, limit: float) -> None:
        """Until the last rank is gone, or nobody says anything for longer than any stage may take."""
        patience = _START
        while True:
            try:
                event = child.next_event(patience)
            except TimeoutError:
                self._late = (
                    "" if self._told else message("nothing was heard for {patience:g} s", patience=patience)
                )
                return
            if event is None:
                return
            self._heed(event)
            # Once somebody has told, torchrun has the others' ends still to report, and no more is to be waited for.
            patience = _AFTER_TROUBLE if self._told else max(_START, 2 * limit + 30)

    def _heed(self, event: Mapping[str, Any]) -> None:
        rank = event.get("rank", 0)
        match event["event"]:
            case "rank":
                self._facts[rank], self._pids[rank] = event["facts"], event["pid"]
            case "met":
                self._facts[rank] = event["facts"]
            case "stage":
                self._stages[rank] = event["stage"]
                if self._on_stage is not None:
                    self._on_stage(event["stage"])
            case "trouble":
                self._told[rank] = event
            case "end":
                self._ended.add(rank)
            case _:
                self._measured(event)

    def _measured(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "group":
                self._values["backend"], self._device = event["backend"], event["device"]
            case "collective":
                self._values["results"].append(_result(event, self._launch.size, self._device))
            case "link":
                self._values["links"].append((event["source"], event["goal"], event["busbw"]))
            case "compute":
                self._values["compute"] = tuple(event["gflops"])
            case "hangs":
                self._late = message("hangs in {event}", event=event["stage"])

    def end_all(self) -> None:
        """A rank that is stopped or hangs in a driver outlives its torchrun."""
        for rank, pid in self._pids.items():
            if rank not in self._ended and self._launch.command and hasattr(signal, "SIGKILL"):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)

    def report(self, child: ProbeProcess) -> DistributedReport:
        """What came of it."""
        ours = range(self._launch.size) if self._launch.rank is None else (self._launch.rank,)
        lost = {rank for event in self._told.values() for rank in event["missing"]}
        lost |= {rank for rank in ours if rank not in self._ended and rank not in self._told}
        # Who told is not lost; without anybody lost, it is who failed first.
        first = [event["first"] for event in self._told.values()][:1]
        blamed = sorted(lost - self._ended - set(self._told)) or first
        codes = exit_codes(child.stderr)
        return DistributedReport(
            launcher=self._launch.name,
            size=self._launch.size,
            rank=self._launch.rank,
            backend=self._values["backend"],
            ranks=self._facts,
            results=tuple(self._values["results"]),
            links=tuple(self._values["links"]),
            compute=self._values["compute"],
            troubles=tuple(self._trouble(rank, codes.get(rank)) for rank in blamed),
            evidence=child.stderr if blamed else (),
        )

    def _trouble(self, rank: int, code: int | None) -> Trouble:
        heard = list(self._told.values())
        stage = self._stages.get(rank) or next((str(row["stage"]) for row in heard), "its start")
        own = next((str(row["first_error"]) for row in heard if row["first"] == rank), None)
        if own is not None:
            detail = own
        elif code is not None and code < 0:
            detail = message("was killed by {signal}", signal=_signal(-code))
        elif code:
            detail = message("ended with status {code}", code=code)
        else:
            detail = self._late or "does not answer: it hangs, is stopped or gone, or cannot be reached"
        return Trouble(rank=rank, stage=stage, detail=detail)


def _result(event: Mapping[str, Any], size: int, device: str) -> BenchResult:
    return BenchResult(
        id=event["name"],
        device=device,
        seconds=round(event["median_s"] * event["repeats"], 6),
        dtype="float32",
        params={"bytes": event["bytes"], "ranks": size},
        value=float(f"{event['busbw']:.5g}"),
        unit="GB/s",
        best_value=float(f"{event['busbw'] * event['median_s'] / event['best_s']:.5g}"),
        median_s=event["median_s"],
        best_s=event["best_s"],
        iqr_s=event["iqr_s"],
        repeats=event["repeats"],
        bytes=float(event["bytes"]),
        cpu_share=event["cpu_share"],
    )


def _against(value: float, values: Sequence[float], unit: str) -> str:
    # Of two, which is the odd one cannot be told, and they differ more by chance.
    usual, slow = (median(values), SLOW) if len(values) > _TWO else (max(values), SLOW_OF_TWO)
    share = value / usual if usual else 1.0
    verdict = (
        message("{share:.0%} of what the others have: look at it", share=share)
        if share < slow
        else message("close to the others")
    )
    return f"{value:,.4g} {unit}, {verdict}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return message("signal {number}", number=number)
