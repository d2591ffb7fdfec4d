"""The one place where the inventory touches files: everything bounded, nothing raised, only regular files opened."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from torchdoctor.core.i18n.messages import message

__all__ = ["ENTRIES", "TEXT", "Entries", "entries", "exists", "head", "read_text", "size_of", "time_of"]

# A site-packages folder of a large environment has about 1,500 entries.
ENTRIES = 20_000
TEXT = 256 * 1024
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entries:
    """The names in a folder, sorted; `problem` says why some or all of them are not here."""

    names: tuple[str, ...]
    problem: str | None = None


def entries(folder: str, *, limit: int = ENTRIES) -> Entries:
    """The first `limit` names in a folder."""
    names: list[str] = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                if len(names) == limit:
                    return Entries(
                        names=tuple(sorted(names)),
                        problem=message(
                            "{folder} has more than {limit:,} entries", folder=folder, limit=limit
                        ),
                    )
                names.append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        # An egg or a zip on the path is a file.
        return Entries(names=())
    except (OSError, ValueError) as error:
        return Entries(names=tuple(sorted(names)), problem=f"{folder}: {_why(error)}")
    return Entries(names=tuple(sorted(names)))


def exists(path: str) -> bool:
    """Whether something is at `path` that we may look at."""
    try:
        os.stat(path)  # noqa: PTH116  (thousands of these are asked; a Path each costs more than the call)
    except (OSError, ValueError):
        return False
    return True


def size_of(path: str) -> int | None:
    """The size of a regular file in bytes; None for anything else. Raises `OSError` when it cannot be told."""
    facts = os.stat(path)  # noqa: PTH116
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def time_of(path: str) -> float | None:
    """When a file or folder was changed last, in seconds since 1970."""
    try:
        return os.stat(path).st_mtime  # noqa: PTH116
    except (OSError, ValueError):
        return None


def head(path: str, limit: int) -> bytes | None:
    """The first `limit` bytes of a regular file; None when it is none or cannot be read."""
    try:
        number = os.open(path, _OPEN)
    except (OSError, ValueError):
        return None
    try:
        # A pipe or a device would never end.
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return None
        with os.fdopen(number, "rb", closefd=False) as file:
            return file.read(limit)
    except OSError:
        return None
    finally:
        os.close(number)


def read_text(path: str, *, limit: int = TEXT) -> str | None:
    """The beginning of a text file; bytes that are no UTF-8 are replaced."""
    raw = head(path, limit)
    return None if raw is None else raw.decode("utf-8", "replace")


def _why(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
