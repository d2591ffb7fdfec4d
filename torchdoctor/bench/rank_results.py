"""DistributedReport -> VerifyReport: one check for each rank, one for their versions, one for the sum over all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.verify import CheckResult, VerifyReport

if TYPE_CHECKING:
    from torchdoctor.bench.distributed_report import DistributedReport
    from torchdoctor.verify.model import Status

__all__ = ["verify_report_from"]

# Ranks of other versions of these do not understand each other, or compute something else. Another difference (a Linux
# kernel, a number of threads, a kind of GPU) only makes the slowest rank set the pace.
_MUST_AGREE = ("torch", "cuda", "hip", "nccl", "python", "machine")
_SHOWN_FACTS = ("torch", "python", "cuda", "hip", "nccl", "device", "system", "machine")


def verify_report_from(report: DistributedReport) -> VerifyReport:
    """Return the ranks' run as a report of checks. Its environment is rank 0's."""
    # Of several ranks that torchrun or srun has started, the first reports for all.
    alone = report.rank is not None and report.rank > 0
    ranks = (report.rank,) if report.rank is not None and alone else range(report.size)
    checks = [_check_rank(report, rank) for rank in ranks]
    checks += [] if alone else [_check_versions(report), _check_sum(report)]
    facts = next(iter(report.ranks.values()), {})
    environment = {**facts, "launcher": report.launcher, "ranks": report.size, "backend": report.backend}
    return VerifyReport(environment=environment, checks=tuple(checks))


def _result(
    name: str,
    device: str,
    status: Status,
    detail: str,
    *,
    code: str | None = None,
    evidence: tuple[str, ...] = (),
) -> CheckResult:
    return CheckResult(
        id=name, device=device, status=status, seconds=0.0, detail=detail, code=code, evidence=evidence
    )


def _check_rank(report: DistributedReport, rank: int) -> CheckResult:
    trouble = next((trouble for trouble in report.troubles if trouble.rank == rank), None)
    name = message("rank {rank}", rank=rank)
    facts = report.ranks.get(rank, {})
    if trouble is not None:
        place = message(" on {facts}", facts=facts["host"]) if facts.get("host") else ""
        text = message("{detail}{place}, in {stage}", detail=trouble.detail, place=place, stage=trouble.stage)
        return _result("rank", name, "fail", text, code="rank-failed", evidence=report.evidence)
    if not facts:
        text = message("not known, because the ranks did not all meet")
        return _result("rank", name, "skip", text, code="ranks-missing")
    shown = joined(f"{key} {facts[key]}" for key in _SHOWN_FACTS if facts.get(key))
    return _result("rank", name, "pass", message("{what}: {why}", what=facts.get("host"), why=shown))


def _check_versions(report: DistributedReport) -> CheckResult:
    if len(report.ranks) < report.size:
        met = message(
            "{count} of {size} ranks reported their versions", count=len(report.ranks), size=report.size
        )
        text = message("not compared: {met}", met=met)
        return _result("versions", "all ranks", "skip", text, code="ranks-missing")
    differences = report.differences
    if not differences:
        text = message("{size} ranks run the same versions", size=report.size)
        return _result("versions", "all ranks", "pass", text)
    grave = any(difference.key in _MUST_AGREE for difference in differences)
    text = joined((difference.text for difference in differences), "; ")
    return _result("versions", "all ranks", "fail" if grave else "warn", text, code="ranks-differ")


def _check_sum(report: DistributedReport) -> CheckResult:
    if report.troubles:
        text = message("not verified, because a rank failed")
        return _result("all-reduce", "all ranks", "skip", text, code="rank-failed")
    text = message("{backend} sums over {size} ranks exactly", backend=report.backend, size=report.size)
    return _result("all-reduce", "all ranks", "pass", text)
