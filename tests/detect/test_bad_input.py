"""Hostile machines: tools that hang, flood, fail or babble, folders of odd names, files that cannot be read."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.detect.recorded_system import RecordedSystem, paper_python
from torchdoctor.core.fact import found
from torchdoctor.core.system import HostSystem
from torchdoctor.detect import Machine, detect
from torchdoctor.detect.runner import Probe, run_probes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")

TOOLS = ("nvidia-smi", "nvcc", "dmesg", "systemctl", "rocminfo", "amd-smi", "lscpu")
SHOWN = ("/usr/bin", "/bin")


def _hostile(root: Path, script: str) -> HostSystem:
    """A computer where every tool does the same, with a loaded driver and an NVSwitch to make them asked for."""
    (root / "bin").mkdir()
    for name in TOOLS:
        path = root / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    for place in ("sys/module/nvidia", "dev/nvidia-nvswitch0", "dev/nvidia0"):
        (root / place).mkdir(parents=True)
    (root / "sys/module/nvidia/version").write_text("550.54.15\n")
    return HostSystem(environ={"PATH": os.pathsep.join([str(root / "bin"), *SHOWN])}, root=root)


def _sound(detection):
    """Whatever was met, the machine can be written down and each gap has a reason that a terminal can show."""
    machine = detection.machine
    assert Machine.from_json(json.loads(json.dumps(machine.to_json()))) == machine
    for row in detection.facts:
        assert row.fact.state != "unknown" or row.fact.why
        assert "\x1b" not in str(row.fact)


@pytest.mark.process
def test_tools_that_never_end_are_given_up_side_by_side(tmp_path):
    """Seven tools that hang cost one limit, not seven."""
    system = _hostile(tmp_path, "sleep 60")
    began = time.monotonic()
    detection = detect(system, python=paper_python(), seconds=1.5)
    assert time.monotonic() - began < 20
    assert detection.fact("nvidia.gpus").state == "unknown"
    assert "did not answer within" in detection.fact("nvidia.xid").why
    assert "did not answer within" in detection.fact("nvidia.fabric_manager").why
    _sound(detection)


@pytest.mark.process
@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "exit 0",
        "kill -9 $$",
        "echo 'Bitte warten Sie' >&2; exit 3",
        r"printf '\377\376\000\033[2J'",
        "yes '| 0  NVIDIA A  On | 00000000:01:00.0 Off | 0 |' | head -c 100000000",
        "head -c 100000000 /dev/zero",
        "cat /proc/self/environ; echo '{\"gpus\": 1}'",
    ],
)
def test_tools_that_babble_make_no_machine(tmp_path, script):
    """Failing, silent, killed, another language, no text, 100 MB: nothing is guessed from it."""
    detection = detect(_hostile(tmp_path, script), python=paper_python())
    nvidia = detection.machine.nvidia
    assert nvidia is not None
    assert (nvidia.driver, nvidia.gpus) == ("550.54.15", ())
    assert detection.machine.amd is None
    _sound(detection)


@pytest.mark.process
def test_a_path_of_hostile_folders_is_only_a_path(tmp_path):
    """Folders with quotes, newlines and commands in their names, files, loops and what is not there."""
    names = ["$(touch owned)", "a;touch owned", "new\nline", "`touch owned`", "\x1b[2J", "--help", "-rf"]
    for name in names:
        (tmp_path / name / "nvidia-smi").mkdir(parents=True)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_text("")
    folders = [*names, "loop", "file", "missing", "", "x" * 5000]
    path = os.pathsep.join([str(tmp_path / name) for name in folders])
    environ = {"PATH": path, "LD_LIBRARY_PATH": path, "CUDA_HOME": f"{tmp_path}/new\nline", "TMPDIR": "a\0b"}
    detection = detect(HostSystem(environ=environ, root=tmp_path), python=paper_python())
    assert not (tmp_path / "owned").exists()
    assert detection.machine.nvidia is None
    _sound(detection)


@pytest.mark.process
def test_libraries_with_hostile_names_are_told_without_their_tricks(tmp_path):
    """What stands before the wheels' own is named with nothing that a terminal obeys."""
    folder = tmp_path / "odd\x1b[2J"
    folder.mkdir()
    (folder / "libcudart.so.11.0").write_text("")
    (folder / "libcublas.so.\x1b[2J").write_text("")
    environ = {"PATH": "", "LD_LIBRARY_PATH": "/odd\x1b[2J"}
    fact = detect(HostSystem(environ=environ, root=tmp_path), python=paper_python()).fact(
        "nvidia.shadowing_libraries"
    )
    assert fact.value == ("/odd\\x1b[2J/libcudart.so.11.0",)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read_are_unknown(tmp_path):
    """A file without the right to read it is not taken for absent."""
    path = tmp_path / "proc/driver/nvidia/version"
    path.parent.mkdir(parents=True)
    path.write_text("NVRM version: x\n")
    path.chmod(0)
    _sound(detect(HostSystem(environ={"PATH": ""}, root=tmp_path), python=paper_python()))


@pytest.mark.process
def test_folders_and_pipes_in_place_of_files_are_passed_over(tmp_path):
    """sysfs and procfs paths that are something else."""
    for place in ("proc/meminfo", "proc/cpuinfo", "etc/os-release", "sys/module/nvidia/version"):
        (tmp_path / place).mkdir(parents=True)
    os.mkfifo(tmp_path / "proc/self")
    (tmp_path / "sys/class/kfd/kfd/topology/nodes/0").mkdir(parents=True)
    os.mkfifo(tmp_path / "sys/class/kfd/kfd/topology/nodes/0/properties")
    detection = detect(HostSystem(environ={"PATH": ""}, root=tmp_path), python=paper_python())
    assert detection.fact("amd.gpus").state == "unknown"
    _sound(detection)


def test_a_probe_that_hangs_or_fails_leaves_the_others():
    """Its facts are unknown with the reason; those of the others are found."""
    stop = threading.Event()

    def hang(*_):
        stop.wait(30)
        return {}

    def fail(*_):
        raise ZeroDivisionError("odd")

    probes = (
        Probe(names=("a.hangs",), ask=hang),
        Probe(names=("b.fails", "b.too"), ask=fail),
        Probe(names=("c.works", "c.forgets"), ask=lambda *_: {"c.works": found(1, "here")}),
        Probe(names=("d.elsewhere",), ask=fail, systems=("win32",)),
    )
    began = time.monotonic()
    facts = run_probes(RecordedSystem(), paper_python(), probes, seconds=1.0)
    stop.set()
    assert time.monotonic() - began < 20
    assert {name: (fact.state, fact.why) for name, fact in facts.items()} == {
        "a.hangs": ("unknown", "it did not answer within 1 s"),
        "b.fails": ("unknown", "it failed: ZeroDivisionError('odd')"),
        "b.too": ("unknown", "it failed: ZeroDivisionError('odd')"),
        "c.works": ("found", None),
        "c.forgets": ("unknown", "it left this out"),
        "d.elsewhere": ("absent", None),
    }
