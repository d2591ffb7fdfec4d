"""What a run of several ranks found: the rank that differs, the slowest ones, and the JSON."""

from __future__ import annotations

from torchdoctor.bench.distributed_report import Difference, DistributedReport, Trouble, find_differences


def test_the_rank_that_differs_is_named_not_the_others():
    """By what most are."""
    same = {"torch": "2.13.0", "nccl": "2.27", "host": "a"}
    ranks = {0: same, 1: same | {"host": "b"}, 2: same | {"nccl": "2.26"}, 3: same}

    (found,) = find_differences(ranks)

    assert found == Difference(key="nccl", value="2.26", usual="2.27", ranks=(2,))
    assert found.text == "nccl is 2.26 on rank 2, and 2.27 elsewhere"


def report(**more) -> DistributedReport:
    ranks = {rank: {"host": f"node{rank // 2}", "device": "NVIDIA H100"} for rank in range(4)}
    values = {"launcher": "torchrun", "size": 4, "rank": None, "backend": "nccl", "ranks": ranks}
    return DistributedReport(**values | more)


def test_the_slowest_rank_and_link_are_named():
    """With their hosts; small differences are no accusation."""
    links = ((0, 1, 200.0), (1, 0, 201.0), (0, 2, 20.0), (2, 0, 199.0))
    slow, fine = (
        report(compute=(700.0, 710.0, 500.0, 705.0), links=links).slowest(),
        report(compute=(1.0, 0.99)).slowest(),
    )

    assert slow[0].text.startswith("slowest rank: rank 2 (node1, NVIDIA H100), 500 GFLOP/s, 71% of")
    assert "rank 0 (node0, NVIDIA H100) to rank 2 (node1, NVIDIA H100), 20 GB/s" in slow[1].text
    assert slow[0].suspicious
    assert slow[1].suspicious
    assert [rank.text for rank in fine] == [
        "slowest rank: rank 1 (node0, NVIDIA H100), 0.99 GFLOP/s, close to the others"
    ]
    assert not fine[0].suspicious


def test_json_has_the_contracts_keys_and_the_troubles():
    document = report(troubles=(Trouble(rank=1, stage="the sum", detail="lost"),)).to_json()

    assert {"schema", "environment", "results", "ranks", "links", "troubles", "passed"} <= set(document)
    assert document["troubles"] == [{"rank": 1, "stage": "the sum", "detail": "lost"}]
    assert document["passed"] is False
