"""A folder for one run's own files, and the end of those that killed runs left."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from torchdoctor.core.fs.own_files import make_own_folder
from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.i18n import message
from torchdoctor.errors import SourceFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["cached_files_in_use", "mark_cached_files_in_use", "run_directory"]

_DAY = 24 * 3600.0
_MAX_USES_BYTES = 16 << 20
_USES = "uses"  # a line for each file of the cache that the run relies on


@contextlib.contextmanager
def run_directory(cache: Path) -> Iterator[Path]:
    """A folder that only this user can read, gone afterwards; those of runs that are no more go first.

    A run holds a lock beside its folder, which the system lets go when the process ends, however it ends.
    Raises `SourceFailed` when the cache cannot be used.
    """
    home = cache / "work"
    folder = home / f"run-{secrets.token_hex(6)}"
    held = FileLock(folder.with_suffix(".lock"))
    try:
        make_own_folder(home, below=cache)
        _clear(home)
        held.acquire()
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise SourceFailed(
            message(
                "the cache {cache} cannot be used: {strerror}", cache=cache, strerror=error.strerror or error
            ),
            fix=message("set TORCHDOCTOR_CACHE_DIR to a folder of your own that can be written to"),
            code="cache",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.release()
        _remove(folder.with_suffix(".lock"))


def mark_cached_files_in_use(folder: Path, names: Iterable[str]) -> None:
    """Write down which files of the cache the run that works in `folder` relies on, before it looks for them."""
    with (folder / _USES).open("a", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names)


def cached_files_in_use(cache: Path) -> frozenset[str]:
    """The files of the cache that runs rely on which are at work now."""
    found: set[str] = set()
    for lock in (cache / "work").glob("run-*.lock"):
        with contextlib.suppress(OSError):
            names = (
                read_regular(lock.with_suffix("") / _USES, limit=_MAX_USES_BYTES).decode("utf-8").splitlines()
            )
            try:
                with FileLock(lock, timeout=0):
                    continue
            except Timeout:
                found.update(names)
    return frozenset(found)


def _clear(home: Path) -> None:
    for lock in home.glob("run-*.lock"):
        try:
            with FileLock(lock, timeout=0):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
        except (Timeout, OSError):
            continue
        _remove(lock)
    # Killed between its lock's end and its folder's: a run that is at work has its lock there.
    for folder in home.glob("run-*"):
        if folder.is_dir() and not folder.with_suffix(".lock").exists() and _age(folder) > _DAY:
            shutil.rmtree(folder, ignore_errors=True)


def _age(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0


def _remove(lock: Path) -> None:
    with contextlib.suppress(OSError):
        lock.unlink()
