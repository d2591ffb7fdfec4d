"""What a wheel's own checksums say: where a damaged one is damaged.

A wheel is a zip: each member has a CRC-32 in the directory at its end, so wrong bytes can be told from right
ones without the file's digest. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Damage", "Member", "check_member", "first_damaged", "members"]

_PIECE = 1 << 16
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


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
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            infos = sorted(archive.infolist(), key=lambda member: member.header_offset)
            ends = [*(member.header_offset for member in infos[1:]), archive.start_dir]
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, struct.error):
        return None
    return tuple(
        Member(info=info, start=info.header_offset, end=max(end, info.header_offset))
        for info, end in zip(infos, ends, strict=False)
    )


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


def first_damaged(path: Path) -> str | None:
    """The name of the first member that is not what its checksum says; None when all are, or none can be read."""
    with open_regular(path) as file:
        return next(
            (member.info.filename for member in members(path) or () if check_member(file, member)), None
        )


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
