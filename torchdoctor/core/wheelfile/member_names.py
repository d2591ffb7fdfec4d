"""The names of a wheel and in it: which may be used as paths, on this system or on another one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from zipfile import ZipInfo

__all__ = ["device_name", "is_safe_wheel_name", "wrong_name"]

# https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(
    r"(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE
)
_WHEEL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]{0,250}\.whl")
# Of the wheels of 881 projects, looked at on 2026-12-01, the longest name has 238 bytes and the deepest 15 folders.
# A path as a whole has 4,096 bytes on Linux and 1,024 on macOS, and each of its names 255.
_MOST_BYTES, _MOST_FOLDERS, _MOST_BYTES_OF_A_PART = 768, 64, 255
_NO_NAME = re.compile(r"[\x00-\x1f\\]")
# An empty part, one that begins like a device or with a dot, one that ends in a dot or a blank, a colon.
_TO_LOOK_AT = re.compile(r"(^|/)(\.|/|con|prn|aux|nul|com|lpt)|[. ](/|$)|:", re.IGNORECASE)


def device_name(part: str) -> bool:
    """Whether Windows takes this part of a path for a device, such as `NUL` or `aux.py`."""
    return _DEVICE.fullmatch(part) is not None


def is_safe_wheel_name(name: str) -> bool:
    """Tell whether `name`, which comes from elsewhere, is that of a wheel and names nothing outside its folder."""
    return _WHEEL_NAME.fullmatch(name) is not None


def wrong_name(member: ZipInfo) -> str | None:
    """What is wrong with a member's name; None for a plain relative one."""
    name = member.filename
    # `orig_filename` is what stands in the archive; zipfile cuts at a NUL and turns the system's separators.
    if "\0" in member.orig_filename or _NO_NAME.search(name):
        return message("has a name with characters that are none of a name")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return message("has an absolute name")
    if len(name) > _MOST_BYTES_OF_A_PART // 4 and (why := _too_long(name)) is not None:
        return why
    # Nearly every name is plain, and torch has 12,000.
    if _TO_LOOK_AT.search(name) and (why := _wrong_part(name.rstrip("/").split("/"))) is not None:
        return why
    return None


def _too_long(name: str) -> str | None:
    parts = name.encode("utf-8", "surrogatepass").split(b"/")
    if len(parts) > _MOST_FOLDERS + 1:
        return message("lies in {count} folders, one in another", count=len(parts) - 1)
    if sum(map(len, parts)) + len(parts) > _MOST_BYTES or max(map(len, parts)) > _MOST_BYTES_OF_A_PART:
        return message("has a name that is too long for a path")
    return None


def _wrong_part(parts: list[str]) -> str | None:
    if any(part in ("", ".", "..") for part in parts):
        return message("has a name that leads out of its folder")
    if any(device_name(part) for part in parts):
        return message("is named as a device of Windows")
    if any(part.endswith((".", " ")) or ":" in part for part in parts):
        return message("has a name that Windows takes for another one")
    return None
