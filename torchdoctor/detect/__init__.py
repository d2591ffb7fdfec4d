"""Looks at this computer: operating system, Python, C library, GPUs and drivers, each with its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.detect.detection import Detection, detect
    from torchdoctor.detect.from_options import machine_from_options
    from torchdoctor.detect.model import (
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
    from torchdoctor.detect.python.describe import PythonInfo, describe_python
    from torchdoctor.detect.python.find import find_python
    from torchdoctor.detect.wheel_tags import supported_tags

__all__ = [
    "Amd",
    "AmdGpu",
    "Apple",
    "Detection",
    "Intel",
    "IntelGpu",
    "Libc",
    "Machine",
    "Nvidia",
    "NvidiaGpu",
    "Python",
    "PythonInfo",
    "describe_python",
    "detect",
    "find_python",
    "machine_from_options",
    "supported_tags",
]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "detection": (
                "Detection",
                "detect",
            ),
            "from_options": ("machine_from_options",),
            "python.find": ("find_python",),
            "python.describe": (
                "PythonInfo",
                "describe_python",
            ),
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
            "wheel_tags": ("supported_tags",),
        },
    )
