"""The way back from the probe: events come through whatever else does, and nothing that comes can raise."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.verify.events import EventReader

MARK = "0123456789abcdef"


def line(**event: object) -> bytes:
    """An event as the probe sends it."""
    return f"\n{MARK}{json.dumps(event)}\n".encode()


@given(st.lists(st.one_of(st.binary(), st.binary().map(lambda tail: MARK.encode() + tail + b"\n"))))
def test_no_bytes_raise(pieces):
    """Not even those that carry the mark."""
    reader = EventReader(MARK)
    for piece in pieces:
        assert isinstance(reader.feed(piece), list)


@given(st.binary().filter(lambda noise: MARK.encode() not in noise), st.integers(1, 20))
def test_an_event_survives_noise_around_it_and_any_cut(noise, size):
    """Each event begins on a line of its own, and arrives in pieces as pipes like."""
    sent = noise + line(event="start", id="conv") + noise + line(event="end")
    reader = EventReader(MARK)

    events = [event for at in range(0, len(sent), size) for event in reader.feed(sent[at : at + size])]

    assert events == [{"event": "start", "id": "conv"}, {"event": "end"}]


def test_a_line_without_end_is_not_kept():
    """Memory stays bounded, and the next line is read again."""
    reader = EventReader(MARK)
    for _ in range(100):
        reader.feed(b"x" * 65536)
        assert len(reader._open) <= 1 << 20

    assert reader.feed(b"x" + line(event="end")) == [{"event": "end"}]


def test_deep_nesting_is_passed_over():
    """A parser that runs out of stack is no crash of ours."""
    reader = EventReader(MARK)

    assert reader.feed(MARK.encode() + b"[" * 200_000 + b"\n") == []


def test_half_a_surrogate_pair_can_be_printed():
    """A path that is not UTF-8 comes as one."""
    (event,) = EventReader(MARK).feed(line(event="hello", path="\udcff"))

    assert event["path"].encode("utf-8") == b"?"
