"""Mounts and their file systems: where a path lies, whether it may be written and run from, and what is left there."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["Mount", "is_writable", "mount_of", "parse_mounts", "room_left"]

_ESCAPED = re.compile(r"\\([0-7]{3})")
_MAX_MOUNTS = 4096
_MAX_BYTES = 1024 * 1024
_FIELDS_COUNT = 4
_MIB = 1024 * 1024


class Mount(NamedTuple):
    """A line of /proc/self/mounts: where it is, and its options."""

    place: str
    options: tuple[str, ...]


def mount_of(path: str, root: Path = Path("/")) -> Mount:
    """Return the mount that holds the path, by the longest place that it begins with; `/` where none is known."""
    real = os.path.realpath(path)
    best = Mount("/", ())
    for mount in _mounts(root):
        inside = real == mount.place or real.startswith(mount.place.rstrip("/") + "/")
        if inside and len(mount.place) >= len(best.place):
            best = mount
    return best


def parse_mounts(text: str) -> list[Mount]:
    """Return the mounts of /proc/self/mounts in order; a later one hides an earlier one of the same place."""
    found = []
    for line in text.splitlines()[:_MAX_MOUNTS]:
        parts = line.split(" ")
        if len(parts) >= _FIELDS_COUNT and parts[1].startswith("/"):
            place = _ESCAPED.sub(lambda match: chr(int(match.group(1), 8)), parts[1])
            found.append(Mount(place, tuple(parts[3].split(","))))
    return found


def is_writable(path: str) -> bool:
    """Return whether this user may write a file, or make one where it is not there."""
    return os.access(_existing(path), os.W_OK)


def room_left(path: str) -> str | None:
    """Return what is used up, or how much is left, where the path lies; None where the system does not say."""
    folder = _existing(path)
    try:
        seen = os.statvfs(folder)
    except (OSError, AttributeError):
        return None
    place = mount_of(str(folder)).place
    if seen.f_files and not seen.f_favail:
        return f"{place} has no free inodes"
    return f"{place} has {seen.f_bavail * seen.f_frsize // _MIB} MiB free"


def _existing(path: str) -> Path:
    folder = Path(path)
    while not os.path.exists(folder) and folder.parent != folder:  # noqa: PTH110  # Path's raises where none may enter
        folder = folder.parent
    return folder


def _mounts(root: Path) -> list[Mount]:
    try:
        with (root / "proc/self/mounts").open(encoding="utf-8", errors="replace") as file:
            return parse_mounts(file.read(_MAX_BYTES))
    except OSError:
        return []
