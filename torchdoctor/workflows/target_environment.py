"""The environment that an install makes or changes: inspected once, then handed on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.system.environment_trust import environment_above
from torchdoctor.install import inspect_location
from torchdoctor.install.interpreter import interpreter_for
from torchdoctor.install.staging import recover_environment
from torchdoctor.inventory import damaged_packages, installed_versions
from torchdoctor.inventory.installed import versions_in_files
from torchdoctor.inventory.torch_dependencies import overwritten_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.install.location import LocationKind

__all__ = [
    "InstalledPackages",
    "TargetEnvironment",
    "find_environment",
    "read_installed_packages",
    "versions_of",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetEnvironment:
    """An environment before the install.

    `kind` is what is at `folder`; `python` is its interpreter, or the one to make it with where there is none yet.
    """

    folder: Path
    kind: LocationKind
    python: PythonInfo
    was_read: bool = False  # its files alone were looked at: its interpreter must not run

    @property
    def exists(self) -> bool:
        """Whether it is changed, and not made."""
        return self.kind in ("venv", "conda")


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledPackages:
    """The packages of an environment: `versions` by name, and the names of those with `damaged` files.

    Those in `overwritten` have files that another package has too, as that one brought them.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    damaged: frozenset[str] = frozenset()
    overwritten: frozenset[str] = frozenset()


def find_environment(
    folder: Path, python: str | None, lock_dir: Path, system: System, *, reading: bool = False
) -> TargetEnvironment:
    """Inspect the environment at `folder`, after undoing what a killed run left there.

    `python` is what `--python` asks for; the folder of locks is `lock_dir`. `reading`: nothing of the environment runs,
    and what a killed run left stays. Raises `EnvironmentUnusable` for what is
    not ours to change, `UsageError` for another Python than the environment has.
    """
    if not reading:
        recover_environment(folder, lock_dir)
    kind = inspect_location(folder)
    inside = interpreter_for(folder, kind, python, system, reading=reading)
    return TargetEnvironment(
        folder=folder,
        kind=kind,
        python=inside,
        was_read=reading and environment_above(inside.executable) is not None,
    )


def versions_of(environment: TargetEnvironment, system: System) -> dict[str, str]:
    """Return what its interpreter sees installed, normalised name -> version."""
    if environment.was_read:
        return versions_in_files(environment.python)
    return installed_versions(system, environment.python.executable)


def read_installed_packages(
    environment: TargetEnvironment, system: System, report: Reporter
) -> InstalledPackages:
    """Return what is installed, and report each package whose files were changed or removed."""
    if not environment.exists:
        return InstalledPackages()
    damaged = damaged_packages(environment.python.site_packages)
    for name, count in damaged.items():
        report.note(
            message(
                "{name}: files that are not as they were installed: {count}; they are put back",
                name=name,
                count=count,
            )
        )
    return InstalledPackages(
        versions=versions_of(environment, system),
        damaged=frozenset(damaged),
        overwritten=overwritten_in(environment.python.site_packages),
    )
