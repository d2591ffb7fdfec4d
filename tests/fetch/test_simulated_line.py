"""Whatever line, load and servers do: few bytes are sent twice, and the time is near what the line allows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fetch.simulated_line import Line, Server, SimulatedTransfer
from torchdoctor.fetch.transfer.interfaces import TransferFailed

MB = 1_000_000
RATES = st.sampled_from([1 * MB, 3 * MB, 10 * MB, 50 * MB])
LATENCIES = st.sampled_from([0.0, 0.02, 0.05, 0.2])
PAUSES = st.sampled_from([(0.0, 0.0), (0.4, 5.4), (1.0, 6.0), (2.0, 7.0)])
SIZES = st.integers(20 * MB, 80 * MB)
TWICE = 0.02
# In a pause just after a part was taken over, the response that is cut goes on: some requests of the least size.
TWICE_IN_A_PAUSE = 4 << 20


@st.composite
def lines(draw, *, mirror=False, silent=False):
    """Any line, also one that is full with one connection, and any load of the machine."""
    rate, latency = draw(RATES), draw(LATENCIES)
    servers = [Server(rate=rate, latency=latency)]
    if mirror:
        servers.append(Server(rate=rate / draw(st.sampled_from([2, 10, 100])), latency=latency))
    if silent:
        servers.append(Server(rate=rate, latency=latency, silent_at=draw(st.sampled_from([0.3, 1.0, 2.0]))))
    most = 16 if mirror or silent else draw(st.integers(1, 16))
    return Line(
        servers=tuple(draw(st.permutations(servers))),
        total=draw(st.sampled_from([1e12, rate, 4 * rate])),
        most=most,
        reads=draw(st.sampled_from([1e9, 30 * MB])),
        turns=draw(st.sampled_from([1, 2, 4])),
        pause=draw(PAUSES),
    )


def fetched(size, line, limit):
    """Run it, and return the seconds without the pause; few bytes were sent twice."""
    transfer = SimulatedTransfer(size, line)
    seconds = transfer.run(limit)
    paused = line.pause[1] - line.pause[0]
    assert transfer.served <= size * (1 + TWICE) + (TWICE_IN_A_PAUSE if paused else 0)
    return seconds - (paused if seconds > line.pause[0] else 0)


@settings(max_examples=25, derandomize=True)
@given(size=SIZES, line=lines())
def test_a_line_is_used_and_no_byte_comes_twice(size, line):
    """At least as fast as one connection to the best server, under any load."""
    alone = size / min(line.servers[0].rate, line.total, line.reads / line.turns)
    assert fetched(size, line, limit=600) <= 1.5 * alone + 5


@settings(max_examples=25, derandomize=True)
@given(size=SIZES, line=lines(mirror=True))
def test_a_mirror_that_is_far_slower_costs_little(size, line):
    """Neither bytes nor much time, whether it is asked first or last."""
    fetched(size, line, limit=400)


@settings(max_examples=25, derandomize=True)
@given(size=SIZES, line=lines(silent=True))
def test_a_server_that_falls_silent_is_done_without(size, line):
    """The other one has the rest."""
    fetched(size, line, limit=400)


def test_connections_add_up_where_each_is_slow():
    """Sixteen on a line of ten megabytes a second each, as measured with a real server."""
    line = Line(servers=(Server(rate=10 * MB),))
    assert fetched(192 * MB, line, limit=60) < 192 / 10 / 5


@pytest.mark.parametrize("silent_at", [0.0, 1.0, 2.0, 5.0])
def test_a_server_that_is_silent_for_good_is_given_up(silent_at):
    """It is not asked again and again because it was once fast."""
    transfer = SimulatedTransfer(
        192 * MB, Line(servers=(Server(rate=3 * MB, latency=0.05, silent_at=silent_at),))
    )
    with pytest.raises(TransferFailed):
        transfer.run(limit=150)


def test_a_pause_just_after_the_beginning_leaves_the_connections_what_they_were():
    """All that waited comes at once then, which is no rate to compare the next one with."""
    line = Line(servers=(Server(rate=3 * MB),), pause=(0.4, 5.4))
    assert fetched(192 * MB, line, limit=60) < 192 / 3 / 5


def test_of_too_many_connections_the_one_to_the_fast_place_goes_on():
    """It is the first to ask for more work, because it is done first."""
    servers = (Server(rate=10_000), Server(rate=1 * MB))
    line = Line(servers=servers, total=4 * MB, turns=4, pause=(1.0, 6.0))
    assert fetched(60 * MB, line, limit=400) < 150
