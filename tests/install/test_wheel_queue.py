"""Wheels that wait to be unpacked: each file is given once, and no batch has two files of a project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torchdoctor.fetch import FetchedWheel
from torchdoctor.install.wheel_queue import WheelQueue
from torchdoctor.lock import LockedWheel

LARGE = 64 * 1024 * 1024


def wheel(name, version="1", size=1):
    filename = f"{name}-{version}-py3-none-any.whl"
    locked = LockedWheel(name=name, version=version, filename=filename, url="", sha256="0" * 64, size=size)
    return FetchedWheel(
        wheel=locked, path=Path(filename), sha256="0" * 64, size=size, source="", first_seen=False
    )


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr("torchdoctor.install.wheel_queue._BATCH_WINDOW_SECONDS", 0.0)


def drained(queue):
    """The batches until the queue is empty."""
    queue.end()
    batches = []
    while batch := queue.next_batch():
        batches.append([each.wheel.filename for each in batch])
    return batches


def test_a_wheel_that_is_added_again_while_it_waits_is_given_once():
    """A lock that is made again names the same files again."""
    queue = WheelQueue()
    queue.add([wheel("nccl"), wheel("torch")])
    queue.add([wheel("nccl")])
    assert drained(queue) == [["nccl-1-py3-none-any.whl", "torch-1-py3-none-any.whl"]]


def test_a_file_of_the_same_name_with_other_bytes_is_another_one():
    """As when an index lied about the first: the environment that has it is made anew for the right one."""
    wrong, right = wheel("needed"), replace(wheel("needed"), sha256="1" * 64)
    queue = WheelQueue()
    queue.add([wrong])
    assert queue.has_others_than([right])
    assert [each.sha256 for each in queue.pending([right])] == [wrong.sha256, right.sha256]
    queue.add([right])
    queue.end()
    assert queue.next_batch() == [right]


def test_of_two_versions_that_wait_the_last_one_is_given():
    """uv refuses two files of a project in one run."""
    queue = WheelQueue()
    queue.add([wheel("nccl", "1")])
    queue.add([wheel("nccl", "2")])
    assert drained(queue) == [["nccl-2-py3-none-any.whl"]]


def test_small_wheels_are_given_before_large_ones():
    """Small ones are unpacked soon, and compiled while the large ones are unpacked."""
    queue = WheelQueue()
    queue.add([wheel("torch", size=LARGE), wheel("numpy")])
    assert drained(queue) == [["numpy-1-py3-none-any.whl"], ["torch-1-py3-none-any.whl"]]


@pytest.mark.parametrize("dropped", [True, False])
def test_what_waits_at_the_end_is_given_unless_it_is_dropped(dropped):
    """An install that is given up unpacks nothing more."""
    queue = WheelQueue()
    queue.add([wheel("numpy")])
    queue.end(drop=dropped)
    assert bool(queue.next_batch()) is not dropped


_WHEELS = st.builds(wheel, st.sampled_from("abcd"), st.sampled_from("123"), st.sampled_from([1, LARGE]))


@given(rounds=st.lists(st.tuples(st.lists(_WHEELS, max_size=6), st.booleans()), max_size=8))
@settings(max_examples=100)
def test_any_order_and_any_repeat_gives_each_file_once_and_ends_with_the_last_version(rounds):
    """Between the additions a batch may be taken, or not."""
    queue = WheelQueue()
    given_files, last = [], {}
    for wheels, take in rounds:
        for each in wheels:
            if each.wheel.filename not in {*given_files} and each.wheel.filename not in seen(last):
                last.setdefault(each.wheel.name, []).append(each.wheel.filename)
        queue.add(wheels)
        if take and queue.pending():
            given_files += take_batch(queue)
    queue.end()
    while batch := queue.next_batch():
        given_files += check_batch(batch)
    assert len(given_files) == len(set(given_files))
    assert not queue.pending()
    for files in last.values():
        assert files[-1] in given_files


def seen(last):
    return {filename for files in last.values() for filename in files}


def take_batch(queue):
    """One batch, which is there since something waits; a last batch counts as pending until the next is asked for."""
    if not queue._waiting:
        return []
    return check_batch(queue.next_batch())


def check_batch(batch):
    names = [each.wheel.name for each in batch]
    assert len(names) == len(set(names))
    return [each.wheel.filename for each in batch]
