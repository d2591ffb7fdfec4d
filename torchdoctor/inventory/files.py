"""The only module of the inventory that reads files: all reads are bounded, and only regular files are opened."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular, regular_descriptor
from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from wheels_index.binary import FileReader

__all__ = [
    "ENTRIES",
    "TEXT",
    "Entries",
    "entries",
    "exists",
    "head",
    "is_filled",
    "open_reader",
    "read_text",
    "size_of",
    "time_of",
]

# A site-packages folder of a large environment has about 1,500 entries.
ENTRIES = 20_000
TEXT = 256 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Entries:
    """The names in a folder, sorted; `problem` says why some or all of them are missing."""

    names: tuple[str, ...]
    problem: str | None = None


def entries(folder: str, *, limit: int = ENTRIES) -> Entries:
    """Return the first `limit` names in a folder; none for a file, such as an egg or a zip on the path."""
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
        return Entries(names=())
    except (OSError, ValueError) as error:
        return Entries(names=tuple(sorted(names)), problem=f"{folder}: {_why(error)}")
    return Entries(names=tuple(sorted(names)))


def exists(path: str) -> bool:
    """Tell whether something exists at `path` and may be looked at."""
    try:
        os.stat(path)  # noqa: PTH116  (thousands of these are asked; a Path each costs more than the call)
    except (OSError, ValueError):
        return False
    return True


def is_filled(path: str) -> bool:
    """Tell whether a regular file with something in it exists at `path`."""
    try:
        return bool(size_of(path))
    except (OSError, ValueError):
        return False


def size_of(path: str) -> int | None:
    """Return the size of a regular file in bytes; None for anything else.

    Raises `OSError` when it is missing or unreadable, `ValueError` for a path that cannot exist.
    """
    facts = os.stat(path)  # noqa: PTH116
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def time_of(path: str) -> float | None:
    """Return when a file or folder was last changed, in seconds since 1970; None when it cannot be read."""
    try:
        return os.stat(path).st_mtime  # noqa: PTH116
    except (OSError, ValueError):
        return None


def head(path: str, limit: int) -> bytes | None:
    """Return the first `limit` bytes of a regular file; None for anything else, or when it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(limit)
    except (OSError, ValueError):
        return None


def open_reader(path: str) -> FileReader | None:
    """Open a regular file to be read in pieces; None for anything else, or when it cannot be read."""
    from wheels_index.binary import FileReader

    try:
        return FileReader(regular_descriptor(path))
    except (OSError, ValueError):
        return None


def read_text(path: str, *, limit: int = TEXT) -> str | None:
    """Return the first `limit` bytes of a text file, invalid UTF-8 replaced; None when it cannot be read."""
    raw = head(path, limit)
    return None if raw is None else raw.decode("utf-8", "replace")


def _why(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
