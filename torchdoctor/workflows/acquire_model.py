"""Inputs and result of locking and fetching the packages of one environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.inventory.extension_misfit import ExtensionMisfit
    from torchdoctor.lock import Lock, LockedWheel
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.resolve import Plan
    from wheels_index import Snapshot

__all__ = ["AcquireContext", "Acquired"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AcquireContext:
    """What to lock, and the folders to work in.

    `required` are companions that must not be left out. `cache` is the user's cache folder, `run_dir` a temporary
    directory of this run. Packages named in `reinstall` are fetched although their version is installed.
    `site_packages` are the package folders of an environment that is changed, `misfits` the versions that were passed
    over as they do not go with torch. `asked` is what was asked for, with the hashes that files give.
    """

    lock_request: LockRequest
    cache: Path
    run_dir: Path
    required: frozenset[str] = frozenset()
    reinstall: frozenset[str] = frozenset()
    site_packages: tuple[Path, ...] = ()
    misfits: tuple[ExtensionMisfit, ...] = ()
    asked: tuple[AskedRequirement, ...] = ()
    facts: Snapshot | None = None  # that the plan rests on
    from_lock: bool = False

    def has(self, name: str, version: str) -> bool:
        """Whether that version is installed and stays."""
        return self.lock_request.installed.get(name) == version and name not in self.reinstall

    def missing(self, lock: Lock) -> tuple[LockedWheel, ...]:
        """Return the files of the lock that are not installed."""
        return tuple(wheel for wheel in lock.wheels if not self.has(wheel.name, wheel.version))


@dataclass(frozen=True, kw_only=True, slots=True)
class Acquired:
    """A lock and its wheels; `plan` is without the companions that turned out to be of another build."""

    plan: Plan
    lock: Lock
    wheelhouse: Wheelhouse
