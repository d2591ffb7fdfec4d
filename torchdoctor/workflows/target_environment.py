"""The environment that an install makes or changes: inspected once, then handed on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.install import inspect_location
from torchdoctor.install.interpreter import interpreter_for
from torchdoctor.install.staging import recover_environment
from torchdoctor.inventory import damaged_packages, installed_versions
from torchdoctor.inventory.torch_dependencies import overwritten_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.install.location import LocationKind

__all__ = ["InstalledPackages", "TargetEnvironment", "find_environment", "read_installed_packages"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetEnvironment:
    """An environment before the install.

    `kind` is what is at `folder`; `python` is its interpreter, or the one to make it with where there is none yet.
    """

    folder: Path
    kind: LocationKind
    python: PythonInfo

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


def find_environment(folder: Path, python: str | None, lock_dir: Path, system: System) -> TargetEnvironment:
    """Inspect the environment at `folder`, after undoing what a killed run left there.

    `python` is what `--python` asks for; the folder of locks is `lock_dir`. Raises `EnvironmentUnusable` for what is
    not ours to change, `UsageError` for another Python than the environment has.
    """
    recover_environment(folder, lock_dir)
    kind = inspect_location(folder)
    return TargetEnvironment(folder=folder, kind=kind, python=interpreter_for(folder, kind, python, system))


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
        versions=installed_versions(system, environment.python.executable),
        damaged=frozenset(damaged),
        overwritten=overwritten_in(environment.python.site_packages),
    )
