"""The join of `jupyter-kernel`: bring ipykernel where it is missing, register, prove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor import environment, kernel
from torchdoctor.decide import gather_sources
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.fetch import fetch
from torchdoctor.installed import installed_versions
from torchdoctor.lock import lock
from torchdoctor.machine import describe_python
from torchdoctor.plan import Plan
from torchdoctor.workplace import workplace

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.decide import SourceOptions
    from torchdoctor.kernel import Kernel
    from torchdoctor.machine import PythonInfo, World
    from torchdoctor.reporter import Reporter

__all__ = ["register_kernel"]


def register_kernel(
    folder: Path,
    *,
    name: str,
    display_name: str | None,
    overwrite: bool,
    sources: SourceOptions,
    cache: Path,
    world: World,
    report: Reporter,
) -> Kernel:
    """Register the environment in `folder` as the kernel `name`, after a cell ran in it.

    Raises `EnvironmentUnusable` when there is no torch to be proven, `KernelFailed` when the cell does not run.
    """
    python = describe_python(world, environment.interpreter_of(folder))
    installed = installed_versions(world, python.executable)
    if "torch" not in installed:
        raise EnvironmentUnusable(
            f"{folder} has no torch, which the kernel is to run",
            fix=f"install it: torchdoctor install {folder}",
            kind="no-torch",
        )
    if not kernel.has_ipykernel(python.executable, world.environ):
        _bring_ipykernel(folder, python, installed, sources, cache, world, report)
    registered = kernel.register(
        python.executable,
        name=name,
        display_name=display_name or kernel.display_name_of(installed["torch"]),
        environ=world.environ,
        overwrite=overwrite,
    )
    report.stage("kernel", f"{name} ran a cell with torch {registered.torch}")
    return registered


def _bring_ipykernel(
    folder: Path,
    python: PythonInfo,
    installed: dict[str, str],
    options: SourceOptions,
    cache: Path,
    world: World,
    report: Reporter,
) -> None:
    """Install ipykernel and what it lacks; nothing that is installed changes its version."""
    report.note("ipykernel is not there yet; installing it")
    sources = gather_sources(options, world, python, report)
    nothing = Plan(variant="cpu", index_url="", packages=(), reasons=())
    with workplace(cache) as work:
        inner = work / "lock"
        inner.mkdir()
        locked = lock(
            nothing,
            python=python.executable,
            sources=sources,
            extras=[kernel.KERNEL_REQUIREMENT],
            constraints=[f"{name}=={version}" for name, version in installed.items() if name != "pip"],
            folder=inner,
            environ=world.environ,
            offline=options.offline,
            on_wait=lambda seconds: report.waiting("lock", seconds),
        ).without(installed)
        house = fetch(locked.wheels, cache=cache / "wheels", progress=report, offline=options.offline)
        environment.install(
            locked,
            house,
            folder,
            environment.Work(
                python=python.executable,
                work=work,
                locks=cache / "locks",
                environ=world.environ,
                installed=installed,
                on_wait=lambda seconds: report.waiting("install", seconds),
            ),
        )
    report.stage("install", f"ipykernel and what it needs, {len(house.wheels)} packages, into {folder}")
