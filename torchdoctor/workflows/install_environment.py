"""Wheels -> environment: a new one is filled while its wheels download, an existing one is changed in one step."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.install import Environment, create_environment, update_environment
from torchdoctor.install.location import interpreter_of
from torchdoctor.install.model import InstallContext
from torchdoctor.install.record import record_asked
from torchdoctor.install.staging import os_errors_as_install_failed
from torchdoctor.workflows.hold import hold_sentence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.install.create import EnvironmentBuilder
    from torchdoctor.workflows.acquire_model import AcquireContext, Acquired
    from torchdoctor.workflows.hold import InstallHold
    from torchdoctor.workflows.target_environment import TargetEnvironment

__all__ = ["environment_builder", "install_wheels"]


def environment_builder(
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
        facts=context.facts,
        from_lock=context.from_lock,
    )


def install_wheels(
    acquired: Acquired,
    target: TargetEnvironment,
    context: AcquireContext,
    hold: InstallHold | None,
    builder: EnvironmentBuilder | None,
    report: Reporter,
    unneeded: frozenset[str] = frozenset(),
    prove: Callable[[Path], None] | None = None,
) -> Environment:
    """Install what was fetched into the environment and remove the packages in `unneeded`, all or nothing.

    `prove` is called with an environment that was changed before it takes its place.
    """
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
            _install_context(target, context, hold, report), plan=acquired.plan, remove=unneeded, prove=prove
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


def _report_hold(hold: InstallHold, report: Reporter) -> None:
    if hold.hold is not None:
        report.stage("hold", hold_sentence(hold.hold))
