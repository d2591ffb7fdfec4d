"""What a wheel's own checksums say: where a damaged one is damaged, and whether it may be unpacked at all.

A wheel is a zip: each member has a CRC-32 in the directory at its end, so wrong bytes can be told from right
ones without the file's digest. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Damage", "Member", "check_member", "directory_start", "members", "unsafe"]

_PIECE = 1 << 16
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_RATIO, _FREE = 200, 1 << 30  # a wheel may unpack to a GiB, or to 200 times its size
_SYMLINK = 0o120000
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A member with its place in the file: its header and data lie from `start` to before `end`."""

    info: zipfile.ZipInfo
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """Wrong bytes lie from `start` on and before `end`; `near` is where reading failed, when it did before the end."""

    start: int
    end: int
    near: int | None = None


def members(path: Path) -> tuple[Member, ...] | None:
    """The members by their place in the file; None when the directory cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = sorted(archive.infolist(), key=lambda row: row.header_offset)
            ends = [*(row.header_offset for row in infos[1:]), archive.start_dir]
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, struct.error):
        return None
    return tuple(
        Member(info=info, start=info.header_offset, end=max(end, info.header_offset))
        for info, end in zip(infos, ends, strict=False)
    )


def directory_start(path: Path) -> int | None:
    """The first byte of the directory; None when it cannot be read."""
    found = members(path)
    return None if found is None else max((row.end for row in found), default=0)


def check_member(file: IO[bytes], member: Member) -> Damage | None:
    """Where a member is damaged; None when its bytes are those that its checksum was made of.

    A method other than stored and deflate cannot be judged, and passes.
    """
    everywhere = Damage(start=member.start, end=member.end)
    file.seek(member.start)
    head = file.read(_LOCAL_HEADER.size)
    if len(head) < _LOCAL_HEADER.size:
        return everywhere
    signature, _, flags, method, *_, name_length, extra_length = _LOCAL_HEADER.unpack(head)
    info = member.info
    name = file.read(name_length)
    header = Damage(start=member.start, end=member.start + 1, near=member.start)
    if signature != b"PK\x03\x04" or method != info.compress_type:
        return header
    if name != info.orig_filename.encode("utf-8" if flags & 0x800 else "cp437", "replace"):
        return header
    data = member.start + _LOCAL_HEADER.size + name_length + extra_length
    if data + info.compress_size > member.end:
        return header
    file.seek(data)
    if method == zipfile.ZIP_STORED:
        return _check_stored(file, member, data)
    return _check_deflated(file, member, data) if method == zipfile.ZIP_DEFLATED else None


def _pieces(file: IO[bytes], count: int) -> Iterator[bytes]:
    while count > 0 and (piece := file.read(min(_PIECE, count))):
        count -= len(piece)
        yield piece


def _check_stored(file: IO[bytes], member: Member, data: int) -> Damage | None:
    check = 0
    for piece in _pieces(file, member.info.compress_size):
        check = zlib.crc32(piece, check)
    return None if check == member.info.CRC else Damage(start=data, end=member.end)


def _check_deflated(file: IO[bytes], member: Member, data: int) -> Damage | None:
    """Inflate it; where that fails, the wrong bytes lie before the place that was reached."""
    inflate, check, count, place = zlib.decompressobj(-15), 0, 0, data
    try:
        for piece in _pieces(file, member.info.compress_size):
            place += len(piece)
            text = inflate.decompress(piece, _PIECE)
            while text:
                check, count = zlib.crc32(text, check), count + len(text)
                if count > member.info.file_size:
                    return Damage(start=data, end=place, near=place - 1)
                text = inflate.decompress(inflate.unconsumed_tail, _PIECE)
            if inflate.eof:
                break
    except zlib.error:
        return Damage(start=data, end=place, near=place - 1)
    if inflate.eof and place < data + member.info.compress_size:
        return Damage(start=data, end=place, near=place - 1)
    if count == member.info.file_size and check == member.info.CRC:
        return None
    return Damage(start=data, end=member.end)


def unsafe(found: Iterable[Member], size: int, *, foldable: bool) -> str | None:
    """Why a wheel must not be unpacked: a name that leads out of its folder, or a bomb; None when it may.

    `foldable` names are for a system that folds case and keeps device names, as Windows does: two members
    must not be one file there.
    """
    seen: dict[str, str] = {}
    unpacked = 0
    for member in found:
        name = member.info.filename
        why = _unsafe_name(member.info.orig_filename) or _unsafe_name(name)
        if why is None and foldable:
            why = _unsafe_on_windows(name)
        if why is None and member.info.external_attr >> 16 & 0o170000 == _SYMLINK:
            why = "is a link"
        key = name.casefold() if foldable else name
        if why is None and key in seen:
            why = f"is there twice, the other time as {seen[key][:200]!r}"
        seen[key] = name
        if why is not None:
            return f"its member {name[:200]!r} {why}"
        unpacked += member.info.file_size
    if unpacked > max(_FREE, _RATIO * size):
        return f"it would unpack to {unpacked / 1e9:.0f} GB from {size / 1e6:.1f} MB"
    return None


def _unsafe_name(name: str) -> str | None:
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or "\\" in name or re.match("[A-Za-z]:", name) or not name:
        return "has an absolute path"
    if any(part in ("", ".", "..") for part in parts):
        return "leads out of its folder"
    if any(ord(letter) < ord(" ") for letter in name):
        return "has a character that no file name may have"
    return None


def _unsafe_on_windows(name: str) -> str | None:
    parts = name.rstrip("/").split("/")
    if any(letter in '<>:"|?*' for letter in name):
        return "has a character that no file name may have"
    if any(_DEVICE.fullmatch(part) or part.endswith((" ", ".")) for part in parts):
        return "is named as a device"
    return None
