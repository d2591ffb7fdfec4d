"""A process that the kernel killed for the memory limit of its control group is told from one that somebody killed."""

from __future__ import annotations

import pytest

from tests.detect.recorded_system import RecordedSystem
from torchdoctor.detect.host.cgroup import memory_kills_count
from torchdoctor.diagnose import diagnose_text
from torchdoctor.verify.memory_kills import MemoryKills
from torchdoctor.verify.process_end import ProcessEnd

KILLED = ProcessEnd(code="process-sigkill", text="was killed")


def group(kills, version):
    """The files of a control group that allows 512 MiB."""
    if version == "2":
        return {
            "/proc/self/cgroup": "0::/job\n",
            "/sys/fs/cgroup/job/memory.max": f"{512 << 20}\n",
            "/sys/fs/cgroup/job/memory.events": f"low 0\nmax 7\noom {kills}\noom_kill {kills}\noom_group_kill 0\n",
        }
    return {
        "/proc/self/cgroup": "4:memory:/job\n",
        "/sys/fs/cgroup/memory/job/memory.limit_in_bytes": f"{512 << 20}\n",
        "/sys/fs/cgroup/memory/job/memory.oom_control": f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n",
    }


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_kill_that_the_group_counts_since_the_start_is_its_limits(version):
    """The sentence has the limit and where it stands, and leads to the failure."""
    files = group(2, version)
    kills = MemoryKills(RecordedSystem(files=files))
    assert kills.limit_behind(KILLED) == ()
    files.update(group(3, version))
    (line,) = kills.limit_behind(KILLED)
    assert line.startswith("limit here: memory 512 MiB (/sys/fs/cgroup/")
    assert [finding.id for finding in diagnose_text(line).findings] == ["memory-limit-killed"]
    assert kills.limit_behind(ProcessEnd(code="process-exit", text="ended")) == ()


def test_without_control_groups_nothing_is_counted():
    """Another system, or one where they may not be read."""
    assert memory_kills_count(RecordedSystem()) == 0
