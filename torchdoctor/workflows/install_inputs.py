"""What an install knows before it decides: the environment, the machine, the sources, and what is asked of them."""

from __future__ import annotations

import struct
import sys
import sysconfig
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.core.threads import thread_pool
from torchdoctor.detect import detect, supported_tags
from torchdoctor.detect.python.find import base_interpreter
from torchdoctor.install.location import interpreter_of, refuse_unwritable
from torchdoctor.lock import read_lock
from torchdoctor.lock.credentials import with_credentials
from torchdoctor.lock.model import LockRequest
from torchdoctor.lock.target import target_of
from torchdoctor.sources.index_cache import known_index
from torchdoctor.workflows.limits import stack_with_limits
from torchdoctor.workflows.plan import preload_modules
from torchdoctor.workflows.project_settings import agreed_settings
from torchdoctor.workflows.source_builds import SourceBuilds
from torchdoctor.workflows.sources import gather_sources
from torchdoctor.workflows.stack import (
    lock_request_for_stack,
    projects_left_out,
    request_for_machine,
    with_wheels_of_sources,
)
from torchdoctor.workflows.target_environment import find_environment, read_installed_packages
from wheels_index import bundled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import Detection, Machine
    from torchdoctor.lock import Lock
    from torchdoctor.requirements import StackRequest
    from torchdoctor.resolve import Request
    from torchdoctor.sources import Sources
    from torchdoctor.sources.installer_config import InstallerSettings
    from torchdoctor.workflows.install_model import InstallOptions
    from torchdoctor.workflows.kernel_model import KernelRequest
    from torchdoctor.workflows.target_environment import InstalledPackages, TargetEnvironment

__all__ = ["InstallInputs", "read_install_inputs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallInputs:
    """Everything that an install is decided from."""

    target: TargetEnvironment
    installed: InstalledPackages
    detection: Detection
    sources: Sources
    existing_lock: Lock | None  # of `--lock`
    asked: Request  # of torch, with what the stack asks of it
    stack: StackRequest  # the rest of what is asked for, as it counts on this machine
    lock_request: LockRequest
    built: Mapping[str, str]  # the true names of packages that were asked for as sources

    @property
    def machine(self) -> Machine:
        """The machine that was detected."""
        return self.detection.machine


def read_install_inputs(options: InstallOptions, system: System, report: Reporter) -> InstallInputs:
    """Inspect the environment and the machine and gather the sources; refuse early what could not be written."""
    reading = options.dry_run and not options.may_run
    target = find_environment(
        options.folder, options.python, options.cache / "locks", system, reading=reading
    )
    _refuse_early(target, options.kernel, system, dry_run=options.dry_run)
    # A question must not come from a thread, in the middle of other lines.
    settings = agreed_settings(options.sources, system, target.python, report, options.stack)
    detection, sources = _detect_and_gather_sources(target, options, settings, system, report)
    existing_lock = _read_lock(options, detection.machine, sources, report)
    wanted, sources = stack_with_limits(options.stack, sources, system.environ, report, detection.machine)
    asked, stack = request_for_machine(options.request, wanted, detection.machine, report)
    installed = read_installed_packages(target, system, report)
    request = LockRequest(
        python=target.python.executable, sources=sources, environ=system.environ, optional=options.optional,
        installed=installed.versions, offline=options.sources.offline, machine=detection.machine,
        excluded=projects_left_out(options.request), upgrade=options.upgrade,
    )  # fmt: skip
    if target.was_read:
        # uv would run the environment's Python to ask it for what is known here.
        described = None if _is_like_ours(detection.machine) else target_of(detection.machine)
        request = replace(request, python=base_interpreter(), described=described)
    builds = SourceBuilds(cache=options.cache, report=report, agreed=options.stack.builds)
    stack, built = with_wheels_of_sources(stack, request, builds, system)
    return InstallInputs(
        target=target, installed=installed, detection=detection, sources=sources, existing_lock=existing_lock,
        asked=asked, stack=stack, lock_request=lock_request_for_stack(request, stack), built=built,
    )  # fmt: skip


def _is_like_ours(machine: Machine) -> bool:
    """Whether its Python answers what the one that runs us answers."""
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}."
    return (
        machine.python.version.startswith(ours)
        and machine.python.implementation == sys.implementation.name
        and machine.python.free_threaded is bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
        and machine.python.bits == struct.calcsize("P") * 8
    )


def _refuse_early(
    target: TargetEnvironment, kernel: KernelRequest | None, system: System, *, dry_run: bool
) -> None:
    """Refuse what could not be written in the end, before gigabytes are fetched for it."""
    if kernel is not None:
        from torchdoctor.kernel.register import kernel_destination

        kernel_destination(
            interpreter_of(target.folder),
            name=kernel.name,
            prefix=None,
            environ=system.environ,
            overwrite=kernel.overwrite,
        )
    if not dry_run:
        refuse_unwritable(target.folder, target.kind)


def _detect_and_gather_sources(
    target: TargetEnvironment,
    options: InstallOptions,
    settings: InstallerSettings,
    system: System,
    report: Reporter,
) -> tuple[Detection, Sources]:
    """Do both at once: each waits for other programs or for the disk."""
    with thread_pool(1) as pool:
        gathering = pool.submit(
            gather_sources, options.sources, system, target.python, report, settings,
            limited=options.lock is None,
        )  # fmt: skip
        detection = detect(system, python=target.python, environment=target.folder, cache=options.cache)
        report.stage("detect", detection.summary())
        preload_modules()
        return detection, gathering.result()


def _read_lock(options: InstallOptions, machine: Machine, sources: Sources, report: Reporter) -> Lock | None:
    if options.lock is None:
        return None
    from torchdoctor.workflows.lock_facts import check_known_hashes

    lock = read_lock(options.lock, machine=machine, tags=supported_tags(machine))
    facts = known_index(options.data, lambda _: None) if options.data is not None else bundled()
    check_known_hashes(lock, options.lock, facts, report, trusted=sources.trusted)
    return with_credentials(lock, sources)
