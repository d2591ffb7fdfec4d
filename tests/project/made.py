"""A project and machines that the tests share."""

from __future__ import annotations

from torchdoctor.detect import machine_from_options

PLAIN = """\
# what the course needs
[project]
name = "course"  # the name
version = "0.1"
dependencies = [
    "torch",  # for week 3
    "timm>=1",
]
"""


def _machine(platform, *gpus, driver=None):
    return machine_from_options(platform=platform, python_version="3.12", driver=driver, gpus=gpus, libc=None)


MACHINES = {
    "windows-rtx-3060": _machine("win_amd64", "RTX 3060", driver="560.94"),
    "linux-rtx-5090": _machine("linux", "RTX 5090", driver="580.95"),
    "linux-plain": _machine("linux"),
    "mac-m3": _machine("macosx_14_0_arm64"),
    "linux-rx-7900": _machine("linux", "gfx1100"),
    "old-driver": _machine("win_amd64", "RTX 3060", driver="391.35"),
}
