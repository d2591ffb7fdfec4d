"""How many of something, in words: one package, several packages."""

from __future__ import annotations

from torchdoctor.core.i18n.messages import Message, message, plural

__all__ = ["cores", "files", "folders", "packages", "ranks", "threads"]


def cores(count: int) -> Message:
    """So many cores of a processor."""
    return plural(count, message("1 core"), message("{count} cores", count=count))


def files(count: int) -> Message:
    """So many files."""
    return plural(count, message("1 file"), message("{count} files", count=count))


def folders(count: int) -> Message:
    """So many folders."""
    return plural(count, message("1 folder"), message("{count} folders", count=count))


def packages(count: int) -> Message:
    """So many packages."""
    return plural(count, message("1 package"), message("{count} packages", count=count))


def ranks(count: int) -> Message:
    """So many processes of one run."""
    return plural(count, message("1 rank"), message("{count} ranks", count=count))


def threads(count: int) -> Message:
    """So many threads."""
    return plural(count, message("1 thread"), message("{count} threads", count=count))
