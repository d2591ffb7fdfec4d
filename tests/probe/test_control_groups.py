"""What control groups allow, as containers, services and jobs of both versions show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from torchdoctor.probe.control_groups import allowed_processors, memory_left_mib, most_processes

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
# Docker, a service of systemd, a job of Slurm below its step, and a container under version 1.
OWN = {
    "docker": "0::/\n",
    "service": "0::/system.slice/train.service\n",
    "slurm": "0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_0\n",
    "version 1": "12:memory:/slurm/uid_1000/job_7\n5:cpu,cpuacct:/slurm/uid_1000/job_7\n3:pids:/slurm\n",
}


def _written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("own", "folder", "cpu_folder"),
    [
        ("docker", "", ""),
        ("service", "system.slice", "system.slice/train.service"),
        ("slurm", "system.slice/slurmstepd.scope/job_7", "system.slice/slurmstepd.scope"),
    ],
)
def test_a_limit_of_version_2_counts_wherever_above_the_process_it_is_set(own, folder, cpu_folder, tmp_path):
    """Slurm sets it on the job, which is three levels above the task."""
    root = _written(
        tmp_path,
        {
            "proc/self/cgroup": OWN[own],
            f"sys/fs/cgroup/{folder}/memory.max": f"{600 * MIB}\n",
            f"sys/fs/cgroup/{folder}/memory.current": f"{500 * MIB}\n",
            f"sys/fs/cgroup/{folder}/memory.stat": f"anon 1\ninactive_file {50 * MIB}\n",
            f"sys/fs/cgroup/{folder}/pids.max": "max\n",
            f"sys/fs/cgroup/{cpu_folder}/cpu.max": "150000 100000\n",
        },
    )

    assert (memory_left_mib(root), allowed_processors(root), most_processes(root)) == (150, 1.5, None)


def test_limits_of_version_1_are_in_a_folder_for_each_controller(tmp_path):
    """As clusters with an older system have them."""
    root = _written(
        tmp_path,
        {
            "proc/self/cgroup": OWN["version 1"],
            "sys/fs/cgroup/memory/slurm/uid_1000/job_7/memory.limit_in_bytes": f"{400 * MIB}\n",
            "sys/fs/cgroup/memory/slurm/uid_1000/job_7/memory.usage_in_bytes": f"{100 * MIB}\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "1\n",
            "sys/fs/cgroup/cpu/slurm/uid_1000/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu/slurm/uid_1000/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/pids/pids.max": "77\n",
        },
    )

    assert (memory_left_mib(root), allowed_processors(root), most_processes(root)) == (300, 2.0, 77)


@pytest.mark.parametrize("own", ["", "garbage", "0::/../../etc\n", "0::/" + "a/" * 5000 + "\n"])
def test_a_system_without_groups_sets_no_limit(own, tmp_path):
    """No file, a file that is none, or a path that leads elsewhere."""
    root = _written(tmp_path, {"proc/self/cgroup": own, "etc/memory.max": "1", "etc/memory.current": "1"})

    assert (memory_left_mib(root), allowed_processors(root), most_processes(root)) == (None, None, None)
