"""The whole line in order: detect, resolve, lock, fetch, install, kernel, verify."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from torchdoctor.core.fs.run_directories import run_directory
from torchdoctor.core.i18n import plurals
from torchdoctor.core.i18n.messages import message
from torchdoctor.detect import detect, supported_tags
from torchdoctor.errors import InstallFailed
from torchdoctor.install import Environment, create_environment, inspect_location, update_environment
from torchdoctor.install.interpreter import interpreter_for
from torchdoctor.install.location import interpreter_of, refuse_unwritable
from torchdoctor.install.model import InstallContext
from torchdoctor.install.record import package_changes
from torchdoctor.install.staging import recover_environment
from torchdoctor.inventory import damaged_packages, installed_versions
from torchdoctor.lock.credentials import with_credentials
from torchdoctor.lock.read import plan_of_lock, read_lock
from torchdoctor.resolve.model import Plan, Request
from torchdoctor.workflows.acquire import fetch_lock, lock_and_fetch, lock_only
from torchdoctor.workflows.context import AcquireContext
from torchdoctor.workflows.plan import preload_modules, resolve_online
from torchdoctor.workflows.sources import SourceOptions, gather_sources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import Detection, Machine, PythonInfo
    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.install.create import EnvironmentBuilder
    from torchdoctor.install.location import LocationKind
    from torchdoctor.install.record import PackageChange
    from torchdoctor.kernel import Kernel
    from torchdoctor.lock.model import Lock
    from torchdoctor.sources.order import Sources
    from torchdoctor.verify import VerifyReport

__all__ = ["InstallOptions", "InstallResult", "run_install"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallOptions:
    """What `install` was asked to do.

    `extras` are requirement lines besides torch and its companions; `optional` ones may be left out where no
    source has them. With a `lock` nothing is decided. `reinstall` names packages to bring anew though their
    version is there. `assume_yes`: an existing environment is changed unasked.
    """

    folder: Path
    cache: Path
    data: Path | None = None
    python: str | None = None
    request: Request = field(default_factory=Request)
    sources: SourceOptions = field(default_factory=SourceOptions)
    extras: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    reinstall: frozenset[str] = frozenset()
    kernel_name: str | None = None
    display_name: str | None = None
    overwrite_kernel: bool = False
    verify: bool = True
    dry_run: bool = False
    lock: Path | None = None
    assume_yes: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallResult:
    """What came out; the later parts are None when the line was asked to stop before them."""

    detection: Detection
    plan: Plan
    lock: Lock | None = None
    changes: tuple[PackageChange, ...] = ()
    wheelhouse: Wheelhouse | None = None
    environment: Environment | None = None
    kernel: Kernel | None = None
    verification: VerifyReport | None = None

    @property
    def exit_status(self) -> int:
        """0 when all that was asked for is there and passed, 1 when verify found a problem."""
        return 1 if self.verification is not None and not self.verification.passed else 0


def run_install(options: InstallOptions, *, system: System, report: Reporter) -> InstallResult:
    """Run the line; every failure is a `TorchdoctorError` and leaves what was there before as it was."""
    recover_environment(options.folder, options.cache / "locks")
    state = inspect_location(options.folder)
    python = interpreter_for(options.folder, state, options.python, system)
    _check_kernel_name(options, system)
    if not options.dry_run:
        refuse_unwritable(options.folder, state)
    detection, sources = _look_around(options, python, system, report)
    given = _read_lock(options, detection.machine, sources)
    if given is not None and options.lock is not None:
        plan = plan_of_lock(given, options.lock)
    else:
        plan, sources = resolve_online(
            options.request,
            detection.machine,
            sources,
            offline=options.sources.offline,
            report=report,
            data=options.data,
        )
    with run_directory(options.cache) as work:
        context = _errand(options, state, python, detection.machine, sources, work, system, report)
        if options.dry_run:
            locked = given or lock_only(context, plan, report)
            return InstallResult(
                detection=detection, plan=plan, lock=locked, changes=_changes(locked, context.installed)
            )
        with _beginning(options, state, context, python, report) as begun:
            plan, locked, house = _bring(options, context, plan, given, report, begun)
            made = _put(options, context, plan, house, python, report, begun)
    registered = _register(options, made, plan, system, report)
    verification = _verify(made, report) if options.verify else None
    return InstallResult(
        detection=detection,
        plan=plan,
        lock=locked,
        changes=_changes(locked, context.installed),
        wheelhouse=house,
        environment=made,
        kernel=registered,
        verification=verification,
    )


def _check_kernel_name(options: InstallOptions, system: System) -> None:
    """Whether the name is free and can be written is known before gigabytes are fetched for it."""
    if options.kernel_name is None:
        return
    from torchdoctor.kernel import register

    register.kernel_destination(
        interpreter_of(options.folder),
        name=options.kernel_name,
        prefix=None,
        environ=system.environ,
        overwrite=options.overwrite_kernel,
    )


def _look_around(
    options: InstallOptions, python: PythonInfo, system: System, report: Reporter
) -> tuple[Detection, Sources]:
    """The machine and the sources, side by side: both wait for other programs or for the disk."""
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(gather_sources, options.sources, system, python, report)
        detection = detect(system, python=python, environment=options.folder, cache=options.cache)
        report.stage("detect", detection.summary())
        preload_modules()
        return detection, asked.result()


def _errand(
    options: InstallOptions,
    state: LocationKind,
    python: PythonInfo,
    machine: Machine,
    sources: Sources,
    work: Path,
    system: System,
    report: Reporter,
) -> AcquireContext:
    existing = state in ("venv", "conda")
    damaged = damaged_packages(python.site_packages) if existing else {}
    for name, count in damaged.items():
        report.note(
            message(
                "{name}: {count} of its files are not as they were installed; it is brought anew",
                name=name,
                count=count,
            )
        )
    return AcquireContext(
        request=options.request,
        python=python.executable,
        sources=sources,
        extras=options.extras,
        optional=options.optional,
        cache=options.cache,
        work=work,
        environ=system.environ,
        offline=options.sources.offline,
        installed=installed_versions(system, python.executable) if existing else {},
        reinstall=frozenset({*options.reinstall, *damaged}),
        machine=machine,
    )


def _read_lock(options: InstallOptions, machine: Machine, sources: Sources) -> Lock | None:
    if options.lock is None:
        return None
    locked = read_lock(options.lock, machine=machine, tags=supported_tags(machine))
    return with_credentials(locked, sources)


def _changes(locked: Lock, installed: Mapping[str, str]) -> tuple[PackageChange, ...]:
    return package_changes(installed, {row.name: row.version for row in locked.wheels})


def _beginning(
    options: InstallOptions,
    state: LocationKind,
    context: AcquireContext,
    python: PythonInfo,
    report: Reporter,
) -> contextlib.AbstractContextManager[EnvironmentBuilder | None]:
    """A new environment is filled while its files come; one that is there is changed when all are, within seconds."""
    if state in ("venv", "conda"):
        return contextlib.nullcontext()
    return create_environment(options.folder, state, _work(options, context, python, report))


def _work(
    options: InstallOptions, context: AcquireContext, python: PythonInfo, report: Reporter
) -> InstallContext:
    return InstallContext(
        python=python,
        run_dir=context.work,
        lock_dir=options.cache / "locks",
        environ=context.environ,
        installed=context.installed,
        reinstall=context.reinstall,
        on_wait=lambda seconds: report.waiting("install", seconds),
    )


def _bring(
    options: InstallOptions,
    context: AcquireContext,
    plan: Plan,
    given: Lock | None,
    report: Reporter,
    begun: EnvironmentBuilder | None,
) -> tuple[Plan, Lock, Wheelhouse]:
    def agree(locked: Lock) -> None:
        """What changes in an environment that is there is shown before anything is fetched for it."""
        changes = _changes(locked, context.installed) if context.installed else ()
        for change in changes:
            report.note(str(change))
        question = message(
            "Change {packages} in {folder}?", packages=plurals.packages(len(changes)), folder=options.folder
        )
        if changes and not options.assume_yes and not report.ask(question, default=True):
            raise InstallFailed(
                message("{folder} was not changed, as it was not agreed to", folder=options.folder),
                fix=message("answer with y, or give --yes; --dry-run shows the changes alone"),
                code="declined",
            )
        if begun is not None:
            begun.start()

    add = begun.add if begun is not None else None
    if given is None:
        return lock_and_fetch(context, plan, report, agree, add)
    plan, house = fetch_lock(context, plan, given, report, agree, add)
    return plan, given, house


def _put(
    options: InstallOptions,
    context: AcquireContext,
    plan: Plan,
    house: Wheelhouse,
    python: PythonInfo,
    report: Reporter,
    begun: EnvironmentBuilder | None,
) -> Environment:
    if not house.wheels:
        report.stage(
            "install", message("{folder} has it all already; nothing was changed", folder=options.folder)
        )
        return Environment(folder=options.folder, python=interpreter_of(options.folder), created=False)
    started = time.monotonic()
    if begun is not None:
        made = begun.finish(house, plan)
    else:
        made = update_environment(
            house, options.folder, replace(_work(options, context, python, report), plan=plan)
        )
    what = message("made") if made.created else message("changed")
    report.stage(
        "install",
        message(
            "{folder} {what} with Python {version}, bytecode compiled, {seconds:.1f} s",
            folder=options.folder,
            what=what,
            version=python.version,
            seconds=time.monotonic() - started,
        ),
    )
    return made


def _register(
    options: InstallOptions, made: Environment, plan: Plan, system: System, report: Reporter
) -> Kernel | None:
    if options.kernel_name is None:
        return None
    from torchdoctor.kernel import register
    from torchdoctor.workflows.kernel_add import free_display_name

    version = f"{plan.torch.version.public}+{plan.variant}"
    display = options.display_name or free_display_name(version, options.kernel_name, system)
    registered = register.write_kernel_spec(
        made.python,
        name=options.kernel_name,
        display_name=display,
        environ=system.environ,
        overwrite=options.overwrite_kernel,
    )
    report.stage(
        "kernel",
        message(
            "{name} ({display}) ran a cell with torch {torch}",
            name=registered.name,
            display=display,
            torch=registered.torch,
        ),
    )
    return registered


def _verify(made: Environment, report: Reporter) -> VerifyReport:
    from torchdoctor import verify
    from torchdoctor.verify.status_text import counted_checks

    started = time.monotonic()
    verification = verify.verify(
        made.python,
        quick=True,
        on_result=lambda check: report.check(check.id, check.device, check.status, check.detail),
    )
    counts = counted_checks(verification.checks)
    report.stage(
        "verify", message("{counts} in {seconds:.1f} s", counts=counts, seconds=time.monotonic() - started)
    )
    return verification
