"""torchdoctor: the PyTorch build that fits this machine, installed and proven.

The stages are functions of `torchdoctor.api`; the values that they take and give have their names here.

>>> import torchdoctor
>>> machine = torchdoctor.Machine.from_json({
...     "os": "linux", "arch": "x86_64", "libc": {"name": "glibc", "version": "2.35"},
...     "python": {"version": "3.12.4"},
...     "nvidia": {"driver": "580.95", "gpus": [{"name": "GTX 1080 Ti", "compute_capability": "6.1"}]},
... })
>>> torchdoctor.api.resolve(machine).variant
'cu126'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchdoctor import api
    from torchdoctor.decide import SourceOptions
    from torchdoctor.diagnosis.diagnosis import Diagnosis
    from torchdoctor.diagnosis.finding import Finding
    from torchdoctor.errors import (
        EnvironmentUnusable,
        InstallFailed,
        KernelFailed,
        NoSolution,
        SourceFailed,
        TorchdoctorError,
        UsageError,
    )
    from torchdoctor.install import InstallOptions, InstallResult
    from torchdoctor.machine import Detection, Machine
    from torchdoctor.plan import Plan, Request
    from torchdoctor.proof import BenchReport, VerifyReport

__all__ = [
    "BenchReport",
    "Detection",
    "Diagnosis",
    "EnvironmentUnusable",
    "Finding",
    "InstallFailed",
    "InstallOptions",
    "InstallResult",
    "KernelFailed",
    "Machine",
    "NoSolution",
    "Plan",
    "Request",
    "SourceFailed",
    "SourceOptions",
    "TorchdoctorError",
    "UsageError",
    "VerifyReport",
    "__version__",
    "api",
]

__version__ = "0.1.0"

# Module -> its names. Importing the package costs nothing; each stage comes when it is asked for.
_HOMES = {
    "decide": ("SourceOptions",),
    "diagnosis.diagnosis": ("Diagnosis",),
    "diagnosis.finding": ("Finding",),
    "errors": (
        "EnvironmentUnusable", "InstallFailed", "KernelFailed", "NoSolution", "SourceFailed", "TorchdoctorError",
        "UsageError",
    ),
    "install": ("InstallOptions", "InstallResult"),
    "machine": ("Detection", "Machine"),
    "plan": ("Plan", "Request"),
    "proof": ("BenchReport", "VerifyReport"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a name of the package's surface from its module, on first use."""
    from importlib import import_module

    if name == "api":
        return import_module(f"{__name__}.api")
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
