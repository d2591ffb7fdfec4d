"""DistributedReport -> VerifyReport: a check a rank, one for what they run, one for the sum over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.verify.model import CheckResult, VerifyReport

if TYPE_CHECKING:
    from torchdoctor.bench.distributed import DistributedReport
    from torchdoctor.verify.model import Status

__all__ = ["verify_report_from"]

# Ranks of other versions of these do not understand each other, or compute something else; what differs otherwise
# (a kernel of Linux, a number of threads, a kind of GPU) makes the slowest set the pace.
_DECIDING = ("torch", "cuda", "hip", "nccl", "python", "machine")
_SAID = ("torch", "python", "cuda", "hip", "nccl", "device", "system", "machine")


def verify_report_from(report: DistributedReport) -> VerifyReport:
    """The ranks' meeting as a report of checks. The environment is rank 0's."""
    # Of many that torchrun or srun has started the first speaks for all.
    alone = report.rank is not None and report.rank > 0
    ranks = (report.rank,) if report.rank is not None and alone else range(report.size)
    checks = [_rank(report, rank) for rank in ranks]
    checks += [] if alone else [_same(report), _sum(report)]
    facts = dict(next(iter(report.ranks.values()), {}))
    environment = {**facts, "launcher": report.launcher, "ranks": report.size, "backend": report.backend}
    return VerifyReport(environment=environment, checks=tuple(checks))


def _check(
    name: str, device: str, status: Status, detail: str, evidence: tuple[str, ...] = ()
) -> CheckResult:
    return CheckResult(id=name, device=device, status=status, seconds=0.0, detail=detail, evidence=evidence)


def _rank(report: DistributedReport, rank: int) -> CheckResult:
    trouble = next((row for row in report.troubles if row.rank == rank), None)
    where = message("rank {rank}", rank=rank)
    facts = report.ranks.get(rank, {})
    if trouble is not None:
        place = message(" on {facts}", facts=facts["host"]) if facts.get("host") else ""
        told = message("{detail}{place}, in {stage}", detail=trouble.detail, place=place, stage=trouble.stage)
        return _check("rank", where, "fail", told, report.evidence)
    if not facts:
        return _check("rank", where, "skip", message("not known, because the ranks did not all meet"))
    said = joined(f"{name} {facts[name]}" for name in _SAID if facts.get(name))
    return _check("rank", where, "pass", message("{what}: {why}", what=facts.get("host"), why=said))


def _same(report: DistributedReport) -> CheckResult:
    if len(report.ranks) < report.size:
        met = message("{count} of {size} ranks said what they are", count=len(report.ranks), size=report.size)
        return _check("versions", "all ranks", "skip", message("not compared: {met}", met=met))
    if not report.differences:
        return _check(
            "versions", "all ranks", "pass", message("{size} ranks run the same versions", size=report.size)
        )
    grave = any(row.startswith(tuple(f"{name} is " for name in _DECIDING)) for row in report.differences)
    return _check("versions", "all ranks", "fail" if grave else "warn", joined(report.differences, "; "))


def _sum(report: DistributedReport) -> CheckResult:
    if report.troubles:
        return _check("all-reduce", "all ranks", "skip", message("not proven, because a rank failed"))
    return _check(
        "all-reduce",
        "all ranks",
        "pass",
        message("{backend} sums over {size} ranks exactly", backend=report.backend, size=report.size),
    )
