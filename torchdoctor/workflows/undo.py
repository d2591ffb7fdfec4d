"""Bring an environment back to what it was before its last change, as its record says: all of it or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.shell_words import quoted
from torchdoctor.core.text import sanitize_line
from torchdoctor.detect import detect
from torchdoctor.errors import EnvironmentUnusable, TorchdoctorError
from torchdoctor.install.hold.model import read_hold
from torchdoctor.install.record import PackageChange, read_record, recorded_changes
from torchdoctor.install.recorded import recorded_packages
from torchdoctor.lock.target import marker_environment
from torchdoctor.workflows.hold import HoldOptions, run_hold
from torchdoctor.workflows.recorded_change import (
    RecordedChange,
    RecordedResult,
    apply_recorded_change,
    refuse_broken,
)
from torchdoctor.workflows.target_environment import find_environment, versions_of
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.workflows.recorded_change import RecordedOptions
    from torchdoctor.workflows.target_environment import TargetEnvironment

__all__ = ["run_undo"]

# What `python -m venv` and the like put into an environment before anybody installs anything.
_SEEDS = frozenset({"pip", "setuptools", "wheel"})


def run_undo(options: RecordedOptions, *, system: System, report: Reporter) -> RecordedResult:
    """Take the last change of an environment back; called again, it makes that change again.

    Raises `EnvironmentUnusable` where it cannot be taken back, `SourceFailed` where a file cannot be had any more or
    nobody vouches for it, and `InstallFailed` where other packages would stop working or nobody agreed; nothing has
    changed then.
    """
    folder = options.folder
    target = find_environment(folder, None, options.cache / "locks", system, reading=options.dry_run)
    record = _recorded(target)
    earlier = previous if isinstance(previous := record.get("previous"), dict) else {}
    installed = versions_of(target, system)
    change = _change_back(folder, record, earlier, installed)
    result = RecordedResult(
        folder=folder,
        recorded=written if isinstance(written := earlier.get("written"), str) else None,
        changes=change.changes,
        again=(),
    )
    machine = detect(system, python=target.python, environment=folder, cache=options.cache).machine
    markers = cast("dict[str, str | AbstractSet[str]]", marker_environment(machine))
    refuse_broken(target, change, installed, markers)
    if options.dry_run:
        return result
    plan = earlier.get("plan")
    variant = plan.get("variant") if isinstance(plan, dict) else None
    wheelhouse = apply_recorded_change(
        options, target, change, installed, variant, system=system, report=report, back_to=earlier
    )
    _renew_hold(options, change, system, report)
    return replace(result, wheelhouse=wheelhouse)


def _recorded(target: TargetEnvironment) -> Mapping[str, Any]:
    """Return the record of the environment; raises `EnvironmentUnusable` where it tells of no change."""
    record = read_record(target.folder) if target.exists else None
    if record is None or not recorded_changes(record):
        raise EnvironmentUnusable(
            message("no change of {folder} was recorded", folder=target.folder),
            fix=message("see what is there: torchdoctor doctor {folder}", folder=quoted(str(target.folder))),
            code="no-record",
        )
    return record


def _change_back(
    folder: Path, record: Mapping[str, Any], earlier: Mapping[str, Any], installed: Mapping[str, str]
) -> RecordedChange:
    """Return the last change the other way round; raises `EnvironmentUnusable` where that is not possible."""
    last = recorded_changes(record)
    _refuse_changed_since(folder, last, installed)
    packages = {package.name: package for package in recorded_packages(earlier)}
    back = [change for change in last if change.before is not None]
    unknown = [
        f"{change.name}=={change.before}"
        for change in back
        if change.name not in packages or packages[change.name].version != change.before
    ]
    if unknown:
        raise _never_recorded(folder, unknown)
    added = frozenset(change.name for change in last if change.before is None)
    if not back and not set(installed) - added - _SEEDS:
        raise EnvironmentUnusable(
            message(
                "all packages of {folder} are from its last change: nothing was there before", folder=folder
            ),
            fix=message("remove it: torchdoctor remove {folder}", folder=quoted(str(folder))),
            code="nothing-before",
        )
    return RecordedChange(
        packages=tuple(packages[change.name] for change in back),
        changes=tuple(
            PackageChange(name=change.name, before=change.after, after=change.before) for change in last
        ),
        again=frozenset(),
        remove=added,
    )


def _refuse_changed_since(
    folder: Path, last: tuple[PackageChange, ...], installed: Mapping[str, str]
) -> None:
    changed = [change.name for change in last if installed.get(change.name) != change.after]
    if changed:
        raise EnvironmentUnusable(
            message(
                "another program changed these packages of {folder} since: {names}",
                folder=folder,
                names=joined(changed[:10]),
            ),
            fix=message(
                "bring back what was recorded first: torchdoctor restore {folder}",
                folder=quoted(str(folder)),
            ),
            code="changed-since",
        )


def _never_recorded(folder: Path, unknown: list[str]) -> EnvironmentUnusable:
    """pip, uv or conda installed them, so neither their files nor the hashes of these are known."""
    return EnvironmentUnusable(
        message(
            "the last change of {folder} cannot be taken back: torchdoctor did not install what it replaced: {names}",
            folder=folder,
            names=joined(unknown[:10]),
        ),
        fix=message(
            "install that with uv pip install --python {folder} {names}",
            folder=quoted(str(folder)),
            names=" ".join(quoted(sanitize_line(name)) for name in unknown),
        ),
        code="cannot-undo",
    )


def _renew_hold(options: RecordedOptions, change: RecordedChange, system: System, report: Reporter) -> None:
    """Hold the torch that is there now, where the other one was held."""
    if read_hold(options.folder) is None or not {each.name for each in change.changes} & set(TORCH_PROJECTS):
        return
    hold = HoldOptions(folder=options.folder, cache=options.cache, data=options.data, sources=options.sources)
    try:
        run_hold(hold, system=system, report=report)
    except TorchdoctorError as error:
        report.warn(
            message(
                "pip and uv still keep the build that was replaced ({reason}); renew that: torchdoctor hold {folder}",
                reason=error.message,
                folder=quoted(str(options.folder)),
            )
        )
