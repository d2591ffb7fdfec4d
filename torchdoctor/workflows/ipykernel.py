"""Install ipykernel into an environment whose packages all keep their versions."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

from torchdoctor.core.fs import run_directory
from torchdoctor.core.i18n import message, plurals
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.fetch import fetch
from torchdoctor.install import inspect_location, update_environment
from torchdoctor.install.location import refuse_unwritable
from torchdoctor.install.model import InstallContext
from torchdoctor.inventory import installed_versions
from torchdoctor.kernel.ipykernel import KERNEL_REQUIREMENT
from torchdoctor.lock import compile_lock
from torchdoctor.lock.model import LockRequest
from torchdoctor.lock.protection import ProtectionCheck
from torchdoctor.requirements import StackRequest
from torchdoctor.resolve import Plan
from torchdoctor.workflows.copy_check import CopyCheck, without_lying_copies
from torchdoctor.workflows.limits import stack_with_limits
from torchdoctor.workflows.sources import gather_sources
from torchdoctor.workflows.whole_files import lock_with_whole_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.lock import Lock
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["install_ipykernel"]

_NO_PLAN = Plan(variant="cpu", index_url="", packages=(), reasons=())


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
        wheelhouse = _fetch_checked(request, installed, cache, run_dir, report)
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


def _fetch_checked(
    request: LockRequest, installed: Mapping[str, str], cache: Path, run_dir: Path, report: Reporter
) -> Wheelhouse:
    """Fetch what the environment lacks, from PyPI itself where a copy of it serves other files."""
    for attempt in itertools.count():
        request, whole = lock_with_whole_files(
            request, cache, run_dir, report, partial(_lock, folder=run_dir / f"lock-{attempt}", report=report)
        )
        lock = whole.without(installed)
        copies = CopyCheck(lock, request, settled=(), trusted=request.sources.trusted)
        protection = ProtectionCheck(lock, request.sources, known=(), offline=request.offline)
        wheelhouse = fetch(lock.wheels, cache=cache / "wheels", progress=report, offline=request.offline)
        protection.refuse()
        if not (lies := copies.lies()):
            copies.report_unanswered(report)
            return wheelhouse
        request = without_lying_copies(request, lies, report)
    raise AssertionError("the loop returns or raises")


def _lock(request: LockRequest, folder: Path, report: Reporter) -> Lock:
    folder = folder.with_name(f"{folder.name}-{len(request.whole_files)}")
    folder.mkdir()
    return compile_lock(
        _NO_PLAN,
        request,
        folder=folder,
        on_wait=lambda seconds, asked: report.waiting("lock", seconds, asked),
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
