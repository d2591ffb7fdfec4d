"""The headers of a PE file: which libraries a DLL or extension module of Windows imports.

https://learn.microsoft.com/windows/win32/debug/pe-format
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from wheels_index.binary.reader import Damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheels_index.binary.reader import Reader

__all__ = ["PE_MAGIC", "PeFile", "read_pe"]

PE_MAGIC = b"MZ"
_MACHINES = {0x14C: "i686", 0x8664: "x86_64", 0xAA64: "arm64", 0xA641: "arm64ec"}
_MAX_SECTIONS = 96  # what Windows loads
_MAX_IMPORTS = 1024
_MAX_NAME_BYTES = 256
_IMPORTS, _DELAYED = 1, 13  # numbers of the data directories


class _Section(NamedTuple):
    name: str
    address: int
    size: int
    offset: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PeFile:
    """A DLL: `needed` must be there when it is loaded, `delayed` when something of them is used."""

    machine: str
    needed: tuple[str, ...]
    delayed: tuple[str, ...]
    sections: tuple[_Section, ...]


def read_pe(reader: Reader) -> PeFile:
    """Read the headers and the imports of a PE file; raises `Damaged` where it is none."""
    head = reader.read_at(0, min(64, reader.size))
    if not head.startswith(PE_MAGIC) or len(head) < 64:  # noqa: PLR2004
        raise Damaged("it is no PE file")
    (start,) = struct.unpack_from("<I", head, 60)
    coff = reader.read_at(start, 24)
    if coff[:4] != b"PE\0\0":
        raise Damaged("it is no PE file")
    machine, count = struct.unpack_from("<HH", coff, 4)
    (optional_size,) = struct.unpack_from("<H", coff, 20)
    if count > _MAX_SECTIONS:
        raise Damaged(f"it has {count} sections")
    optional = reader.read_at(start + 24, optional_size)
    table = reader.read_at(start + 24 + optional_size, count * 40)
    sections = tuple(_sections(table))
    imports, delayed = (_directory(optional, number) for number in (_IMPORTS, _DELAYED))
    return PeFile(
        machine=_MACHINES.get(machine, f"machine {machine:#x}"),
        needed=tuple(_imported(reader, sections, imports, step=20, name_at=12)),
        delayed=tuple(_imported(reader, sections, delayed, step=32, name_at=4)),
        sections=sections,
    )


def _sections(table: bytes) -> Iterator[_Section]:
    for name, virtual_size, address, size, offset in struct.iter_unpack("<8sIIII16x", table):
        yield _Section(name.rstrip(b"\0").decode("latin-1"), address, max(virtual_size, size), offset)


def _directory(optional: bytes, number: int) -> int:
    """Return the address of a data directory; 0 where there is none."""
    magic = optional[:2]
    start = {b"\x0b\x01": 96, b"\x0b\x02": 112}.get(magic)
    if start is None:
        raise Damaged("its optional header is of an unknown kind")
    place = start + number * 8
    if place + 8 > len(optional):
        return 0
    return int(struct.unpack_from("<I", optional, place)[0])


def _imported(
    reader: Reader, sections: tuple[_Section, ...], address: int, *, step: int, name_at: int
) -> Iterator[str]:
    """Yield the names of the libraries of a table of imports."""
    if not address:
        return
    place = _offset_of(sections, address)
    for index in range(_MAX_IMPORTS):
        row = reader.read_at(place + index * step, step)
        (name,) = struct.unpack_from("<I", row, name_at)
        if not name:
            return
        yield _text(reader, _offset_of(sections, name))
    raise Damaged(f"it imports more than {_MAX_IMPORTS} libraries")


def _offset_of(sections: tuple[_Section, ...], address: int) -> int:
    for section in sections:
        if section.address <= address < section.address + section.size:
            return section.offset + address - section.address
    raise Damaged(f"no section is loaded to {address:#x}")


def _text(reader: Reader, offset: int) -> str:
    content = reader.read_at(offset, min(_MAX_NAME_BYTES, max(0, reader.size - offset)))
    text, zero, _ = content.partition(b"\0")
    if not zero or not text:
        raise Damaged("the name of a library has no end")
    return text.decode("utf-8", "replace")
