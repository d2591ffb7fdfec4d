"""What a run of several ranks found: its figures, the ranks that failed, those that differ and the slowest ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from torchdoctor.bench.model import BenchReport, BenchResult
from torchdoctor.core.i18n import joined, message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Difference", "DistributedReport", "Slowest", "Trouble", "find_differences"]

# A rank or link below this share of the others' median is worth a look. Of two nobody can say which is the odd one, and
# they differ more by chance.
_SLOW_SHARE, _SLOW_SHARE_OF_TWO = 0.9, 0.6
_TWO = 2
# Facts that may differ between ranks.
_MAY_DIFFER = frozenset({"host", "driver"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """A rank that did not get to the end: where it was (`stage`) and what is known of the reason (`detail`)."""

    rank: int
    stage: str
    detail: str

    def to_json(self) -> dict[str, Any]:
        """Return the object under `troubles`."""
        return {"rank": self.rank, "stage": self.stage, "detail": self.detail}


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A fact (`key`: torch, nccl, ...) that has another `value` on `ranks` than the `usual` one of the other ranks."""

    key: str
    value: str
    usual: str
    ranks: tuple[int, ...]

    @property
    def text(self) -> str:
        """The difference as a sentence."""
        return message(
            "{key} is {value} on rank {odd}, and {usual} elsewhere",
            key=self.key,
            value=self.value,
            odd=joined(str(rank) for rank in self.ranks),
            usual=self.usual,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Slowest:
    """The slowest rank or link as a sentence; `suspicious` when it is far below the others."""

    text: str
    suspicious: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DistributedReport:
    """What the ranks are, how fast they exchange data, and which of them failed, differ or are slow.

    `rank` is None when all ranks were started here, else our own; only rank 0 has figures. `ranks` holds each rank's
    facts (host, versions, device). `results` are bus bandwidths by nccl-tests' definitions; `links` are (from, to,
    GB/s); `compute` is each rank's GFLOP/s in a matrix product. `evidence` is the end of standard error.
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
    evidence: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every rank got to the end, and all run the same versions."""
        return not self.troubles and not self.differences

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Each fact in which ranks differ."""
        return find_differences(self.ranks)

    @property
    def slowest_rank(self) -> int | None:
        """The rank with the lowest GFLOP/s."""
        return self.compute.index(min(self.compute)) if self.compute else None

    @property
    def slowest_link(self) -> tuple[int, int, float] | None:
        """The link between two ranks with the least bandwidth."""
        return min(self.links, key=lambda link: link[2], default=None)

    def name(self, rank: int) -> str:
        """Return a rank's number with its host and device."""
        facts = self.ranks.get(rank, {})
        place = ", ".join(str(facts[key]) for key in ("host", "device") if facts.get(key))
        if not place:
            return message("rank {rank}", rank=rank)
        return message("rank {rank} ({place})", rank=rank, place=place)

    def slowest(self) -> tuple[Slowest, ...]:
        """Return the slowest rank and the slowest link, where they were measured."""
        found = []
        rank, link = self.slowest_rank, self.slowest_link
        if rank is not None:
            against, suspicious = _compare_with_others(self.compute[rank], self.compute, "GFLOP/s")
            text = message("slowest rank: {name}, {against}", name=self.name(rank), against=against)
            found.append(Slowest(text=text, suspicious=suspicious))
        if link is not None:
            source, target, rate = link
            against, suspicious = _compare_with_others(rate, [rate for _, _, rate in self.links], "GB/s")
            way = f"{self.name(source)} to {self.name(target)}"
            text = message("slowest link: {way}, {against}", way=way, against=against)
            found.append(Slowest(text=text, suspicious=suspicious))
        return tuple(found)

    def as_bench(self) -> BenchReport:
        """Return the bandwidths as a run of bench, to save and to compare."""
        facts = self.ranks.get(0, {})
        environment = {
            "backend": self.backend,
            "ranks": self.size,
            "torch": facts.get("torch"),
            "cuda": facts.get("cuda"),
        }
        return BenchReport(environment=environment, results=self.results)

    def to_json(self) -> dict[str, Any]:
        """Return the document of the JSON contract, with the ranks, links and troubles added."""
        link = self.slowest_link
        return self.as_bench().to_json() | {
            "launcher": self.launcher,
            "ranks": [{"rank": number, **self.ranks[number]} for number in sorted(self.ranks)],
            "links": [
                {"from": source, "to": target, "gb_per_s": round(rate, 4)}
                for source, target, rate in self.links
            ],
            "compute_gflops": [round(rate, 2) for rate in self.compute],
            "slowest_rank": self.slowest_rank,
            "slowest_link": None if link is None else {"from": link[0], "to": link[1]},
            "differences": [difference.text for difference in self.differences],
            "troubles": [trouble.to_json() for trouble in self.troubles],
            "passed": self.passed,
        }


def find_differences(ranks: Mapping[int, Mapping[str, Any]]) -> tuple[Difference, ...]:
    """Return each fact in which ranks differ, with the ranks that are not as most are."""
    found = []
    for key in sorted({key for facts in ranks.values() for key in facts} - _MAY_DIFFER):
        values = {rank: str(ranks[rank].get(key)) for rank in sorted(ranks)}
        usual, _ = Counter(values.values()).most_common(1)[0]
        for value in sorted(set(values.values()) - {usual}):
            odd = tuple(rank for rank in values if values[rank] == value)
            found.append(Difference(key=key, value=value, usual=usual, ranks=odd))
    return tuple(found)


def _compare_with_others(value: float, values: Sequence[float], unit: str) -> tuple[str, bool]:
    """Return a figure with what it is beside the others', and whether it is suspiciously low."""
    usual, slow = (median(values), _SLOW_SHARE) if len(values) > _TWO else (max(values), _SLOW_SHARE_OF_TWO)
    share = value / usual if usual else 1.0
    verdict = (
        message("{share:.0%} of what the others have: look at it", share=share)
        if share < slow
        else message("close to the others")
    )
    return f"{value:,.4g} {unit}, {verdict}", share < slow
