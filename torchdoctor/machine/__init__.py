"""Looks at this computer: operating system, Python, C library, GPUs and drivers, each with its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchdoctor.machine.detection import Detection, detect
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

# Module -> its names. A described machine needs the model alone, so the probes are imported when asked for.
_HOMES = {
    "detection": ("Detection", "detect"),
    "fact": ("Fact", "NamedFact"),
    "find": ("find_python",),
    "model": (
        "Amd",
        "AmdGpu",
        "Apple",
        "Intel",
        "IntelGpu",
        "Libc",
        "Machine",
        "Nvidia",
        "NvidiaGpu",
        "Python",
    ),
    "python": ("PythonInfo", "describe_python"),
    "seam": ("Completed", "World", "real_world"),
    "tags": ("supported_tags",),
}


def __getattr__(name: str) -> Any:
    """Import a name of this package's surface from its module, on first use."""
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
