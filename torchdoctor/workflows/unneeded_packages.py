"""What was installed for a torch that goes: shown with its size, and removed with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs import run_directory
from torchdoctor.core.i18n import message, plurals
from torchdoctor.fetch import Wheelhouse
from torchdoctor.install import update_environment
from torchdoctor.install.location import refuse_unwritable
from torchdoctor.install.model import InstallContext
from torchdoctor.install.record import PackageChange, asked_in
from torchdoctor.install.shared_files import bytes_of_packages
from torchdoctor.inventory import installed_versions
from torchdoctor.inventory.required import marker_environment
from torchdoctor.inventory.torch_dependencies import only_for_torch
from torchdoctor.workflows.target_environment import find_environment
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.lock import Lock
    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.workflows.target_environment import TargetEnvironment

__all__ = ["UnneededPackages", "remove_unneeded", "unneeded_after"]


@dataclass(frozen=True, kw_only=True, slots=True)
class UnneededPackages:
    """Packages that go, each with its version and the bytes that it takes."""

    packages: tuple[tuple[str, str, int], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Their normalised names."""
        return frozenset(name for name, _, _ in self.packages)

    @property
    def size(self) -> int:
        """How many bytes they take together."""
        return sum(size for _, _, size in self.packages)

    @property
    def changes(self) -> tuple[PackageChange, ...]:
        """The removal of each."""
        return tuple(
            PackageChange(name=name, before=version, after=None) for name, version, _ in self.packages
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each, as a change is shown, with its size."""
        sizes = (size for _, _, size in self.packages)
        return tuple(
            f"{change} ({size / 1e6:,.1f} MB)" for change, size in zip(self.changes, sizes, strict=True)
        )

    @property
    def summary(self) -> str:
        """How many they are, how much they take, and what keeps them."""
        return message(
            "{packages} that only the replaced torch needed, {size:.1f} GB in all, are removed with it; "
            "--keep-unneeded keeps them",
            packages=plurals.packages(len(self.packages)),
            size=self.size / 1e9,
        )


def unneeded_after(
    lock: Lock,
    target: TargetEnvironment,
    installed: Mapping[str, str],
    asked: tuple[AskedRequirement, ...] = (),
) -> UnneededPackages:
    """Return what the lock's torch leaves without a purpose; nothing where torch stays as it is.

    What was asked for, now or before, and what any other package mentions stays.
    """
    after = {wheel.name: wheel.version for wheel in lock.wheels}
    if not target.exists or after.get("torch", installed.get("torch")) == installed.get("torch"):
        return UnneededPackages()
    folders = target.python.site_packages
    names = only_for_torch(
        folders,
        marker_environment(target.python),
        asked={each.name for each in (*asked, *asked_in(target.folder))},
        replaced=set(TORCH_PROJECTS) & {"torch", *after},
    )
    return _measured(names - set(after), folders, installed)


def remove_unneeded(
    python: PythonInfo,
    names: frozenset[str],
    *,
    cache: Path,
    system: System,
    report: Reporter,
    prove: Callable[[Path], None] | None = None,
) -> None:
    """Remove these packages from the environment of `python`; files that others list too stay.

    `prove` gets the environment without them before it takes the place of the one that is there. Raises
    `InstallFailed`, with the environment as it was.
    """
    target = find_environment(python.prefix, None, cache / "locks", system)
    refuse_unwritable(target.folder, target.kind)
    installed = installed_versions(system, python.executable)
    going = _measured(names & set(installed), python.site_packages, installed)
    with run_directory(cache) as run_dir:
        context = InstallContext(
            python=python, run_dir=run_dir, lock_dir=cache / "locks", environ=system.environ,
            installed=installed, remove=going.names, asked=asked_in(target.folder), prove=prove,
        )  # fmt: skip
        update_environment(Wheelhouse(wheels=()), target.folder, context)
    for line in going.lines:
        report.note(line)


def _measured(
    names: frozenset[str], folders: tuple[Path, ...], installed: Mapping[str, str]
) -> UnneededPackages:
    there = sorted(name for name in names if name in installed)
    sizes = bytes_of_packages(folders, there)
    return UnneededPackages(packages=tuple((name, installed[name], sizes[name]) for name in there))
