"""The cache of wheels: complete files under their hashes, and partial files of downloads that were interrupted."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs import cached_files_in_use
from torchdoctor.core.i18n import message
from torchdoctor.errors import SourceFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "CacheContents",
    "CachedWheel",
    "CleanedCache",
    "PartialDownload",
    "cache_contents",
    "cached_path",
    "clean_cache",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedWheel:
    """A complete wheel in the cache."""

    path: Path
    size: int  # bytes
    fetched: float  # seconds since 1970


@dataclass(frozen=True, kw_only=True, slots=True)
class PartialDownload:
    """A partial file and its journal."""

    key: str
    paths: tuple[Path, ...]
    size: int  # bytes that both take on the disk
    touched: float  # seconds since 1970


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheContents:
    """Everything in the cache, the largest first."""

    files: tuple[CachedWheel, ...]
    parts: tuple[PartialDownload, ...]

    @property
    def size(self) -> int:
        """Bytes of all."""
        return sum(file.size for file in self.files) + sum(part.size for part in self.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanedCache:
    """What was removed: the number of files and partial files, and their bytes.

    `busy` are the names of those that could not be removed: another process uses them, or the system refused.
    """

    files: int
    parts: int
    size: int
    busy: tuple[str, ...]


def cached_path(cache: Path, sha256: str, filename: str) -> Path:
    """Return where the cache keeps a wheel."""
    return cache / sha256[:2] / sha256 / filename


def cache_contents(cache: Path) -> CacheContents:
    """Read what the cache of wheels at `cache` holds; one that does not exist holds nothing."""
    files = sorted(_files(cache), key=lambda file: -file.size)
    parts = sorted(_parts(cache / "partial"), key=lambda part: -part.size)
    return CacheContents(files=tuple(files), parts=tuple(parts))


def _files(cache: Path) -> Iterator[CachedWheel]:
    for path in cache.glob("[0-9a-f][0-9a-f]/*/*.whl"):
        if path.parent.is_symlink() or path.parent.parent.is_symlink():
            continue  # what lies there is not the cache's
        with contextlib.suppress(OSError):
            status = path.lstat()
            yield CachedWheel(path=path, size=status.st_size, fetched=status.st_mtime)


def _parts(folder: Path) -> Iterator[PartialDownload]:
    paths_of: dict[str, list[Path]] = {}
    for path in () if folder.is_symlink() else folder.glob("*"):
        if path.suffix in (".part", ".journal", ".whole"):
            paths_of.setdefault(path.stem, []).append(path)
    for key, paths in paths_of.items():
        with contextlib.suppress(OSError):
            statuses = [path.lstat() for path in paths]
            yield PartialDownload(
                key=key,
                paths=tuple(paths),
                size=sum(map(_bytes_on_disk, statuses)),
                touched=max(status.st_mtime for status in statuses),
            )


def _bytes_on_disk(status: os.stat_result) -> int:
    return min(status.st_size, getattr(status, "st_blocks", status.st_size) * 512)


def clean_cache(cache: Path, *, parts_only: bool = False, older_than: float = 0.0) -> CleanedCache:
    """Remove what was fetched or begun more than `older_than` seconds ago, except what a running process relies on.

    Raises `SourceFailed` when the cache is not writable.
    """
    before = time.time() - older_than
    contents = cache_contents(cache)
    parts = [part for part in contents.parts if not older_than or part.touched <= before]
    files = [file for file in contents.files if not older_than or file.fetched <= before]
    removed_parts = [part for part in parts if _remove_part(cache / "partial", part)]
    removed_files = [file for file in files if _remove_file(cache, file)] if not parts_only else []
    busy = [part.key for part in parts if part not in removed_parts]
    if not parts_only:
        busy += [file.path.name for file in files if file not in removed_files]
    return CleanedCache(
        files=len(removed_files),
        parts=len(removed_parts),
        size=sum(file.size for file in removed_files) + sum(part.size for part in removed_parts),
        busy=tuple(busy),
    )


def _remove_part(folder: Path, part: PartialDownload) -> bool:
    """Remove a partial download unless a process holds its lock; return whether it was removed."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / f"{part.key}.lock")
    try:
        with lock.acquire(timeout=0):
            for path in part.paths:
                path.unlink(missing_ok=True)
    except Timeout:
        return False
    except OSError as error:
        _refuse_unwritable(folder, error)
        return False
    return True


def _remove_file(cache: Path, file: CachedWheel) -> bool:
    """Remove a wheel unless a process relies on it; return whether it was removed."""
    # Read again for each file: a process may have started meanwhile.
    if file.path.name in cached_files_in_use(cache.parent):
        return False
    try:
        file.path.unlink(missing_ok=True)
    except OSError as error:
        _refuse_unwritable(cache, error)
        return False
    _remove_empty_folders(file.path.parent, cache)
    return True


def _refuse_unwritable(cache: Path, error: OSError) -> None:
    if not os.access(cache, os.W_OK):
        raise SourceFailed(
            message(
                "the cache {cache} cannot be written to: {strerror}", cache=cache, strerror=error.strerror
            ),
            fix=message("run it as the user whose cache it is"),
            code="cache",
        ) from error


def _remove_empty_folders(folder: Path, cache: Path) -> None:
    """Remove `folder` and its parents up to the cache, as far as they are empty."""
    with contextlib.suppress(OSError):
        while folder != cache:
            folder.rmdir()
            folder = folder.parent
