"""The workflows of the commands: the only modules that join several stages, one function a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.workflows.add import run_add
    from torchdoctor.workflows.base_python import restore_base_python
    from torchdoctor.workflows.bundle import download
    from torchdoctor.workflows.doctor import DoctorOptions, DoctorResult, run_doctor
    from torchdoctor.workflows.hold import HoldOptions, HoldResult, run_hold, run_unhold
    from torchdoctor.workflows.install import run_install
    from torchdoctor.workflows.install_model import InstallOptions, InstallResult
    from torchdoctor.workflows.kernel_add import register_kernel
    from torchdoctor.workflows.kernel_repair import repair_kernel
    from torchdoctor.workflows.machine_plan import BundleOptions
    from torchdoctor.workflows.plan import resolve_online
    from torchdoctor.workflows.recorded_change import RecordedOptions, RecordedResult
    from torchdoctor.workflows.remove import RemoveResult, run_remove
    from torchdoctor.workflows.repair import RepairOptions
    from torchdoctor.workflows.restore import run_restore
    from torchdoctor.workflows.source_options import SourceOptions
    from torchdoctor.workflows.undo import run_undo
    from torchdoctor.workflows.upgrade import run_upgrade

__all__ = [
    "BundleOptions",
    "DoctorOptions",
    "DoctorResult",
    "HoldOptions",
    "HoldResult",
    "InstallOptions",
    "InstallResult",
    "RecordedOptions",
    "RecordedResult",
    "RemoveResult",
    "RepairOptions",
    "SourceOptions",
    "download",
    "register_kernel",
    "repair_kernel",
    "resolve_online",
    "restore_base_python",
    "run_add",
    "run_doctor",
    "run_hold",
    "run_install",
    "run_remove",
    "run_restore",
    "run_undo",
    "run_unhold",
    "run_upgrade",
]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "add": ("run_add",),
            "base_python": ("restore_base_python",),
            "bundle": ("download",),
            "doctor": ("DoctorOptions", "DoctorResult", "run_doctor"),
            "hold": ("HoldOptions", "HoldResult", "run_hold", "run_unhold"),
            "install": ("run_install",),
            "install_model": ("InstallOptions", "InstallResult"),
            "kernel_add": ("register_kernel",),
            "kernel_repair": ("repair_kernel",),
            "machine_plan": ("BundleOptions",),
            "plan": ("resolve_online",),
            "remove": ("RemoveResult", "run_remove"),
            "repair": ("RepairOptions",),
            "recorded_change": ("RecordedOptions", "RecordedResult"),
            "restore": ("run_restore",),
            "source_options": ("SourceOptions",),
            "undo": ("run_undo",),
            "upgrade": ("run_upgrade",),
        },
    )
