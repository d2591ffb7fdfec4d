"""Detect, gather sources, resolve, lock, fetch, install, register a kernel, verify."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.fs import run_directory
from torchdoctor.core.i18n import message
from torchdoctor.errors import NoSolution
from torchdoctor.lock.read import plan_of_lock
from torchdoctor.sources.index_cache import known_index
from torchdoctor.workflows.acquire import fetch_lock, lock_and_fetch, lock_only
from torchdoctor.workflows.acquire_model import AcquireContext
from torchdoctor.workflows.broken_packages import broken_packages
from torchdoctor.workflows.bundle_origin import check_lock_origin
from torchdoctor.workflows.change_size import size_of_change
from torchdoctor.workflows.consent import ask_to_change, changes_by
from torchdoctor.workflows.hold import InstallHold
from torchdoctor.workflows.install_environment import environment_builder, install_wheels
from torchdoctor.workflows.install_inputs import read_install_inputs
from torchdoctor.workflows.install_model import InstallResult
from torchdoctor.workflows.install_proof import register_kernel, verify_environment
from torchdoctor.workflows.lesser_build import confirm_lesser_build, find_lesser_build
from torchdoctor.workflows.plan import resolve_online
from torchdoctor.workflows.recorded_vendor import keeping_recorded_vendor
from torchdoctor.workflows.source_builds import SourceBuilds
from torchdoctor.workflows.source_model import BuildsAgainstTorch
from torchdoctor.workflows.stack import asked_for_machine, sources_with_stack
from torchdoctor.workflows.stack_model import StackTask
from torchdoctor.workflows.torch_builds import with_wheel_for_torch
from torchdoctor.workflows.unneeded_packages import UnneededPackages, unneeded_after
from wheels_index import bundled

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.install import Environment
    from torchdoctor.lock import Lock
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.acquire_model import Acquired
    from torchdoctor.workflows.broken_packages import BrokenPackages
    from torchdoctor.workflows.install_inputs import InstallInputs
    from torchdoctor.workflows.install_model import InstallOptions
    from wheels_index import Snapshot

__all__ = ["run_install"]

_MAX_TORCH_BUILDS = 6


def run_install(options: InstallOptions, *, system: System, report: Reporter) -> InstallResult:
    """Run the whole pipeline; raises a `TorchdoctorError` for every failure, with what existed before unchanged.

    Where the environment has a vendor's own builds, these are kept, unless they do not fit this machine.
    """
    check_lock_origin(options.lock, options.origin, system.environ, report, assume_yes=options.assume_yes)
    kept = keeping_recorded_vendor(options, report)
    try:
        return _install_with_builds(kept, system, report)
    except NoSolution as error:
        if kept is options or error.code != "no-vendor-build":
            raise
        report.note(message("{reason}: PyTorch's own builds are looked at", reason=error.message))
    return _install_with_builds(options, system, report)


def _install_with_builds(options: InstallOptions, system: System, report: Reporter) -> InstallResult:
    """Install; a package that is built against torch is built first, in an environment of its own, after consent."""
    for _ in range(_MAX_TORCH_BUILDS):
        try:
            return _install_once(options, system=system, report=report)
        except BuildsAgainstTorch as needed:
            options = with_wheel_for_torch(needed, options, _install_once, system=system, report=report)
    return _install_once(options, system=system, report=report)


def _install_once(options: InstallOptions, *, system: System, report: Reporter) -> InstallResult:
    inputs = read_install_inputs(options, system, report)
    with run_directory(options.cache) as run_dir:
        plan, context = _decide(options, inputs, run_dir, report)
        lesser = find_lesser_build(options, inputs, plan, _index(options))
        confirm_lesser_build(
            lesser, report,
            allowed=options.allow_downgrade, assume_yes=options.assume_yes, dry_run=options.dry_run,
        )  # fmt: skip
        if options.dry_run:
            return _dry_run(options, inputs, plan, context, report)
        hold = _hold(options, inputs, system) if options.hold else None
        acquired, environment, unneeded = _change(options, inputs, plan, context, hold, report)
    kernel = register_kernel(options.kernel, environment, acquired.plan, system, report)
    verification = verify_environment(environment, context.asked, report) if options.verify else None
    return InstallResult(
        detection=inputs.detection, plan=acquired.plan, lock=acquired.lock,
        changes=(*changes_by(acquired.lock, inputs.installed.versions), *unneeded.changes),
        freed=unneeded.size, wheelhouse=acquired.wheelhouse,
        environment=environment, hold=hold.hold if hold else None, kernel=kernel, verification=verification,
    )  # fmt: skip


def _decide(
    options: InstallOptions, inputs: InstallInputs, run_dir: Path, report: Reporter
) -> tuple[Plan, AcquireContext]:
    """Return the plan, which is that of the lock where one is given, and what is locked and fetched for it."""
    lock_request, asked, machine = inputs.lock_request, inputs.asked, inputs.machine
    if options.decided is not None:
        plan = options.decided.plan
    elif inputs.existing_lock is not None and options.lock is not None:
        plan = plan_of_lock(inputs.existing_lock, options.lock)
    else:
        plan, sources = resolve_online(
            asked, machine, inputs.sources,
            offline=options.sources.offline, report=report, data=options.data,
            task=StackTask(stack=inputs.stack, lock_request=lock_request, run_dir=run_dir,
                           pins_torch=asked.torch != options.request.torch),
            builds=SourceBuilds(cache=options.cache, report=report, agreed=options.stack.builds),
        )  # fmt: skip
        lock_request = replace(lock_request, sources=sources_with_stack(sources, inputs.stack))
    context = AcquireContext(
        lock_request=lock_request, cache=options.cache, run_dir=run_dir,
        required=frozenset(asked.required),
        reinstall=options.reinstall | inputs.installed.damaged | inputs.installed.overwritten,
        site_packages=inputs.target.python.site_packages if inputs.target.exists else (),
        asked=asked_for_machine(options.stack, machine, inputs.built),
        facts=_index(options), from_lock=options.lock is not None,
    )  # fmt: skip
    return plan, context


def _index(options: InstallOptions) -> Snapshot:
    return known_index(options.data, lambda _: None) if options.data is not None else bundled()


def _dry_run(
    options: InstallOptions,
    inputs: InstallInputs,
    plan: Plan,
    context: AcquireContext,
    report: Reporter,
) -> InstallResult:
    """Return what would change and be fetched for it; what would be refused is raised."""
    lock = inputs.existing_lock
    if lock is None:
        plan, lock = lock_only(context, plan, report)
    _broken_by(lock, inputs).refuse()
    unneeded = _unneeded(options, inputs, context, lock)
    if unneeded.packages:
        report.note(unneeded.summary)
    missing = context.missing(lock)
    return InstallResult(
        detection=inputs.detection, plan=plan, lock=lock,
        changes=(*changes_by(lock, inputs.installed.versions), *unneeded.changes), freed=unneeded.size,
        to_fetch=missing, size=size_of_change(missing, context.cache, offline=options.sources.offline),
    )  # fmt: skip


def _hold(options: InstallOptions, inputs: InstallInputs, system: System) -> InstallHold:
    return InstallHold(
        options.folder, inputs.target.python, inputs.machine, inputs.sources, options.data, system,
        from_lock=inputs.existing_lock is not None,
    )  # fmt: skip


def _change(
    options: InstallOptions,
    inputs: InstallInputs,
    plan: Plan,
    context: AcquireContext,
    hold: InstallHold | None,
    report: Reporter,
) -> tuple[Acquired, Environment, UnneededPackages]:
    """Lock, ask for consent, fetch and install; what only the replaced torch needed goes."""
    target, installed = inputs.target, inputs.installed
    with environment_builder(target, context, hold, report) as builder:

        def on_locked(lock: Lock) -> None:
            _broken_by(lock, inputs).refuse()
            asks = installed.versions and not options.assume_yes
            missing = context.missing(lock) if asks else ()
            ask_to_change(
                target.folder, lock, installed.versions, report,
                assume_yes=options.assume_yes, unneeded=_unneeded(options, inputs, context, lock),
                size=size_of_change(missing, context.cache, offline=options.sources.offline).text,
            )  # fmt: skip
            if builder is not None:
                builder.start()

        on_file = builder.add if builder is not None else None
        known_lock = options.decided.lock if options.decided is not None else inputs.existing_lock
        if known_lock is not None:
            acquired = fetch_lock(context, plan, known_lock, report, on_locked, on_file)
        else:
            acquired = lock_and_fetch(context, plan, report, on_locked, on_file)
        unneeded = _unneeded(options, inputs, context, acquired.lock)
        environment = install_wheels(
            acquired, target, context, hold, builder, report, unneeded.names, options.prove
        )
    return acquired, environment, unneeded


def _broken_by(lock: Lock, inputs: InstallInputs) -> BrokenPackages:
    return broken_packages(inputs.target, inputs.installed.versions, lock, inputs.machine, inputs.asked)


def _unneeded(
    options: InstallOptions, inputs: InstallInputs, context: AcquireContext, lock: Lock
) -> UnneededPackages:
    if not options.drop_unneeded:
        return UnneededPackages()
    return unneeded_after(lock, inputs.target, inputs.installed.versions, context.asked)
