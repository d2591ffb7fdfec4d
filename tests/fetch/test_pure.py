"""The decisions of a transfer, without a network: segments, patience, speed, and what servers and journals say."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.core.wheelfile import Damage
from torchdoctor.fetch.transfer.active_clock import ActiveClock
from torchdoctor.fetch.transfer.assignment import slowest_connection
from torchdoctor.fetch.transfer.origin import Origin, best_origin
from torchdoctor.fetch.transfer.pace import give_up_laggards
from torchdoctor.fetch.transfer.partial_file import parse_journal
from torchdoctor.fetch.transfer.repair import windows_of_damage
from torchdoctor.fetch.transfer.response import Validator, parse_content_range
from torchdoctor.fetch.transfer.retry import MAX_WAIT_SECONDS, PROGRESS_BYTES, RetryPolicy, parse_retry_after
from torchdoctor.fetch.transfer.segments import SEGMENT_BYTES, SegmentMap, Span
from torchdoctor.fetch.transfer.throughput import (
    ConnectionRamp,
    ThroughputMeter,
    bytes_to_request,
    is_lagging,
)

SIZES = st.integers(1, 40 * SEGMENT_BYTES)


@given(size=SIZES, data=st.data())
def test_every_byte_is_taken_once_and_none_that_is_done(size, data):
    """Whatever is done already and however much each connection takes."""
    count = -(-size // SEGMENT_BYTES)
    done = data.draw(st.sets(st.integers(0, count - 1)))
    made = SegmentMap(size, done)
    taken = []
    while (span := made.take(data.draw(st.integers(0, 20 * SEGMENT_BYTES)))) is not None:
        taken += range(span.position, span.end, SEGMENT_BYTES)
        assert span.position % SEGMENT_BYTES == 0
        assert span.end == size or span.end % SEGMENT_BYTES == 0
        for place in range(span.position, span.end, SEGMENT_BYTES):
            made.mark(place // SEGMENT_BYTES)
    assert sorted(taken) == [index * SEGMENT_BYTES for index in range(count) if index not in done]
    assert made.complete
    assert made.done_bytes == size


@given(size=SIZES, got=st.integers(0, 40 * SEGMENT_BYTES), keep=st.floats(0, 1))
def test_a_shared_span_loses_no_byte_and_doubles_none(size, got, keep):
    """Both parts together are what it was, cut at a segment, behind what has arrived."""
    made = SegmentMap(size)
    span = made.take(size)
    span.position = min(got // SEGMENT_BYTES * SEGMENT_BYTES, span.end)
    before = (span.position, span.end)
    rest = made.split(span, keep)
    if rest is not None:
        assert rest.position == span.end
        assert (span.position, rest.end) == before
        assert span.position < span.end < rest.end
        assert rest.position % SEGMENT_BYTES == 0


def test_progress_counts_and_not_tries():
    """A thousand broken connections that each brought something are no reason to stop; six that did not are."""
    patience = RetryPolicy()
    assert all(patience.failed(PROGRESS_BYTES) for _ in range(1000))
    assert [patience.failed(PROGRESS_BYTES - 1) for _ in range(6)] == [True] * 5 + [False]


def test_a_connection_that_was_too_slow_is_no_progress():
    """However long it was waited for."""
    patience = RetryPolicy()
    assert [patience.failed(10 * PROGRESS_BYTES, "slow") for _ in range(6)] == [True] * 5 + [False]


def test_an_answer_that_did_not_come_in_a_minute_is_not_waited_for_again():
    """Six times a minute is longer than anybody waits."""
    assert not RetryPolicy().failed(0, "late")


def test_waits_grow_with_misses_and_stay_below_a_limit():
    """And chance spreads those who failed together."""
    patience = RetryPolicy(misses=100)
    assert patience.wait(None, 1.0) == 0.0
    waits = []
    for _ in range(20):
        patience.failed(0)
        waits.append(patience.wait(None, 1.0))
        assert patience.wait(None, 0.0) == waits[-1] / 2
    assert waits == sorted(waits)
    assert waits[-1] == MAX_WAIT_SECONDS
    assert patience.wait(7.0, 0.5) == 7.0
    assert patience.wait(1e9, 0.5) == MAX_WAIT_SECONDS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120.0), (" 3 ", 3.0), ("Wed, 21 Oct 2026 07:28:10 GMT", 10.0), ("Wed, 21 Oct 2026 07:00:00 GMT", 0.0),
     ("soon", None), ("-5", None), ("", None), (None, None), ("9" * 400, 600.0)],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(text, seconds):
    """RFC 9110, 10.2.3."""
    now = datetime(2026, 10, 21, 7, 28, 0, tzinfo=timezone.utc)
    assert parse_retry_after(text, now) == seconds


@given(text=st.text())
def test_any_retry_after_is_read_without_a_crash(text):
    """It comes from outside."""
    found = parse_retry_after(text)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("text", "found"),
    [("bytes 0-9/100", (0, 9, 100)), ("BYTES 5-5/*", (5, 5, None)), ("bytes 9-0/100", None), ("bytes 0-100/100", None),
     ("items 0-9/100", None), ("bytes */100", None), ("bytes 0-9", None), (None, None)],
)  # fmt: skip
def test_a_content_range_is_read(text, found):
    """RFC 9110, 14.4; one that contradicts itself is none."""
    assert parse_content_range(text) == found


@given(text=st.text() | st.from_regex(r"bytes [0-9]*-[0-9]*/[0-9*]*"))
def test_a_content_range_never_contradicts_itself(text):
    """Whatever a server sends."""
    found = parse_content_range(text)
    if found is not None:
        first, last, total = found
        assert 0 <= first <= last
        assert total is None or last < total


@given(text=st.text())
def test_any_text_is_a_journal_or_none(text):
    """A crash may leave anything."""
    assert parse_journal(text) is None
    head = f'{{"torchdoctor-part": 1, "segment": {SEGMENT_BYTES}, "size": 1000000}}\n'
    found = parse_journal(head + text)
    assert found is not None
    assert all(0 <= index < 8 for index in found.segments)


def test_a_weak_etag_cannot_condition_a_range():
    """RFC 9110, 13.1.5; the date can."""
    assert Validator(etag='W/"a"', last_modified="then").condition == "then"
    assert Validator(etag='"a"', last_modified="then").condition == '"a"'
    assert Validator(etag='"a"').contradicts(Validator(etag='"b"'))
    assert not Validator(etag='"a"').contradicts(Validator())


class Clock:
    now, last_pause = 0.0, -1.0

    def __call__(self):
        return self.now


def test_a_stall_is_seen_by_throughput():
    """A thousand bytes a second are enough, a hundred are not."""
    clock = Clock()
    meter = ThroughputMeter(clock)
    meter.add(1)
    for rate, stalled in ((1000, False), (100, True)):
        for _ in range(14):
            clock.now += 1
            meter.add(rate)
            assert not meter.stalled()
        clock.now += 1
        meter.add(rate)
        assert meter.stalled() is stalled


def test_a_pause_of_the_process_is_no_fault_of_a_line():
    """Stopped for half a minute, or asleep with its machine: neither a stall nor behind the others."""
    wall = Clock()
    clock = ActiveClock(wall)
    meter = ThroughputMeter(clock)
    meter.add(200_000)
    wall.now += 30
    assert meter.telling
    assert clock() < 0.5
    assert not meter.telling
    assert not meter.stalled()
    assert not is_lagging(meter.rate, [[1e6, 1.2e6]], meter.seconds)


def test_a_clock_that_is_read_often_loses_nothing():
    """The seconds are those of the wall."""
    wall = Clock()
    clock = ActiveClock(wall)
    for _ in range(100):
        wall.now += 0.05
        last = clock()
    assert last == pytest.approx(5.0)


def test_a_connection_lags_when_the_others_are_ten_times_as_fast():
    """After some seconds, and only beside others."""
    assert is_lagging(90_000, [[1e6, 1.2e6]], 4.0)
    assert not is_lagging(90_000, [[1e6, 1.2e6]], 1.0)
    assert not is_lagging(200_000, [[1e6, 1.2e6]], 4.0)
    assert not is_lagging(1.0, [[], []], 60.0)


def test_a_connection_lags_when_the_slow_are_the_many():
    """To be behind the connections to another place is enough."""
    assert is_lagging(30_000, [[30_000, 30_000, 1e6], [1e6]], 4.0)


class Standin(SimpleNamespace):
    __hash__ = object.__hash__


def connection(left, *, rate, seconds, starved=True):
    """One that has `left` bytes to fetch, and brought `rate` for so long."""
    clock = Clock()
    meter = ThroughputMeter(clock)
    meter.add(int(rate * seconds))
    clock.now = seconds
    origin = Origin("https://m.example/w", rate=10e6)
    return Standin(
        span=Span(0, left), meter=meter, origin=origin, rate=0.0, is_starved=starved, abandoned=None
    )


def state(*connections, lost=0.0):
    return SimpleNamespace(connections=list(connections), size=10**9, lost=lost, past_rates=[10e6])


def test_a_slow_connection_is_helped():
    """The one that will be busy longest."""
    slow, slower = connection(9 * 10**6, rate=1e6, seconds=3), connection(9 * 10**6, rate=0.5e6, seconds=3)
    assert slowest_connection(state(slow, slower)) is slower
    assert slowest_connection(state(slow, slower), besides=slower) is slow


@pytest.mark.parametrize(
    "other",
    [connection(9 * 10**6, rate=0, seconds=0.1), connection(9 * 10**6, rate=1e6, seconds=3, starved=False),
     connection(1 * 10**6, rate=1e6, seconds=3)],
    ids=["it has just begun", "its bytes are here and not read yet", "it is soon done"],
)  # fmt: skip
def test_a_connection_that_is_not_slow_keeps_its_work(other):
    """What is on its way to it would be sent twice."""
    assert slowest_connection(state(other)) is None


def test_taking_over_loses_no_more_than_a_hundredth_of_a_file():
    """However often it would gain a little time."""
    slow = connection(9 * 10**6, rate=1e6, seconds=3)
    assert slowest_connection(state(slow, lost=9.5e6)) is None


def test_a_connection_whose_bytes_nobody_reads_is_no_laggard():
    """The process is slow there, not the line."""
    slow = {"left": 9 * 10**6, "rate": 1e5, "seconds": 4}
    assert give_up_laggards(state(connection(**slow, starved=False))) == []
    starved = connection(**slow)
    assert give_up_laggards(state(starved)) == [starved]


def test_a_silent_place_counts_as_tried():
    """Else it would be asked first again, without end."""
    silent = connection(9 * 10**6, rate=0, seconds=4)
    assert give_up_laggards(state(silent)) == [silent]
    other = Origin("https://n.example/w", rate=1e5)
    assert best_origin([silent.origin, other]) is other


def test_connections_grow_while_they_help():
    """Ten megabytes a second each, up to sixteen."""
    ramp = ConnectionRamp()
    for _ in range(8):
        ramp.look(10e6 * ramp.wanted, 10**9, ramp.wanted)
    assert ramp.wanted == 16


def test_connections_stop_where_they_do_not_help():
    """A line that is full with one stays at one."""
    ramp = ConnectionRamp()
    ramp.look(10e6, 10**9, 1)
    assert ramp.wanted == 4
    ramp.look(10.2e6, 10**9, 4)
    ramp.look(10e6, 10**9, 1)
    assert ramp.wanted == 1


def test_a_file_that_is_nearly_there_gets_no_more_connections():
    """They would come too late."""
    ramp = ConnectionRamp()
    ramp.look(100e6, 10_000_000, 1)
    assert ramp.wanted == 1


def test_a_large_file_on_a_far_line_begins_with_several_connections():
    """Each begins slowly there; a near line, a small file and a server that allows one connection stay at one."""
    far, near, small, settled = ConnectionRamp(), ConnectionRamp(), ConnectionRamp(), ConnectionRamp()
    settled.settle(1)
    far.begin(0.05, 10**9)
    near.begin(0.002, 10**9)
    small.begin(0.05, 10**6)
    settled.begin(0.05, 10**9)
    assert [row.wanted for row in (far, near, small, settled)] == [4, 1, 1, 1]


@given(left=st.integers(1, 10**11), rate=st.floats(0, 10**10), connections=st.integers(1, 16))
def test_a_connection_asks_for_a_bounded_share(left, rate, connections):
    """At least a mebibyte, so that answers are few; at most what two seconds bring, or its part of a last second."""
    asked = bytes_to_request(left, rate, connections)
    assert asked >= 1 << 20
    assert asked <= max(2 * rate, 1 << 20) + 1


@given(start=st.integers(0, 10**8), length=st.integers(1, 10**8), near=st.none() | st.integers(0, 10**8))
def test_all_of_a_damaged_member_is_fetched_again_in_the_end(start, length, near):
    """Each segment once, from where reading failed backwards."""
    damage = Damage(start=start, end=start + length, near=None if near is None else start + near % length)
    indexes = [index for row in windows_of_damage(damage) for index in row]
    assert len(set(indexes)) == len(indexes)
    last = damage.end - 1 if damage.near is None else damage.near
    assert sorted(indexes) == list(range(start // SEGMENT_BYTES, last // SEGMENT_BYTES + 1))
