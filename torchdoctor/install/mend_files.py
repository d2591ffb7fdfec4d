"""Puts single files of packages back, in a copy of the environment that is checked before it is swapped in."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.fetch import Wheelhouse
from torchdoctor.install import in_place
from torchdoctor.install.environment_change import EnvironmentChange, change_environment
from torchdoctor.install.ownership import restore_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["MendedFile", "mend_files"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MendedFile:
    """One file: where it belongs below the environment, and the file with its content."""

    path: str
    source: Path
    executable: bool = False


def mend_files(
    folder: Path,
    site_packages: Sequence[Path],
    files: Sequence[MendedFile],
    lock_dir: Path,
    prove: Callable[[Path], None],
) -> None:
    """Put the files into the environment at `folder` in one step; `prove` gets it, or its copy, before that.

    An environment that cannot be replaced is changed where it is, and back when `prove` raises. Raises
    `InstallFailed`, with the environment as it was before.
    """

    def apply(stage: Path) -> None:
        for each in files:
            _put(stage, each)
        restore_owner(stage, folder)
        prove(stage)

    paths = [each.path for each in files]
    change = EnvironmentChange(
        size=lambda: sum(each.source.stat().st_size for each in files),
        apply=apply,
        remember=lambda: in_place.begin_change(folder, site_packages, Wheelhouse(wheels=()), paths),
    )
    change_environment(folder, lock_dir, change)


def _put(stage: Path, file: MendedFile) -> None:
    """Replace the file, of which the old one may be a hard link that others share, and forget its bytecode."""
    target = stage / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name[:200]}.torchdoctor")
    shutil.copyfile(file.source, part)
    part.chmod(0o755 if file.executable else 0o644)
    part.replace(target)
    if target.suffix == ".py":
        for compiled in (target.parent / "__pycache__").glob(f"{target.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)
