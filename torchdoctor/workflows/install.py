"""Detect, gather sources, resolve, lock, fetch, install, register a kernel, verify."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.fs import run_directory
from torchdoctor.core.i18n import message
from torchdoctor.core.threads import thread_pool
from torchdoctor.detect import detect, supported_tags
from torchdoctor.install import Environment, create_environment, update_environment
from torchdoctor.install.location import interpreter_of, refuse_unwritable
from torchdoctor.install.model import InstallContext
from torchdoctor.install.record import record_asked
from torchdoctor.install.staging import os_errors_as_install_failed
from torchdoctor.inventory.torch_dependencies import only_for_torch
from torchdoctor.lock import read_lock
from torchdoctor.lock.credentials import with_credentials
from torchdoctor.lock.model import LockRequest
from torchdoctor.lock.read import plan_of_lock
from torchdoctor.workflows.acquire import fetch_lock, lock_and_fetch, lock_only
from torchdoctor.workflows.acquire_model import AcquireContext
from torchdoctor.workflows.broken_packages import broken_packages
from torchdoctor.workflows.consent import ask_to_change, changes_by
from torchdoctor.workflows.hold import InstallHold, hold_sentence
from torchdoctor.workflows.install_model import InstallResult
from torchdoctor.workflows.plan import preload_modules, resolve_online
from torchdoctor.workflows.source_builds import BuildsAgainstTorch, SourceBuilds
from torchdoctor.workflows.sources import gather_sources
from torchdoctor.workflows.stack import (
    asked_for_machine,
    lock_request_for_stack,
    request_for_machine,
    sources_with_stack,
)
from torchdoctor.workflows.stack_model import StackTask
from torchdoctor.workflows.target_environment import find_environment, read_installed_packages
from torchdoctor.workflows.torch_builds import with_wheel_for_torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import Detection, Machine
    from torchdoctor.install.create import EnvironmentBuilder
    from torchdoctor.kernel import Kernel
    from torchdoctor.lock import Lock
    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.resolve import Plan
    from torchdoctor.sources import Sources
    from torchdoctor.verify import VerifyReport
    from torchdoctor.workflows.acquire_model import Acquired
    from torchdoctor.workflows.install_model import InstallOptions
    from torchdoctor.workflows.kernel_model import KernelRequest
    from torchdoctor.workflows.source_options import SourceOptions
    from torchdoctor.workflows.target_environment import InstalledPackages, TargetEnvironment

__all__ = ["run_install"]

_MAX_TORCH_BUILDS = 6


def run_install(options: InstallOptions, *, system: System, report: Reporter) -> InstallResult:
    """Run the whole pipeline; raises a `TorchdoctorError` for every failure, with what existed before unchanged.

    A package that is built against torch is built first, in an environment of its own, after consent.
    """
    for _ in range(_MAX_TORCH_BUILDS):
        try:
            return _install_once(options, system=system, report=report)
        except BuildsAgainstTorch as needed:
            options = with_wheel_for_torch(needed, options, _install_once, system=system, report=report)
    return _install_once(options, system=system, report=report)


def _install_once(options: InstallOptions, *, system: System, report: Reporter) -> InstallResult:
    target = find_environment(options.folder, options.python, options.cache / "locks", system)
    _refuse_early(target, options.kernel, system, dry_run=options.dry_run)
    detection, sources = _detect_and_gather_sources(target, options.cache, options.sources, system, report)
    existing_lock = _read_lock(options.lock, detection.machine, sources)
    asked, stack = request_for_machine(options.request, options.stack, detection.machine, report)
    installed = read_installed_packages(target, system, report)
    lock_request = lock_request_for_stack(LockRequest(
        python=target.python.executable, sources=sources, environ=system.environ, optional=options.optional,
        installed=installed.versions, offline=options.sources.offline, machine=detection.machine,
    ), stack)  # fmt: skip
    with run_directory(options.cache) as run_dir:
        if existing_lock is not None and options.lock is not None:
            plan = plan_of_lock(existing_lock, options.lock)
        else:
            plan, sources = resolve_online(
                asked, detection.machine, sources,
                offline=options.sources.offline, report=report, data=options.data,
                task=StackTask(stack=stack, lock_request=lock_request, run_dir=run_dir,
                               pins_torch=asked.torch != options.request.torch),
                builds=SourceBuilds(cache=options.cache, report=report, agreed=options.stack.builds),
            )  # fmt: skip
            lock_request = replace(lock_request, sources=sources_with_stack(sources, stack))
        context = AcquireContext(
            lock_request=lock_request, cache=options.cache, run_dir=run_dir,
            required=frozenset(asked.required), reinstall=options.reinstall | installed.damaged,
            site_packages=target.python.site_packages if target.exists else (),
            asked=asked_for_machine(options.stack, detection.machine),
        )  # fmt: skip
        if options.dry_run:
            lock = existing_lock or lock_only(context, plan, report)
            changes = changes_by(lock, installed.versions)
            for text in broken_packages(
                target, installed.versions, lock, detection.machine, asked
            ).descriptions:
                report.warn(text)
            return InstallResult(detection=detection, plan=plan, lock=lock, changes=changes)
        hold = (
            InstallHold(
                options.folder,
                target.python,
                detection.machine,
                sources,
                options.data,
                system,
                from_lock=existing_lock is not None,
            )
            if options.hold
            else None
        )
        with _environment_builder(target, context, hold, report) as builder:
            on_locked = _on_locked(
                target, installed, builder, report,
                refuse=lambda lock: broken_packages(
                    target, installed.versions, lock, detection.machine, asked
                ).refuse(),
                assume_yes=options.assume_yes,
            )  # fmt: skip
            acquired = _lock_and_fetch(context, plan, existing_lock, on_locked, builder, report)
            unneeded = _unneeded(acquired.lock, target) if options.drop_unneeded else frozenset()
            environment = _install_wheels(acquired, target, context, hold, builder, report, unneeded)
    kernel = _register_kernel(options.kernel, environment, acquired.plan, system, report)
    verification = _verify(environment, context.asked, report) if options.verify else None
    return InstallResult(
        detection=detection, plan=acquired.plan, lock=acquired.lock,
        changes=changes_by(acquired.lock, installed.versions), wheelhouse=acquired.wheelhouse,
        environment=environment, hold=hold.hold if hold else None, kernel=kernel, verification=verification,
    )  # fmt: skip


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
    target: TargetEnvironment, cache: Path, options: SourceOptions, system: System, report: Reporter
) -> tuple[Detection, Sources]:
    """Do both at once: each waits for other programs or for the disk."""
    with thread_pool(1) as pool:
        gathering = pool.submit(gather_sources, options, system, target.python, report)
        detection = detect(system, python=target.python, environment=target.folder, cache=cache)
        report.stage("detect", detection.summary())
        preload_modules()
        return detection, gathering.result()


def _read_lock(path: Path | None, machine: Machine, sources: Sources) -> Lock | None:
    if path is None:
        return None
    return with_credentials(read_lock(path, machine=machine, tags=supported_tags(machine)), sources)


def _environment_builder(
    target: TargetEnvironment, context: AcquireContext, hold: InstallHold | None, report: Reporter
) -> contextlib.AbstractContextManager[EnvironmentBuilder | None]:
    """Return the builder of a new environment, which is filled while wheels download; an existing one has none."""
    if target.exists:
        return contextlib.nullcontext()
    return create_environment(target.folder, target.kind, _install_context(target, context, hold, report))


def _install_context(
    target: TargetEnvironment, context: AcquireContext, hold: InstallHold | None, report: Reporter
) -> InstallContext:
    return InstallContext(
        python=target.python,
        run_dir=context.run_dir,
        lock_dir=context.cache / "locks",
        environ=context.lock_request.environ,
        installed=context.lock_request.installed,
        reinstall=context.reinstall,
        on_wait=lambda seconds: report.waiting("install", seconds),
        hold=hold,
        asked=context.asked,
    )


def _on_locked(
    target: TargetEnvironment,
    installed: InstalledPackages,
    builder: EnvironmentBuilder | None,
    report: Reporter,
    *,
    refuse: Callable[[Lock], None],
    assume_yes: bool,
) -> Callable[[Lock], None]:
    """Return what is done once the changes are known: ask for consent, or begin to build a new environment.

    `refuse` raises where the changes would break packages that stay.
    """

    def on_locked(lock: Lock) -> None:
        refuse(lock)
        ask_to_change(target.folder, lock, installed.versions, report, assume_yes=assume_yes)
        if builder is not None:
            builder.start()

    return on_locked


def _lock_and_fetch(
    context: AcquireContext,
    plan: Plan,
    existing_lock: Lock | None,
    on_locked: Callable[[Lock], None],
    builder: EnvironmentBuilder | None,
    report: Reporter,
) -> Acquired:
    on_file = builder.add if builder is not None else None
    if existing_lock is not None:
        return fetch_lock(context, plan, existing_lock, report, on_locked, on_file)
    return lock_and_fetch(context, plan, report, on_locked, on_file)


def _install_wheels(
    acquired: Acquired,
    target: TargetEnvironment,
    context: AcquireContext,
    hold: InstallHold | None,
    builder: EnvironmentBuilder | None,
    report: Reporter,
    unneeded: frozenset[str] = frozenset(),
) -> Environment:
    folder = target.folder
    if not acquired.wheelhouse.wheels:
        with os_errors_as_install_failed(folder):
            record_asked(folder, context.asked)
        if hold is not None and hold.renew(acquired.plan, context.cache):
            _report_hold(hold, report)
        report.stage(
            "install", message("{folder} already has everything; nothing was changed", folder=folder)
        )
        return Environment(folder=folder, python=interpreter_of(folder), created=False)
    started = time.monotonic()
    if builder is not None:
        environment = builder.finish(acquired.wheelhouse, acquired.plan)
    else:
        install_context = replace(
            _install_context(target, context, hold, report), plan=acquired.plan, remove=unneeded
        )
        environment = update_environment(acquired.wheelhouse, folder, install_context)
    report.stage(
        "install",
        message(
            "{folder} {what} with Python {version}, bytecode compiled, {seconds:.1f} s",
            folder=folder,
            what=message("made") if environment.created else message("changed"),
            version=target.python.version,
            seconds=time.monotonic() - started,
        ),
    )
    if hold is not None:
        _report_hold(hold, report)
    return environment


def _unneeded(lock: Lock, target: TargetEnvironment) -> frozenset[str]:
    """Return what only the installed torch needs, and the one of the lock does not."""
    return only_for_torch(target.python.site_packages) - {wheel.name for wheel in lock.wheels}


def _report_hold(hold: InstallHold, report: Reporter) -> None:
    if hold.hold is not None:
        report.stage("hold", hold_sentence(hold.hold))


def _register_kernel(
    request: KernelRequest | None, environment: Environment, plan: Plan, system: System, report: Reporter
) -> Kernel | None:
    if request is None:
        return None
    from torchdoctor.kernel import write_kernel_spec
    from torchdoctor.workflows.kernel_add import free_display_name

    version = f"{plan.torch.version.public}+{plan.variant}"
    kernel = write_kernel_spec(
        environment.python,
        name=request.name,
        display_name=request.display_name or free_display_name(version, request.name, system),
        environ=system.environ,
        overwrite=request.overwrite,
    )
    report.stage(
        "kernel",
        message(
            "{name} ({display}) ran a cell with torch {torch}",
            name=kernel.name,
            display=kernel.display_name,
            torch=kernel.torch,
        ),
    )
    return kernel


def _verify(environment: Environment, asked: Sequence[AskedRequirement], report: Reporter) -> VerifyReport:
    """Verify torch, what was asked for now or before, and what is compiled against torch."""
    from torchdoctor import verify
    from torchdoctor.verify.status_text import counted_checks

    started = time.monotonic()
    verification = verify.verify(
        environment.python,
        quick=True,
        asked=asked,
        on_progress=report.packages,
        on_result=lambda check: report.check(check.id, check.device, check.status, check.detail),
    )
    report.stage(
        "verify",
        message(
            "{counts} in {seconds:.1f} s",
            counts=counted_checks(verification.checks),
            seconds=time.monotonic() - started,
        ),
    )
    return verification
