"""The ranks' meeting as checks: each rank by number, what differs, and the sum."""

from __future__ import annotations

from torchdoctor.bench.distributed_report import DistributedReport, Trouble
from torchdoctor.bench.rank_results import verify_report_from

FACTS = {"host": "node1", "torch": "2.13.0", "python": "3.11.7", "threads": 8, "system": "Linux 6.1"}


def met(*ranks, rank=None, size=None, troubles=()):
    """A report of ranks with these facts."""
    return DistributedReport(
        launcher="torchrun",
        size=size or len(ranks),
        rank=rank,
        backend="gloo",
        ranks={number: {**FACTS, **facts} for number, facts in enumerate(ranks)},
        troubles=tuple(troubles),
    )


def said(report):
    """Each check's place, status and sentence."""
    return {
        (check.id, check.device): (check.status, check.detail) for check in verify_report_from(report).checks
    }


def test_ranks_that_are_the_same_pass():
    """Each says what it is, and the sum is proven."""
    report = verify_report_from(met({}, {"host": "node2"}))

    assert report.passed
    assert [check.id for check in report.checks] == ["rank", "rank", "versions", "all-reduce"]
    assert report.checks[1].detail.startswith("node2: torch 2.13.0, python 3.11.7")


def test_a_rank_of_another_version_is_named():
    """Other versions fail; another number of threads is worth a word."""
    other = said(met({}, {"torch": "2.9.1"}, {}))
    threads = said(met({}, {"threads": 4}, {}))

    assert other["versions", "all ranks"] == ("fail", "torch is 2.9.1 on rank 1, and 2.13.0 elsewhere")
    assert threads["versions", "all ranks"][0] == "warn"


def test_a_rank_that_died_is_named_and_nothing_else_is_claimed():
    """With its place and its end."""
    report = met({}, {}, troubles=[Trouble(rank=1, stage="the sum", detail="was killed by SIGKILL")])

    assert said(report)["rank", "rank 1"] == ("fail", "was killed by SIGKILL on node1, in the sum")
    assert said(report)["rank", "rank 0"][0] == "pass"
    assert said(report)["all-reduce", "all ranks"][0] == "skip"


def test_a_rank_that_never_came_keeps_the_versions_from_being_compared():
    """Not known is not the same."""
    report = met({}, size=2, troubles=[Trouble(rank=1, stage="its start", detail="does not answer")])

    assert said(report)["versions", "all ranks"][0] == "skip"
    assert said(report)["rank", "rank 1"] == ("fail", "does not answer, in its start")


def test_a_rank_that_another_program_started_speaks_for_itself():
    """Only the first speaks for all."""
    report = DistributedReport(
        launcher="srun", size=2, rank=1, backend="gloo", ranks={1: FACTS},
        troubles=(Trouble(rank=1, stage="joining", detail="no route"),),
    )  # fmt: skip

    assert list(said(report)) == [("rank", "rank 1")]
