"""The memory of a process and what it may take."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from torchdoctor.verify.memory import free_memory_mib, memory_limit, resident_mib

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.fixture
def groups(tmp_path):
    """A system of 8 GiB that is free, where a test writes the files of control groups; gives its root."""
    proc, base = tmp_path / "proc", tmp_path / "sys/fs/cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n")

    def write(own: str, **files: dict[str, object]) -> Path:
        (proc / "self" / "cgroup").write_text(own)
        for folder, values in files.items():
            place = base / folder.replace("__", "/")
            place.mkdir(parents=True, exist_ok=True)
            for name, value in values.items():
                (place / f"memory.{name}").write_text(f"{value}\n")
        return tmp_path

    return write


GIB = 1 << 30


def test_without_a_limit_what_is_free_is_what_the_system_says(groups):
    """A group that says `max` limits nothing."""
    root = groups("0::/\n", **{"": {"max": "max", "current": GIB}})

    assert free_memory_mib(root) == 8192


def test_the_smallest_room_of_all_groups_counts_and_caches_are_no_use(groups):
    """A service does not see its own group as the root; files in the cache are given back."""
    root = groups(
        "0::/user/service\n",
        user={"max": 4 * GIB, "current": GIB},
        user__service={"max": 2 * GIB, "current": 2 * GIB, "stat": f"anon 1\ninactive_file {GIB}"},
    )

    assert free_memory_mib(root) == 1024


def test_groups_of_version_1_are_read_too(groups):
    """Old systems, and some clusters."""
    files = {"limit_in_bytes": 3 * GIB, "usage_in_bytes": GIB, "stat": "total_inactive_file 0"}
    root = groups("4:memory:/job\n1:cpu,cpuacct:/job\n", memory__job=files)

    assert free_memory_mib(root) == 2048
