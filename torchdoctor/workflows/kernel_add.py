"""Register an environment as a Jupyter kernel: install ipykernel where it is missing, run cells, write the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.detect import describe_python
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.inventory import installed_versions
from torchdoctor.kernel import list_kernels, write_kernel_spec
from torchdoctor.kernel.ipykernel import has_ipykernel
from torchdoctor.kernel.names import default_display_name, distinct_display_name
from torchdoctor.kernel.register import kernel_destination
from torchdoctor.kernel.search_paths import jupyter_prefixes
from torchdoctor.workflows.ipykernel import install_ipykernel

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.kernel import Kernel
    from torchdoctor.workflows.kernel_model import KernelRequest
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["free_display_name", "register_kernel"]


def free_display_name(version: str, name: str, system: System) -> str:
    """Return a display name for the kernel `name` of a torch `version` that no other kernel has."""
    taken = {
        kernel.display_name for kernel in list_kernels(system) if kernel.name != name and kernel.display_name
    }
    return distinct_display_name(default_display_name(version), name, taken)


def register_kernel(
    python: Path,
    request: KernelRequest,
    *,
    sources: SourceOptions,
    cache: Path,
    system: System,
    report: Reporter,
) -> Kernel:
    """Register the environment of the interpreter `python` as a kernel, after its cells ran.

    ipykernel is installed from `sources` where it is missing. Raises `EnvironmentUnusable` when the environment has no
    torch, `UsageError` when the name is taken, `KernelFailed` when a cell fails or the spec cannot be written.
    """
    described = describe_python(system, python)
    torch = _torch_version(described, system)
    prefix = described.prefix if request.sys_prefix else request.prefix
    # Before anything is installed: whether the name is free and the spec can be written.
    kernel_destination(
        described.executable,
        name=request.name,
        prefix=prefix,
        environ=system.environ,
        overwrite=request.overwrite,
    )
    if not has_ipykernel(described.executable, system.environ):
        report.note(message("ipykernel is not installed; installing it"))
        install_ipykernel(described, sources=sources, cache=cache, system=system, report=report)
    kernel = write_kernel_spec(
        described.executable,
        name=request.name,
        display_name=request.display_name or free_display_name(torch, request.name, system),
        environ=system.environ,
        overwrite=request.overwrite,
        prefix=prefix,
        settings=request.settings,
        on_wait=lambda seconds: report.waiting("kernel", seconds),
    )
    _report_kernel(kernel, prefix, system, report)
    return kernel


def _torch_version(python: PythonInfo, system: System) -> str:
    installed = installed_versions(system, python.executable)
    if "torch" not in installed:
        raise EnvironmentUnusable(
            message("{place} has no torch, which the kernel would run", place=python.prefix),
            fix=message("install it: torchdoctor install {place}", place=python.prefix),
            code="no-torch",
        )
    return installed["torch"]


def _report_kernel(kernel: Kernel, prefix: Path | None, system: System, report: Reporter) -> None:
    if prefix is not None and prefix not in jupyter_prefixes(system):
        report.note(
            message(
                "only the Jupyter that runs in {place} finds it, or one whose JUPYTER_PATH has its share/jupyter",
                place=prefix,
            )
        )
    report.stage(
        "kernel",
        message(
            "{kernel} ran its cells with torch {version} on {device}",
            kernel=kernel.name,
            version=kernel.torch,
            device=kernel.device,
        ),
    )
