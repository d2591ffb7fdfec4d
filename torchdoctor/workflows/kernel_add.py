"""The joins of `jupyter-kernel`: add (bring ipykernel where it is missing, register, prove), check and repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.fs.run_directories import run_directory
from torchdoctor.core.i18n import plurals
from torchdoctor.core.i18n.messages import message
from torchdoctor.detect import describe_python
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.fetch import fetch
from torchdoctor.install import inspect_location, update_environment
from torchdoctor.install.location import refuse_unwritable
from torchdoctor.install.model import InstallContext
from torchdoctor.inventory import installed_versions
from torchdoctor.kernel import list_kernels, write_kernel_spec
from torchdoctor.kernel.ipykernel import KERNEL_REQUIREMENT, has_ipykernel
from torchdoctor.kernel.names import default_display_name, distinct_display_name
from torchdoctor.kernel.register import kernel_destination
from torchdoctor.kernel.search_paths import jupyter_prefixes
from torchdoctor.lock.compile import compile_lock
from torchdoctor.lock.model import LockRequest
from torchdoctor.resolve.model import Plan
from torchdoctor.workflows.sources import gather_sources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.kernel import Kernel
    from torchdoctor.workflows.sources import SourceOptions

__all__ = ["free_display_name", "install_ipykernel", "register_kernel"]


def free_display_name(version: str, name: str, system: System) -> str:
    """What a menu shows for the kernel `name` of a torch `version`, and for no other kernel that Jupyter finds."""
    taken = {row.display_name for row in list_kernels(system) if row.name != name and row.display_name}
    return distinct_display_name(default_display_name(version), name, taken)


def register_kernel(
    python: Path,
    *,
    name: str,
    display_name: str | None,
    overwrite: bool,
    sources: SourceOptions,
    cache: Path,
    system: System,
    report: Reporter,
    sys_prefix: bool = False,
    prefix: Path | None = None,
    settings: Mapping[str, str] | None = None,
) -> Kernel:
    """Register the environment of `python` as the kernel `name`, after cells ran in it.

    The spec goes below `prefix`, with `sys_prefix` into the environment itself, else into the user's folder.
    Raises `EnvironmentUnusable` when there is no torch to be proven, `KernelFailed` when a cell does not run.
    """
    described = describe_python(system, python)
    installed = installed_versions(system, described.executable)
    if "torch" not in installed:
        raise EnvironmentUnusable(
            message("{place} has no torch, which the kernel is to run", place=described.prefix),
            fix=message("install it: torchdoctor install {place}", place=described.prefix),
            code="no-torch",
        )
    place = described.prefix if sys_prefix else prefix
    # Before anything is installed: whether the name is free and the place can be written to.
    kernel_destination(
        described.executable, name=name, prefix=place, environ=system.environ, overwrite=overwrite
    )
    if not has_ipykernel(described.executable, system.environ):
        report.note(message("ipykernel is not there yet; installing it"))
        install_ipykernel(described, sources=sources, cache=cache, system=system, report=report)
    registered = write_kernel_spec(
        described.executable,
        name=name,
        display_name=display_name or free_display_name(installed["torch"], name, system),
        environ=system.environ,
        overwrite=overwrite,
        prefix=place,
        settings=settings,
        on_wait=lambda seconds: report.waiting("kernel", seconds),
    )
    if place is not None and place not in jupyter_prefixes(system):
        report.note(
            message(
                "only the Jupyter that runs in {place} finds it, or one whose JUPYTER_PATH has its share/jupyter",
                place=place,
            )
        )
    report.stage(
        "kernel",
        message(
            "{kernel} ran its cells with torch {version} on {device}",
            kernel=registered.name,
            version=registered.torch,
            device=registered.device,
        ),
    )
    return registered


def install_ipykernel(
    python: PythonInfo, *, sources: SourceOptions, cache: Path, system: System, report: Reporter
) -> None:
    """Install ipykernel and what it lacks; nothing that is installed changes its version."""
    folder = python.prefix
    _refuse_what_is_not_ours(python)
    refuse_unwritable(folder, inspect_location(folder))
    installed = installed_versions(system, python.executable)
    nothing = Plan(variant="cpu", index_url="", packages=(), reasons=())
    with run_directory(cache) as work:
        inner = work / "lock"
        inner.mkdir()
        request = LockRequest(
            python=python.executable,
            sources=gather_sources(sources, system, python, report),
            environ=system.environ,
            extras=(KERNEL_REQUIREMENT,),
            constraints=tuple(f"{name}=={version}" for name, version in installed.items() if name != "pip"),
            offline=sources.offline,
        )
        locked = compile_lock(
            nothing,
            request,
            folder=inner,
            on_wait=lambda seconds: report.waiting("lock", seconds),
        ).without(installed)
        house = fetch(locked.wheels, cache=cache / "wheels", progress=report, offline=sources.offline)
        update_environment(
            house,
            folder,
            InstallContext(
                python=python,
                run_dir=work,
                lock_dir=cache / "locks",
                environ=system.environ,
                installed=installed,
                on_wait=lambda seconds: report.waiting("install", seconds),
            ),
        )
    report.stage(
        "install",
        message(
            "ipykernel and what it needs, {packages}, into {place}",
            packages=plurals.packages(len(house.wheels)),
            place=folder,
        ),
    )


def _refuse_what_is_not_ours(python: PythonInfo) -> None:
    if not python.is_venv and not (python.prefix / "conda-meta").is_dir():
        raise EnvironmentUnusable(
            message(
                "{python} is in no environment of its own and has no ipykernel; torchdoctor does not change it",
                python=python.executable,
            ),
            fix=message("make an environment with `torchdoctor install ENV`, and register that"),
            code="not-a-venv",
        )
