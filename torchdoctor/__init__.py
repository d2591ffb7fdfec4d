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

from typing import TYPE_CHECKING

from torchdoctor._version import __version__
from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor import api
    from torchdoctor.bench import BenchReport
    from torchdoctor.detect import Detection, Machine
    from torchdoctor.diagnose import Diagnosis, Finding
    from torchdoctor.errors import (
        EnvironmentUnusable,
        InstallFailed,
        KernelFailed,
        NoSolution,
        SourceFailed,
        TorchdoctorError,
        UsageError,
    )
    from torchdoctor.resolve import Plan, Request
    from torchdoctor.verify import VerifyReport
    from torchdoctor.workflows import InstallOptions, InstallResult, SourceOptions

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


# Module -> its names. Importing the package costs nothing; each stage comes when it is asked for.
_HOMES = {
    "workflows.source_options": ("SourceOptions",),
    "diagnose.model": ("Diagnosis", "Finding"),
    "errors": (
        "EnvironmentUnusable", "InstallFailed", "KernelFailed", "NoSolution", "SourceFailed", "TorchdoctorError",
        "UsageError",
    ),
    "workflows.install_model": ("InstallOptions", "InstallResult"),
    "detect.detection": ("Detection",),
    "detect.model": ("Machine",),
    "resolve.model": ("Plan", "Request"),
    "bench.model": ("BenchReport",),
    "verify.model": ("VerifyReport",),
}  # fmt: skip
_lazy = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> object:
    """Import a name of the package's surface from its module, on first use."""
    if name == "api":
        from importlib import import_module

        return import_module(f"{__name__}.api")
    return _lazy(name)
