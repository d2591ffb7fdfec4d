"""What to warn of on a machine, whichever build is chosen for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.resolve.gpu_capability import capability_of
from wheels_index import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.detect import Machine

__all__ = ["machine_warnings"]

# Windows drivers of branch 580 are called 580, 581 and 582; the next branch is 590, and 495 after 470.
_BRANCH_STEP = 10


def machine_warnings(machine: Machine) -> tuple[str, ...]:
    """Return a sentence for each: a driver that has left the GPU behind, and a Python that is emulated."""
    return (*_drivers_too_new(machine), *_emulated_python(machine))


def _drivers_too_new(machine: Machine) -> Iterator[str]:
    """GPUs that no driver branch after a certain one drives, where the machine has a later one."""
    nvidia = machine.nvidia
    branch = (parse_numeric_version(nvidia.driver) or (0,))[0] if nvidia and nvidia.driver else 0
    for end in rules().driver_end_of_line:
        left = [
            card.name for card in (nvidia.gpus if nvidia else ()) if capability_of(card) in end.capabilities
        ]
        if nvidia is not None and left and branch >= end.last_branch + _BRANCH_STEP:
            yield message(
                "driver {driver} does not drive {gpus}: branch {branch} was the last one that does; go back to a "
                "{branch} driver",
                driver=nvidia.driver,
                gpus=joined(left),
                branch=end.last_branch,
            )


def _emulated_python(machine: Machine) -> Iterator[str]:
    if machine.os == "macos" and machine.arch == "x86_64" and machine.apple is not None:
        yield message(
            "this Python is built for Intel Macs and runs under Rosetta, where torch ended with 2.2; a native (arm64) "
            "Python on this {chip} gets the newest release, with MPS",
            chip=machine.apple.chip,
        )
