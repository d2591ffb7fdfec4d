"""What the cache of wheels holds: whole files under their hashes, and parts of files that did not come whole."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs.run_directories import cached_files_in_use
from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import SourceFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CacheContents", "CachedWheel", "Cleaned", "PartialDownload", "cache_contents", "clean_cache"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedWheel:
    """A whole file: its size in bytes and when it was fetched, in seconds since 1970."""

    path: Path
    size: int
    fetched: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PartialDownload:
    """A part file and its journal; `size` is what they take on the disk."""

    key: str
    paths: tuple[Path, ...]
    size: int
    touched: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheContents:
    """What is there, the largest first."""

    files: tuple[CachedWheel, ...]
    parts: tuple[PartialDownload, ...]

    @property
    def size(self) -> int:
        """Bytes of all."""
        return sum(row.size for row in self.files) + sum(row.size for row in self.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """What was removed, and what could not be because another process is at it or the system refused."""

    files: int
    parts: int
    size: int
    busy: tuple[str, ...]


def cache_contents(cache: Path) -> CacheContents:
    """Look at the cache of wheels at `cache`; one that is not there holds nothing."""
    files = sorted(_files(cache), key=lambda row: -row.size)
    parts = sorted(_parts(cache / "partial"), key=lambda row: -row.size)
    return CacheContents(files=tuple(files), parts=tuple(parts))


def _files(cache: Path) -> Iterator[CachedWheel]:
    for path in cache.glob("[0-9a-f][0-9a-f]/*/*.whl"):
        with contextlib.suppress(OSError):
            status = path.lstat()
            yield CachedWheel(path=path, size=status.st_size, fetched=status.st_mtime)


def _parts(folder: Path) -> Iterator[PartialDownload]:
    found: dict[str, list[Path]] = {}
    for path in folder.glob("*"):
        if path.suffix in (".part", ".journal", ".whole"):
            found.setdefault(path.stem, []).append(path)
    for key, paths in found.items():
        with contextlib.suppress(OSError):
            rows = [path.lstat() for path in paths]
            size = sum(min(row.st_size, getattr(row, "st_blocks", row.st_size) * 512) for row in rows)
            yield PartialDownload(
                key=key, paths=tuple(paths), size=size, touched=max(row.st_mtime for row in rows)
            )


def clean_cache(cache: Path, *, parts_only: bool = False, older_than: float = 0.0) -> Cleaned:
    """Remove what was fetched or begun more than `older_than` seconds ago; what a run at work now relies on stays.

    Raises `SourceFailed` when the cache cannot be written to at all.
    """
    before = time.time() - older_than
    there = cache_contents(cache)
    gone_files, gone_parts, size, busy = 0, 0, 0, []
    for part in there.parts:
        if part.touched > before and older_than:
            continue
        if _remove_part(cache / "partial", part):
            gone_parts, size = gone_parts + 1, size + part.size
        else:
            busy.append(part.key)
    for file in () if parts_only else there.files:
        if file.fetched > before and older_than:
            continue
        # Asked for each anew: a run may begin meanwhile.
        if file.path.name in cached_files_in_use(cache.parent):
            busy.append(file.path.name)
            continue
        try:
            file.path.unlink(missing_ok=True)
        except OSError as error:
            _refuse_read_only(cache, error)
            busy.append(file.path.name)
            continue
        _prune(file.path.parent, cache)
        gone_files, size = gone_files + 1, size + file.size
    return Cleaned(files=gone_files, parts=gone_parts, size=size, busy=tuple(busy))


def _refuse_read_only(cache: Path, error: OSError) -> None:
    if not os.access(cache, os.W_OK):
        raise SourceFailed(
            message(
                "the cache {cache} cannot be written to: {strerror}", cache=cache, strerror=error.strerror
            ),
            fix=message("run it as the user whose cache it is"),
            code="cache",
        ) from error


def _remove_part(folder: Path, part: PartialDownload) -> bool:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / f"{part.key}.lock")
    try:
        with lock.acquire(timeout=0):
            for path in part.paths:
                path.unlink(missing_ok=True)
    except Timeout:
        return False
    except OSError as error:
        _refuse_read_only(folder, error)
        return False
    return True


def _prune(folder: Path, cache: Path) -> None:
    """Remove folders that are empty now, up to the cache itself."""
    with contextlib.suppress(OSError):
        while folder != cache:
            folder.rmdir()
            folder = folder.parent
