"""Bring torch, its companions and what they need back to what the environment's record says, all or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from torchdoctor.core.i18n import message
from torchdoctor.core.shell_words import quoted
from torchdoctor.detect import detect
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.install.record import PackageChange, asked_in, read_record
from torchdoctor.install.recorded import recorded_packages, torch_and_needs
from torchdoctor.inventory import damaged_packages
from torchdoctor.inventory.installed import read_installed
from torchdoctor.inventory.required import marker_environment as markers_of
from torchdoctor.inventory.torch_dependencies import only_for_torch
from torchdoctor.lock.target import marker_environment
from torchdoctor.workflows.recorded_change import (
    RecordedChange,
    RecordedResult,
    apply_recorded_change,
    refuse_broken,
)
from torchdoctor.workflows.target_environment import find_environment, versions_of
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.install.recorded import RecordedPackage
    from torchdoctor.workflows.recorded_change import RecordedOptions
    from torchdoctor.workflows.target_environment import TargetEnvironment

__all__ = ["run_restore"]


def run_restore(options: RecordedOptions, *, system: System, report: Reporter) -> RecordedResult:
    """Install what the record of an environment says, and nothing else.

    Raises `EnvironmentUnusable` where nothing was recorded, `SourceFailed` where a file cannot be had any more, and
    `InstallFailed` where other packages would stop working or nobody agreed; nothing has changed then.
    """
    folder = options.folder
    target = find_environment(folder, None, options.cache / "locks", system, reading=options.dry_run)
    record, packages = _recorded(target)
    machine = detect(system, python=target.python, environment=folder, cache=options.cache).machine
    markers = cast("dict[str, str | AbstractSet[str]]", marker_environment(machine))
    wanted = torch_and_needs(packages, markers)
    installed = versions_of(target, system)
    plan = record.get("plan")
    variant = plan.get("variant") if isinstance(plan, dict) else None
    difference = _difference(
        target, wanted, frozenset(package.name for package in packages), installed, variant
    )
    result = RecordedResult(
        folder=folder,
        recorded=written if isinstance(written := record.get("written"), str) else None,
        changes=difference.changes,
        again=tuple(sorted(difference.again)),
    )
    if not difference:
        return result
    refuse_broken(target, difference, installed, markers)
    if options.dry_run:
        return result
    wheelhouse = apply_recorded_change(
        options, target, difference, installed, variant, system=system, report=report
    )
    return replace(result, wheelhouse=wheelhouse)


def _recorded(target: TargetEnvironment) -> tuple[dict[str, Any], tuple[RecordedPackage, ...]]:
    """Return the record of the environment and its packages; raises `EnvironmentUnusable` without torch among them."""
    record = read_record(target.folder) if target.exists else None
    packages = recorded_packages(record or {})
    if record is None or "torch" not in {package.name for package in packages}:
        raise EnvironmentUnusable(
            message("nothing was recorded of torch in {folder}", folder=target.folder),
            fix=message(
                "choose what to install: torchdoctor install {folder}", folder=quoted(str(target.folder))
            ),
            code="no-record",
        )
    return record, packages


def _difference(
    target: TargetEnvironment,
    wanted: Sequence[RecordedPackage],
    recorded: frozenset[str],
    installed: Mapping[str, str],
    variant: object,
) -> RecordedChange:
    folders = target.python.site_packages
    builds = read_installed(folders)
    damaged = damaged_packages(folders)
    changed = {package.name for package in wanted if installed.get(package.name) != package.version}
    again = frozenset(
        package.name
        for package in wanted
        if package.name not in changed
        and (package.name in damaged or _is_other_build(package, builds.named(package.name), variant))
    )
    asked = {each.name for each in asked_in(target.folder)}
    unneeded = only_for_torch(folders, markers_of(target.python), asked=asked)
    remove = unneeded - recorded if changed & set(TORCH_PROJECTS) else frozenset()
    versions = {package.name: package.version for package in wanted}
    changes = [
        PackageChange(name=name, before=installed.get(name), after=versions.get(name))
        for name in sorted(changed | remove)
    ]
    return RecordedChange(
        packages=tuple(package for package in wanted if package.name in changed | again),
        changes=tuple(changes),
        again=again,
        remove=remove,
    )


def _is_other_build(package: RecordedPackage, installed: object, variant: object) -> bool:
    """PyPI's build of a release may have the same version as the recorded one."""
    build = getattr(installed, "build", None)
    return package.name in TORCH_PROJECTS and build is not None and build != variant
