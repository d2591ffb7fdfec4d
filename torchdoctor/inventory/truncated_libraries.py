"""Whether a shared library is truncated: its size against the size that its headers need."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from torchdoctor.inventory import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["HEADER", "promised_size", "truncated"]

# Bytes that are read of each library; one whose headers do not fit into them is not judged.
HEADER = 4096
_ELF, _PE, _MACHO64 = b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe"
_MAGIC = 4
_SEGMENT64 = 0x19
_LOAD = 1


def truncated(paths: Iterable[str]) -> Iterator[str]:
    """Yield those of the libraries that are empty, begin with nothing, or are shorter than their own headers need.

    A file whose room was taken before the power or the disk went is of the right size, and full of zeros.
    """
    for path in paths:
        begin = files.head(path, HEADER)
        if begin is None:
            continue
        try:
            size = files.size_of(path)
        except OSError:
            continue
        if size is None:
            continue
        if size < max(_MAGIC, promised_size(begin) or 0) or not begin.strip(b"\0"):
            yield path


def promised_size(begin: bytes) -> int | None:
    """Return the smallest size in bytes that a library with these first bytes can have; None for unknown formats.

    ELF: https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.pheader.html, PE: https://learn.microsoft.com/
    windows/win32/debug/pe-format, Mach-O: mach-o/loader.h.
    """
    try:
        if begin.startswith(_ELF):
            return _elf(begin)
        if begin.startswith(_PE):
            return _pe(begin)
        if begin.startswith(_MACHO64):
            return _macho(begin)
    except (struct.error, OverflowError):
        # The headers themselves are truncated: no library is shorter than this block.
        return HEADER if len(begin) < HEADER else None
    return None


def _elf(begin: bytes) -> int:
    """The end of the last segment that is loaded."""
    wide, order = begin[4:5] == b"\x02", ">" if begin[5:6] == b"\x02" else "<"
    start = (
        struct.unpack_from(f"{order}Q", begin, 32)[0]
        if wide
        else struct.unpack_from(f"{order}I", begin, 28)[0]
    )
    each, count = struct.unpack_from(f"{order}HH", begin, 54 if wide else 42)
    ends = [0]
    for place in range(start, start + each * count, each) if each else ():
        if wide:
            kind, _, offset, _, _, size = struct.unpack_from(f"{order}IIQQQQ", begin, place)
        else:
            kind, offset, _, _, size = struct.unpack_from(f"{order}IIIII", begin, place)
        if kind == _LOAD:
            ends.append(offset + size)
    return max(ends)


def _pe(begin: bytes) -> int:
    """The end of the last section."""
    (start,) = struct.unpack_from("<I", begin, 0x3C)
    (count,) = struct.unpack_from("<H", begin, start + 6)
    (optional,) = struct.unpack_from("<H", begin, start + 20)
    sections = range(start + 24 + optional, start + 24 + optional + 40 * count, 40)
    return max((sum(struct.unpack_from("<II", begin, section + 16)) for section in sections), default=0)


def _macho(begin: bytes) -> int:
    """The end of the last segment."""
    (count,) = struct.unpack_from("<I", begin, 16)
    place, ends = 32, [0]
    for _ in range(count):
        command, size = struct.unpack_from("<II", begin, place)
        if command == _SEGMENT64:
            offset, length = struct.unpack_from("<QQ", begin, place + 40)
            ends.append(offset + length)
        place += max(8, size)
    return max(ends)
