"""The kinds of tests, so that a run can leave some out: `pytest -m "not process and not torch and not fuzz"`.

A kind follows from the fixtures that a test uses, or from hypothesis; anything else carries its mark. An unmarked test
that starts a process fails, so a mark cannot be forgotten.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# What a test is that uses the fixture, directly or through another fixture.
KINDS_OF_FIXTURES = {
    "torchdoctor": ("process",),
    "library": ("process",),
    "small_torch": ("process",),
    "made_bundle": ("process",),
    "_real_install": ("process", "torch"),
    "browser": ("process", "browser"),
}
# The rows of a table whose coverage is measured; later ones mostly run the same lines with other data.
MEASURED_ROWS = 20
# Where Python starts a process. No audit hook: with one, Python 3.11 may fail to trace a thread that starts meanwhile.
_STARTS = (
    (subprocess.Popen, "_execute_child"),
    (os, "fork"),
    (os, "forkpty"),
    (os, "posix_spawn"),
    (os, "system"),
)

_unmarked: str | None = None
_started: list[str] = []
_running: list[subprocess.Popen[Any]] = []


def _watched(start: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(start)
    def start_or_fail(*arguments: object, **named: object) -> object:
        if _unmarked is not None:
            command = arguments[1] if start.__name__ == "_execute_child" else arguments
            _started.append(
                f"{_unmarked} starts a process without the mark `process`: {start.__name__} {command!r}"[:500]
                + "\nPut @pytest.mark.process on the test, or `pytestmark = pytest.mark.process` in its module."
            )
            pytest.fail(_started[-1], pytrace=False)
        if start.__name__ == "_execute_child":
            _running.append(arguments[0])
        return start(*arguments, **named)

    return start_or_fail


for _owner, _name in _STARTS:
    if hasattr(_owner, _name):
        setattr(_owner, _name, _watched(getattr(_owner, _name)))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each test the kinds that follow from what it uses; leave out `huge` and `slow` ones that nobody asks for."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            for kind in KINDS_OF_FIXTURES.get(fixture, ()):
                item.add_marker(kind)
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("fuzz")
    unasked = [kind for kind in ("huge", "slow") if kind not in config.option.markexpr]
    left_out = [item for item in items if any(map(item.get_closest_marker, unasked))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not any(map(item.get_closest_marker, unasked))]
    if config.getoption("cov_source", default=None):
        _measure_first_rows(items)
    if "PYTEST_XDIST_WORKER" in os.environ:
        for item in items:
            if item.get_closest_marker("process"):
                # Workers take each other's time, and two processes then miss each other. The summary says so.
                item.add_marker(pytest.mark.flaky(reruns=1))
        items[:] = _long_files_first(items)


def _measure_first_rows(items: list[pytest.Item]) -> None:
    """Leave out of the coverage what makes many examples, and the later rows of a table: tracing doubles the time."""
    rows: Counter[tuple[Path, str]] = Counter()
    for item in items:
        if isinstance(item, pytest.Function) and item.originalname != item.name:
            rows[item.path, item.originalname] += 1
        if (
            item.get_closest_marker("fuzz")
            or rows[item.path, getattr(item, "originalname", "")] > MEASURED_ROWS
        ):
            item.add_marker("no_cover")


def _long_files_first(items: list[pytest.Item]) -> list[pytest.Item]:
    """Files in an order in which workers that take one after the other end at about the same time."""
    files = defaultdict(list)
    for item in items:
        files[item.path].append(item)

    def cost(tests: list[pytest.Item]) -> tuple[int, ...]:
        marks = [{mark.name for mark in test.iter_markers()} for test in tests]
        return tuple(-sum(kind in names for names in marks) for kind in ("torch", "process", "fuzz"))

    return [item for tests in sorted(files.values(), key=cost) for item in tests]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """While an unmarked test runs, its fixtures included, no process starts."""
    global _unmarked  # noqa: PLW0603  # what starts a process is one for the whole interpreter
    _started.clear()
    _unmarked = None if item.get_closest_marker("process") else item.nodeid
    try:
        return (yield)
    finally:
        _unmarked = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[object]:
    """What a failed test started ends with it, or the warning about it fails a later test."""
    _running.clear()
    try:
        return (yield)
    except BaseException:
        for process in _running:
            process.kill()
            with process:  # closes its pipes and waits for it
                pass
        raise
    finally:
        _running.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[pytest.TestReport]:
    """The test fails also where the code under test caught what the hook raised."""
    report = yield
    if _started and report.passed:
        report.outcome, report.longrepr = "failed", _started[0]
    _started.clear()
    return report
