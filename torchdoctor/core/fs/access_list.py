"""Who else may write to a file by its access list (a POSIX ACL), which its mode does not show.

The format: https://github.com/torvalds/linux/blob/v6.12/include/uapi/linux/posix_acl_xattr.h
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Writers", "listed_writers"]

_ATTRIBUTE = "system.posix_acl_access"
_VERSION = 2
_HEADER, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_WRITE = 2
# https://github.com/torvalds/linux/blob/v6.12/include/uapi/linux/posix_acl.h
_USER, _OWN_GROUP, _GROUP, _MASK = 0x02, 0x04, 0x08, 0x10


@dataclass(frozen=True, slots=True)
class Writers:
    """Ids of users and groups besides the owner that may write; `own_group` is the group that the file has."""

    users: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    own_group: bool = False


def listed_writers(path: Path) -> Writers | None:
    """Return who may write by the access list of `path`; None where it has none, or the system knows none."""
    if not hasattr(os, "getxattr"):
        return None
    try:
        content = os.getxattr(path, _ATTRIBUTE, follow_symlinks=False)
    except OSError:
        return None
    if len(content) < _HEADER.size or _HEADER.unpack_from(content)[0] != _VERSION:
        return None
    whole = len(content) - (len(content) - _HEADER.size) % _ENTRY.size
    entries = [*_ENTRY.iter_unpack(content[_HEADER.size : whole])]
    # Without a mask, nothing is taken from what the entries give.
    mask = next((rights for tag, rights, _ in entries if tag == _MASK), _WRITE)
    writing = [(tag, number) for tag, rights, number in entries if rights & mask & _WRITE]
    return Writers(
        users=tuple(number for tag, number in writing if tag == _USER),
        groups=tuple(number for tag, number in writing if tag == _GROUP),
        own_group=any(tag == _OWN_GROUP for tag, _ in writing),
    )
