"""Wheelhouse -> Environment: a venv that is the old one or the new one, and never half of each."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import shutil
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from torchdoctor.errors import EnvironmentUnusable, InstallFailed
from torchdoctor.stage import State, check_together, fill, interpreter_of, keep_owner, make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.lock import Lock

__all__ = ["Environment", "State", "examine", "install", "interpreter_of", "recover"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """A venv: its folder and its interpreter."""

    folder: Path
    python: Path
    created: bool

    @property
    def activate(self) -> str:
        """What a person types to use it."""
        if sys.platform == "win32":
            return str(self.folder / "Scripts" / "activate")
        return f"source {_quoted(self.folder / 'bin' / 'activate')}"


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))


def examine(folder: Path) -> State:
    """What is at `folder`: nothing, an empty folder or a venv.

    Raises `EnvironmentUnusable` for everything else, since it is not ours to change.
    """
    advice = "name another folder: torchdoctor install ENV"
    try:
        if not folder.exists() and not folder.is_symlink():
            return "new"
        if not folder.is_dir():
            raise EnvironmentUnusable(f"{folder} is not a folder", fix=advice)
        if not any(folder.iterdir()) and not os.path.ismount(folder):
            return "empty"
    except PermissionError as error:
        raise EnvironmentUnusable(f"{folder} cannot be read: {error.strerror}", fix=advice) from error
    if os.path.ismount(folder):
        raise EnvironmentUnusable(
            f"{folder} is a mount point, which cannot be replaced",
            fix=f"name a folder inside it: torchdoctor install {_quoted(folder / 'env')}",
            kind="mount-point",
        )
    if (folder / "conda-meta").is_dir():
        raise EnvironmentUnusable(
            f"{folder} is a conda environment, which torchdoctor does not change", fix=advice, kind="conda"
        )
    if not (folder / "pyvenv.cfg").is_file():
        raise EnvironmentUnusable(
            f"{folder} is not empty and is not a virtual environment, so nothing is put there",
            fix=advice,
            kind="not-a-venv",
        )
    if not interpreter_of(folder).exists():
        raise EnvironmentUnusable(
            f"{folder} is a virtual environment whose Python is gone",
            fix=f"remove {folder}, or name another folder: torchdoctor install ENV",
            kind="broken-venv",
        )
    return "venv"


def install(
    lock: Lock,
    wheelhouse: Wheelhouse,
    folder: Path,
    *,
    python: Path,
    work: Path,
    locks: Path,
    environ: Mapping[str, str],
    on_wait: Callable[[float], None] | None = None,
) -> Environment:
    """Make the environment beside `folder`, then put it there with one rename.

    A new one is made by `python`; an existing one is copied (hard links), changed and swapped in, so its
    other packages stay. Raises `InstallFailed`, with what was there before untouched.
    """
    state = examine(folder)
    try:
        with _alone(folder, locks):
            _recover(folder)
            stage = _beside(folder, f"new-{os.getpid()}")
            try:
                _check_space(wheelhouse, stage.parent)
                make(stage, folder, state, python, environ)
                fill(stage, lock, wheelhouse, work, environ, on_wait)
                if state == "venv":
                    check_together(stage, folder, environ)
                    keep_owner(stage, folder)
                _swap(stage, folder, state)
            finally:
                shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        raise InstallFailed(
            f"{folder} could not be made: {error.strerror or error}"
            + (f" ({error.filename})" if error.filename else ""),
            fix="check that the folder above it can be written to and has space, or name another folder: "
            "torchdoctor install ENV",
        ) from error
    return Environment(folder=folder, python=interpreter_of(folder), created=state != "venv")


def _beside(folder: Path, what: str) -> Path:
    """A hidden sibling that belongs to this folder alone: `venv` and `.venv` may lie side by side."""
    mark = hashlib.sha256(os.fsencode(folder.name)).hexdigest()[:8]
    return folder.parent / f".{folder.name.lstrip('.')[:80]}.torchdoctor-{mark}-{what}"


@contextlib.contextmanager
def _alone(folder: Path, locks: Path) -> Iterator[None]:
    """Two installs into one folder take turns; the second is told so rather than left waiting."""
    locks.mkdir(parents=True, exist_ok=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    try:
        with FileLock(locks / f"{name}.lock", timeout=0):
            yield
    except Timeout as error:
        raise InstallFailed(
            f"another torchdoctor is installing into {folder}", fix="wait until it is done", kind="busy"
        ) from error


def recover(folder: Path, locks: Path) -> None:
    """Finish or clear what a killed run left: the old environment comes back if the new one did not.

    Raises `InstallFailed` when another run is at work there.
    """
    if any(folder.parent.glob(f"{glob.escape(_beside(folder, '').name)}*")):
        with _alone(folder, locks):
            _recover(folder)


def _recover(folder: Path) -> None:
    old = _beside(folder, "old")
    if old.exists() and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    for left in folder.parent.glob(f"{glob.escape(_beside(folder, 'new').name)}*"):
        # A process that outlived its parent may still write there; what is left goes the next time.
        shutil.rmtree(left, ignore_errors=True)


def _check_space(wheelhouse: Wheelhouse, parent: Path) -> None:
    needed = 0
    for fetched in wheelhouse.wheels:
        try:
            with zipfile.ZipFile(fetched.path) as archive:
                needed += sum(member.file_size for member in archive.infolist())
        except zipfile.BadZipFile as error:
            raise InstallFailed(
                f"{fetched.wheel.filename} is not a usable wheel: {error}",
                fix="remove it and run the command again",
                kind="bad-wheel",
            ) from error
    free = shutil.disk_usage(parent).free
    if needed > free:
        raise InstallFailed(
            f"the environment needs {needed / 1e9:.1f} GB and {parent} has {free / 1e9:.1f} GB free",
            fix="free space there, or name a folder on another disk: torchdoctor install ENV",
            kind="no-space",
        )


def _swap(stage: Path, folder: Path, state: State) -> None:
    if state == "empty":
        folder.rmdir()
    if state != "venv":
        stage.rename(folder)
        return
    old = _beside(folder, "old")
    folder.rename(old)
    try:
        stage.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
