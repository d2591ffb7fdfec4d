"""Brings an environment to files that its record names: refused, asked about, fetched and installed in one way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fs import run_directory
from torchdoctor.core.i18n import joined, message
from torchdoctor.core.shell_words import quoted
from torchdoctor.errors import InstallFailed, SourceFailed
from torchdoctor.fetch import fetch
from torchdoctor.fetch.cache import cached_path
from torchdoctor.install import update_environment
from torchdoctor.install.location import refuse_unwritable
from torchdoctor.install.model import InstallContext
from torchdoctor.install.record import RECORD
from torchdoctor.inventory.distributions import read_folder
from torchdoctor.inventory.requirement_conflicts import broken_requirements
from torchdoctor.lock.credentials import with_credentials
from torchdoctor.lock.model import Lock, LockedWheel
from torchdoctor.sources import SourceListing
from torchdoctor.sources.index_cache import known_index
from torchdoctor.sources.pypi_copies import is_place_of_copy
from torchdoctor.sources.source import PYPI
from torchdoctor.sources.vouched_files import known_hashes
from torchdoctor.sources.vouching import PYPI_FILES, is_of_torch, is_official_index, vouches
from torchdoctor.workflows.consent import ask_about
from torchdoctor.workflows.lock_facts import check_known_hashes
from torchdoctor.workflows.sources import gather_sources
from wheels_index import TORCH_PROJECTS, Wheel, bundled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.install.record import PackageChange
    from torchdoctor.install.recorded import RecordedPackage
    from torchdoctor.sources import Sources
    from torchdoctor.workflows.source_options import SourceOptions
    from torchdoctor.workflows.target_environment import TargetEnvironment
    from wheels_index import Snapshot

__all__ = ["RecordedChange", "RecordedOptions", "RecordedResult", "apply_recorded_change", "refuse_broken"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedOptions:
    """Which environment to bring to what was recorded, and from where."""

    folder: Path
    cache: Path  # torchdoctor's cache folder
    data: Path | None  # the folder in which `index update` keeps what it read
    sources: SourceOptions
    dry_run: bool = False  # stop before anything is fetched
    assume_yes: bool = False  # change the environment without asking


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedResult:
    """What was changed, or would be."""

    folder: Path
    recorded: str | None  # when the record was written: UTC, ISO 8601
    changes: tuple[PackageChange, ...]
    again: tuple[str, ...]  # packages of the right version that are installed again
    wheelhouse: Wheelhouse | None = None

    def to_json(self, *, dry_run: bool) -> dict[str, Any]:
        """Return the document of `restore --json` and `undo --json`."""
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
class RecordedChange:
    """How an environment differs from what was recorded."""

    packages: tuple[RecordedPackage, ...]  # to install
    changes: tuple[PackageChange, ...]
    again: frozenset[str]  # right version, wrong build or damaged files
    remove: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.packages or self.remove)

    @property
    def lines(self) -> list[str]:
        """A line for each package that changes."""
        texts = [str(change) for change in self.changes]
        return texts + [message("{name} is installed again", name=name) for name in sorted(self.again)]


def apply_recorded_change(
    options: RecordedOptions,
    target: TargetEnvironment,
    change: RecordedChange,
    installed: Mapping[str, str],
    variant: object,
    *,
    system: System,
    report: Reporter,
    back_to: Mapping[str, Any] | None = None,
) -> Wheelhouse:
    """Ask, fetch and install; `installed` are the versions by name, `variant` the recorded family of builds.

    The record says afterwards what `back_to`, an earlier record, says was planned and asked for. Raises `InstallFailed`
    where nobody agrees, and what `fetch` and `update_environment` raise, with the environment as it was.
    """
    refuse_unwritable(options.folder, target.kind)
    ask_about(options.folder, change.lines, report, assume_yes=options.assume_yes)
    sources = gather_sources(options.sources, system, target.python, report, limited=False)
    lock = _lock(change.packages, sources, options.cache, variant if isinstance(variant, str) else "cpu")
    facts = known_index(options.data, lambda _: None) if options.data is not None else bundled()
    _refuse_unknown_torch(lock, options.folder, sources, facts, report)
    with run_directory(options.cache) as run_dir:
        wheelhouse = fetch(
            lock.wheels, cache=options.cache / "wheels", progress=report, offline=options.sources.offline
        )
        context = InstallContext(
            python=target.python, run_dir=run_dir, lock_dir=options.cache / "locks", environ=system.environ,
            installed=installed, reinstall=change.again, remove=change.remove, back_to=back_to, facts=facts,
            on_wait=lambda seconds: report.waiting("install", seconds),
        )  # fmt: skip
        update_environment(wheelhouse, options.folder, context)
    return wheelhouse


def refuse_broken(
    target: TargetEnvironment,
    change: RecordedChange,
    installed: Mapping[str, str],
    markers: Mapping[str, str | AbstractSet[str]],
) -> None:
    """Raise `InstallFailed` where packages that stay would no longer get what they require."""
    distributions = [
        each for folder in target.python.site_packages for each in read_folder(str(folder)).distributions
    ]
    after = {package.name: package.version for package in change.packages}
    broken = [
        each
        for each in broken_requirements(distributions, installed, after, markers)
        if each.name not in change.remove
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
            folder=quoted(str(target.folder)),
            names=" ".join(dict.fromkeys(each.name for each in broken)),
        ),
        code="conflict",
    )


def _lock(packages: Sequence[RecordedPackage], sources: Sources, cache: Path, variant: str) -> Lock:
    """Return the files with a URL each, where they are not in the cache: one that a source of the user has."""
    wheels = tuple(
        LockedWheel(
            name=package.name,
            version=package.version,
            filename=package.filename,
            url=_url_of(package, sources, cache, variant),
            sha256=package.sha256,
            size=package.size,
        )
        for package in packages
    )
    return with_credentials(Lock(wheels=wheels, variant=variant), sources)


def _is_of_source(url: str, sources: Sources) -> bool:
    """Whether the recorded URL leads to where a source serves files: a record may be of another machine or person."""
    default = (sources.default_index,) if sources.default_index else ()
    places = [source.url for source in (*sources.torch, *sources.indexes, *default, *sources.find_links)]
    files = [PYPI_FILES] if PYPI.url in places or any(map(is_place_of_copy, places)) else []
    return is_official_index(url) or any(
        url.startswith(f"{place.rstrip('/')}/") for place in (*places, *files)
    )


def _refuse_unknown_torch(
    lock: Lock, folder: Path, sources: Sources, facts: Snapshot, report: Reporter
) -> None:
    """Hold the files of torch against the facts; what these do not know must come from the cache or its own index."""
    check_known_hashes(lock, folder / RECORD, facts, report, trusted=sources.trusted)
    unknown = [
        wheel.filename
        for wheel in lock.wheels
        if is_of_torch(wheel.name)
        and wheel.url
        and not (vouches(wheel.url) or wheel.url.startswith(PYPI_FILES))
        and wheel.sha256 not in known_hashes(facts, Wheel.from_filename(wheel.filename))
    ]
    if unknown and not sources.trusted:
        raise SourceFailed(
            message("nobody trusted vouches for {files}, which the record names", files=joined(unknown[:3])),
            fix=message(
                "install it again: torchdoctor install ENV; --trust-mirror takes it on your own word"
            ),
            code="not-vouched",
        )


def _url_of(package: RecordedPackage, sources: Sources, cache: Path, variant: str) -> str:
    if cached_path(cache / "wheels", package.sha256, package.filename).is_file():
        return ""
    if _is_of_source(package.url, sources):
        return package.url
    default = (sources.default_index,) if sources.default_index else ()
    places = (
        sources.torch if package.name in TORCH_PROJECTS else (*sources.indexes, *default, *sources.find_links)
    )
    for source in places:
        for wheel in SourceListing(source=source).wheels(package.name, variant):
            if wheel.filename == package.filename and wheel.sha256 in (None, package.sha256) and wheel.url:
                return wheel.url
    return ""
