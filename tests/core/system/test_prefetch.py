"""A command that is begun before its turn gives the answer that it would have given."""

from __future__ import annotations

import os
import sys
import time

import pytest

from torchdoctor.core.system.prefetch import prefetch

pytestmark = pytest.mark.process

NOW = (sys.executable, "-c", "import time; print(time.time_ns())")


def test_a_command_that_was_begun_answers_with_what_it_said_then():
    """Once: who asks again wants to know anew."""
    system = prefetch(os.environ, [NOW], timeout=30)
    time.sleep(0.5)
    asked = time.time_ns()
    assert int(system.run(NOW, timeout=30).stdout) < asked
    assert int(system.run(NOW, timeout=30).stdout) > asked


def test_a_command_that_was_not_begun_runs_when_it_is_asked():
    """Another Python than the one that was thought of is asked in its turn."""
    system = prefetch(os.environ, [NOW], timeout=30)
    assert system.run([sys.executable, "-c", "print('other')"], timeout=30).stdout.strip() == "other"


def test_a_command_that_cannot_be_begun_fails_as_it_would_have():
    """It is told when it is asked for."""
    missing = ("/nowhere/python", "-V")
    assert prefetch(os.environ, [missing], timeout=30).run(missing).failure == "missing"


def test_a_command_that_hangs_is_stopped_at_its_limit():
    """The limit counts from its beginning."""
    hangs = (sys.executable, "-c", "import time; time.sleep(60)")
    system = prefetch(os.environ, [hangs], timeout=0.5)
    assert system.run(hangs, timeout=60).failure == "time-limit"
