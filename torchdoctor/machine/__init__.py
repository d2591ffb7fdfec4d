"""Looks at this computer: operating system, Python, C library, GPUs and drivers, each with its evidence."""

from torchdoctor.machine.detect import Detection, detect
from torchdoctor.machine.fact import Fact, NamedFact
from torchdoctor.machine.find import find_python
from torchdoctor.machine.model import (
    Amd,
    AmdGpu,
    Apple,
    Intel,
    IntelGpu,
    Libc,
    Machine,
    Nvidia,
    NvidiaGpu,
    Python,
)
from torchdoctor.machine.python import PythonInfo, describe_python
from torchdoctor.machine.seam import Completed, World, real_world
from torchdoctor.machine.tags import supported_tags

__all__ = [
    "Amd",
    "AmdGpu",
    "Apple",
    "Completed",
    "Detection",
    "Fact",
    "Intel",
    "IntelGpu",
    "Libc",
    "Machine",
    "NamedFact",
    "Nvidia",
    "NvidiaGpu",
    "Python",
    "PythonInfo",
    "World",
    "describe_python",
    "detect",
    "find_python",
    "real_world",
    "supported_tags",
]
