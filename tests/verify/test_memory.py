"""The memory of a process and what it may take."""

from __future__ import annotations

import os
import sys

import pytest

from torchdoctor.verify.memory import memory_limit, resident_mib

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="known on Linux only")


def test_this_process_holds_some_memory():
    """An interpreter takes some megabytes, and less than all."""
    held = resident_mib(os.getpid())

    assert held is not None
    assert 1 < held < 1 << 20


def test_a_process_that_is_gone_holds_none():
    """Its number is not known any more."""
    assert resident_mib(2**22 + 1) is None


def test_a_check_may_take_some_gib_at_the_least():
    """A CUDA build with several GPUs takes as much of the host's memory."""
    limit = memory_limit()

    assert limit is not None
    assert limit >= 4096
