"""Install ipykernel into an environment whose packages all keep their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.fs import run_directory
from torchdoctor.core.i18n import message, plurals
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.install import inspect_location, update_environment
from torchdoctor.install.location import refuse_unwritable
from torchdoctor.install.model import InstallContext
from torchdoctor.inventory import installed_versions
from torchdoctor.kernel.ipykernel import KERNEL_REQUIREMENT
from torchdoctor.lock.model import LockRequest
from torchdoctor.requirements import StackRequest
from torchdoctor.workflows.checked_wheels import fetch_checked
from torchdoctor.workflows.limits import stack_with_limits
from torchdoctor.workflows.sources import gather_sources

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["install_ipykernel"]


def install_ipykernel(
    python: PythonInfo, *, sources: SourceOptions, cache: Path, system: System, report: Reporter
) -> None:
    """Install ipykernel and what it lacks into the environment of `python`.

    Raises `EnvironmentUnusable` for a Python that is in no environment of its own, and what `compile_lock`, `fetch` and
    `update_environment` raise; nothing has changed then.
    """
    _refuse_base_python(python)
    refuse_unwritable(python.prefix, inspect_location(python.prefix))
    installed = installed_versions(system, python.executable)
    gathered = gather_sources(sources, system, python, report)
    limits, gathered = stack_with_limits(StackRequest(), gathered, system.environ, report)
    request = LockRequest(
        python=python.executable,
        sources=gathered,
        environ=system.environ,
        extras=(KERNEL_REQUIREMENT,),
        constraints=(
            *(f"{name}=={version}" for name, version in installed.items() if name != "pip"),
            *(each.line for each in limits.constraints if each.name not in installed),
        ),
        prereleases=limits.prereleases,
        offline=sources.offline,
    )
    with run_directory(cache) as run_dir:
        wheelhouse = fetch_checked(request, cache, run_dir, report, installed=installed)
        context = InstallContext(
            python=python,
            run_dir=run_dir,
            lock_dir=cache / "locks",
            environ=system.environ,
            installed=installed,
            on_wait=lambda seconds: report.waiting("install", seconds),
        )
        update_environment(wheelhouse, python.prefix, context)
    report.stage(
        "install",
        message(
            "ipykernel and what it needs, {packages}, into {place}",
            packages=plurals.packages(len(wheelhouse.wheels)),
            place=python.prefix,
        ),
    )


def _refuse_base_python(python: PythonInfo) -> None:
    if not python.is_venv and not (python.prefix / "conda-meta").is_dir():
        raise EnvironmentUnusable(
            message(
                "{python} is in no environment of its own and has no ipykernel; torchdoctor does not change it",
                python=python.executable,
            ),
            fix=message("make an environment with `torchdoctor install ENV`, and register that"),
            code="not-a-venv",
        )
