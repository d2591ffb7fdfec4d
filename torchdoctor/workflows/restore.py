"""Bring torch, its companions and what they need back to what the environment's record says, all or nothing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from torchdoctor.core.fs import run_directory
from torchdoctor.core.i18n import joined, message
from torchdoctor.detect import detect
from torchdoctor.errors import EnvironmentUnusable, InstallFailed
from torchdoctor.fetch import fetch
from torchdoctor.fetch.cache import cached_path
from torchdoctor.install import update_environment
from torchdoctor.install.location import refuse_unwritable
from torchdoctor.install.model import InstallContext
from torchdoctor.install.record import PackageChange, asked_in, read_record
from torchdoctor.install.recorded import recorded_packages, torch_and_needs
from torchdoctor.inventory import damaged_packages
from torchdoctor.inventory.distributions import read_folder
from torchdoctor.inventory.installed import read_installed
from torchdoctor.inventory.required import marker_environment as markers_of
from torchdoctor.inventory.requirement_conflicts import broken_requirements
from torchdoctor.inventory.torch_dependencies import only_for_torch
from torchdoctor.lock.credentials import with_credentials
from torchdoctor.lock.model import Lock, LockedWheel
from torchdoctor.lock.target import marker_environment
from torchdoctor.sources import SourceListing
from torchdoctor.workflows.consent import ask_about
from torchdoctor.workflows.sources import gather_sources
from torchdoctor.workflows.target_environment import find_environment, versions_of
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.install.recorded import RecordedPackage
    from torchdoctor.sources import Sources
    from torchdoctor.workflows.source_options import SourceOptions
    from torchdoctor.workflows.target_environment import TargetEnvironment

__all__ = ["RestoreOptions", "RestoreResult", "run_restore"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreOptions:
    """Which environment to restore, and from where."""

    folder: Path
    cache: Path  # torchdoctor's cache folder
    sources: SourceOptions
    dry_run: bool = False  # stop before anything is fetched
    assume_yes: bool = False  # change the environment without asking


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreResult:
    """What the restore changed, or would change."""

    folder: Path
    recorded: str | None  # when the record was written: UTC, ISO 8601
    changes: tuple[PackageChange, ...]
    again: tuple[str, ...]  # packages of the right version that are installed again
    wheelhouse: Wheelhouse | None = None

    def to_json(self, *, dry_run: bool) -> dict[str, Any]:
        """Return the document of `restore --json`."""
        return {
            "schema": 1,
            "dry_run": dry_run,
            "environment": str(self.folder),
            "recorded": self.recorded,
            "changes": [change.to_json() for change in self.changes],
            "again": list(self.again),
            "files": [
                {
                    "name": fetched.wheel.name, "version": fetched.wheel.version, "filename": fetched.wheel.filename,
                    "source": fetched.source, "sha256": fetched.sha256, "size": fetched.size,
                }
                for fetched in (self.wheelhouse.wheels if self.wheelhouse else ())
            ],
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class _Difference:
    """How an environment differs from its record."""

    packages: tuple[RecordedPackage, ...]  # to install
    changes: tuple[PackageChange, ...]
    again: frozenset[str]  # right version, wrong build or damaged files
    remove: frozenset[str]


def run_restore(options: RestoreOptions, *, system: System, report: Reporter) -> RestoreResult:
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
    result = RestoreResult(
        folder=folder,
        recorded=written if isinstance(written := record.get("written"), str) else None,
        changes=difference.changes,
        again=tuple(sorted(difference.again)),
    )
    if not difference.packages and not difference.remove:
        return result
    _refuse_broken(target, difference, installed, markers)
    if options.dry_run:
        return result
    refuse_unwritable(folder, target.kind)
    ask_about(folder, _texts(difference), report, assume_yes=options.assume_yes)
    sources = gather_sources(options.sources, system, target.python, report, limited=False)
    lock = _lock(difference.packages, sources, options.cache, variant if isinstance(variant, str) else "cpu")
    wheelhouse = _fetch_and_update(options, target, difference, installed, lock, system, report)
    return replace(result, wheelhouse=wheelhouse)


def _recorded(target: TargetEnvironment) -> tuple[dict[str, Any], tuple[RecordedPackage, ...]]:
    """Return the record of the environment and its packages; raises `EnvironmentUnusable` without torch among them."""
    record = read_record(target.folder) if target.exists else None
    packages = recorded_packages(record or {})
    if record is None or "torch" not in {package.name for package in packages}:
        raise EnvironmentUnusable(
            message("nothing was recorded of torch in {folder}", folder=target.folder),
            fix=message(
                "choose what to install: torchdoctor install {folder}", folder=shlex.quote(str(target.folder))
            ),
            code="no-record",
        )
    return record, packages


def _fetch_and_update(
    options: RestoreOptions,
    target: TargetEnvironment,
    difference: _Difference,
    installed: Mapping[str, str],
    lock: Lock,
    system: System,
    report: Reporter,
) -> Wheelhouse:
    """Change the environment with the files of the lock, and return these."""
    with run_directory(options.cache) as run_dir:
        wheelhouse = fetch(
            lock.wheels, cache=options.cache / "wheels", progress=report, offline=options.sources.offline
        )
        context = InstallContext(
            python=target.python,
            run_dir=run_dir,
            lock_dir=options.cache / "locks",
            environ=system.environ,
            installed=installed,
            reinstall=difference.again,
            remove=difference.remove,
            on_wait=lambda seconds: report.waiting("install", seconds),
        )
        update_environment(wheelhouse, options.folder, context)
    return wheelhouse


def _difference(
    target: TargetEnvironment,
    wanted: Sequence[RecordedPackage],
    recorded: frozenset[str],
    installed: Mapping[str, str],
    variant: object,
) -> _Difference:
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
    return _Difference(
        packages=tuple(package for package in wanted if package.name in changed | again),
        changes=tuple(changes),
        again=again,
        remove=remove,
    )


def _is_other_build(package: RecordedPackage, installed: object, variant: object) -> bool:
    """PyPI's build of a release may have the same version as the recorded one."""
    build = getattr(installed, "build", None)
    return package.name in TORCH_PROJECTS and build is not None and build != variant


def _refuse_broken(
    target: TargetEnvironment,
    difference: _Difference,
    installed: Mapping[str, str],
    markers: Mapping[str, str | AbstractSet[str]],
) -> None:
    distributions = [
        each for folder in target.python.site_packages for each in read_folder(str(folder)).distributions
    ]
    after = {package.name: package.version for package in difference.packages}
    broken = [
        each
        for each in broken_requirements(distributions, installed, after, markers)
        if each.name not in difference.remove
    ]
    if not broken:
        return
    raise InstallFailed(
        message(
            "what was recorded of {folder} no longer fits its other packages: {which}",
            folder=target.folder,
            which=joined((each.description for each in broken[:5]), "; "),
        ),
        fix=message(
            "remove them first: uv pip uninstall --python {folder} {names}; or keep them: torchdoctor doctor {folder} "
            "--fix finds a build that they work with",
            folder=shlex.quote(str(target.folder)),
            names=" ".join(dict.fromkeys(each.name for each in broken)),
        ),
        code="conflict",
    )


def _texts(difference: _Difference) -> list[str]:
    texts = [str(change) for change in difference.changes]
    return texts + [message("{name} is installed again", name=name) for name in sorted(difference.again)]


def _lock(packages: Sequence[RecordedPackage], sources: Sources, cache: Path, variant: str) -> Lock:
    """Return the files with a URL each: none for a file in the cache, the recorded one, or one that a source has."""
    wheels = tuple(
        LockedWheel(
            name=package.name,
            version=package.version,
            filename=package.filename,
            url=package.url or _url_of(package, sources, cache, variant),
            sha256=package.sha256,
            size=package.size,
        )
        for package in packages
    )
    return with_credentials(Lock(wheels=wheels, variant=variant), sources)


def _url_of(package: RecordedPackage, sources: Sources, cache: Path, variant: str) -> str:
    if cached_path(cache / "wheels", package.sha256, package.filename).is_file():
        return ""
    default = (sources.default_index,) if sources.default_index else ()
    places = (
        sources.torch if package.name in TORCH_PROJECTS else (*sources.indexes, *default, *sources.find_links)
    )
    for source in places:
        for wheel in SourceListing(source=source).wheels(package.name, variant):
            if wheel.filename == package.filename and wheel.sha256 in (None, package.sha256) and wheel.url:
                return wheel.url
    return ""
