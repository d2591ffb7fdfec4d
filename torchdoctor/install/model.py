"""What an install needs, and the environment that comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torchdoctor.detect import PythonInfo
    from torchdoctor.install.hold.write import HoldChange
    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.resolve import Plan
    from wheels_index import Snapshot

__all__ = ["Environment", "InstallContext"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """An environment: its folder, its interpreter, and whether this run created it."""

    folder: Path
    python: Path
    created: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallContext:
    """Everything but the wheels that an install works with.

    `python` is the interpreter that a new environment is made with, or the one that an existing environment has.
    `run_dir` is a temporary directory of this run, `lock_dir` the folder of locks that all runs share. `plan` and
    `asked`, what was asked for, go into the environment's record. `installed` maps the names of installed packages to
    versions; those named in `reinstall` are replaced even at the same version, and those in `remove` are removed from
    an existing environment. `on_wait` gets the seconds that have passed, every 10 s. `hold` returns how the hold
    changes with an install of that plan. `prove` gets an existing environment, or the copy of it, after the change and
    before it takes its place; what it raises leaves everything as it was. `back_to` is an earlier record, whose plan
    and asked packages the new record has.
    """

    python: PythonInfo
    run_dir: Path
    lock_dir: Path
    environ: Mapping[str, str]
    plan: Plan | None = None
    asked: tuple[AskedRequirement, ...] = ()
    facts: Snapshot | None = None  # that the plan rests on; None for those that came with torchdoctor
    from_lock: bool = False
    installed: Mapping[str, str] = field(default_factory=dict)
    reinstall: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    on_wait: Callable[[float], None] | None = None
    hold: Callable[[Plan], HoldChange] | None = None
    prove: Callable[[Path], None] | None = None
    back_to: Mapping[str, Any] | None = None

    def site_packages_in(self, folder: Path) -> tuple[Path, ...]:
        """Return the package folders of the existing environment, or of a copy of it, at `folder`.

        They are the ones that its interpreter uses: there may be others, such as conda's link `lib/python3.1` or the
        folder of a Python that was upgraded.
        """
        prefix = self.python.prefix
        return tuple(
            folder / path.relative_to(prefix)
            for path in self.python.site_packages
            if path.is_relative_to(prefix)
        )
