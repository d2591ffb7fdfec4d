"""The watchdog of a rank: it reports a hang in a form that the parent understands, and ends the process."""

from __future__ import annotations

import threading

from torchdoctor.bench.distributed import _RankCollector
from torchdoctor.bench.launchers import Launch
from torchdoctor.probe.distributed import watchdog
from torchdoctor.probe.distributed.watchdog import Watchdog


class Sent:
    """A channel that keeps what is sent."""

    def __init__(self):
        self.events = []

    def send(self, event, **values):
        self.events.append({"event": event, **values})


def hang(monkeypatch):
    """The events of rank 1, whose time is over as soon as it begins a stage."""
    ended = threading.Event()
    monkeypatch.setattr(watchdog.os, "_exit", lambda _status: ended.set())
    monkeypatch.setattr(watchdog, "_STAGE_EXTRA_SECONDS", -1000)
    monkeypatch.setattr(watchdog, "_POLL_SECONDS", 0.001)
    channel = Sent()
    Watchdog(channel, 1, 100.0).start_stage("the sum")
    assert ended.wait(30)
    return channel.events


def test_a_rank_that_hangs_reports_its_stage_and_ends(monkeypatch):
    """A driver may keep the main thread for ever."""
    stage, trouble = hang(monkeypatch)

    assert stage == {"event": "stage", "rank": 1, "stage": "the sum"}
    assert (trouble["event"], trouble["stage"]) == ("trouble", "the sum")


def test_the_parent_blames_the_rank_that_reported_its_hang(monkeypatch):
    """Its report is as complete as that of a rank that raised."""
    launch = Launch(name="torchrun", size=2, environ={}, command=("torchrun",))
    collector = _RankCollector(launch, None)
    for event in (*hang(monkeypatch), {"event": "end", "rank": 0}):
        collector._handle(event)

    (trouble,) = collector.report(()).troubles

    assert (trouble.rank, trouble.stage, trouble.detail) == (1, "the sum", "hangs in the sum")
