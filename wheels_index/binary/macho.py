"""The headers of a Mach-O file: what a library of macOS needs, and for which macOS and processors it is.

https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h and fat.h
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheels_index.binary.reader import Damaged, Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheels_index.binary.reader import Reader

__all__ = ["MACHO_MAGICS", "MachoFile", "read_macho"]

_FAT, _FAT64 = b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"
_ORDERS = {
    b"\xcf\xfa\xed\xfe": ("<", 32), b"\xce\xfa\xed\xfe": ("<", 28),
    b"\xfe\xed\xfa\xcf": (">", 32), b"\xfe\xed\xfa\xce": (">", 28),
}  # fmt: skip
MACHO_MAGICS = (*_ORDERS, _FAT, _FAT64)
_MACHINES = {7: "i686", 0x01000007: "x86_64", 12: "arm", 0x0100000C: "arm64"}
_MAX_SLICES = 16
_MAX_COMMANDS = 4096
_MAX_COMMAND_BYTES = 1 << 20
# LOAD_DYLIB, LOAD_WEAK_DYLIB, REEXPORT_DYLIB, LOAD_UPWARD_DYLIB
_LOADS = frozenset({0xC, 0x80000018, 0x8000001F, 0x80000023})
_WEAK = 0x80000018
_ID, _RPATH, _VERSION_MIN, _BUILD_VERSION = 0xD, 0x8000001C, 0x24, 0x32
_MACOS = 1  # the platform of LC_BUILD_VERSION


@dataclass(frozen=True, kw_only=True, slots=True)
class MachoFile:
    """A library for one processor."""

    machine: str
    needed: tuple[str, ...]
    optional: tuple[str, ...]  # may be missing
    name: str | None
    search_path: tuple[str, ...]
    minimum_macos: str | None


def read_macho(reader: Reader) -> tuple[MachoFile, ...]:
    """Read the headers for each processor that it is for; raises `Damaged` where it is no Mach-O file."""
    magic = reader.read_at(0, min(4, reader.size))
    if magic in _ORDERS:
        return (_slice(reader),)
    if magic not in (_FAT, _FAT64):
        raise Damaged("it is no Mach-O file")
    (count,) = struct.unpack(">I", reader.read_at(4, 4))
    if not 0 < count <= _MAX_SLICES:  # a class file of Java begins with the same bytes, and a larger number
        raise Damaged("it is no Mach-O file")
    layout = struct.Struct(">5I" if magic == _FAT else ">2I2Q2I")
    rows = layout.iter_unpack(reader.read_at(8, count * layout.size))
    return tuple(_slice(Region(reader, row[2], row[3])) for row in rows)


def _slice(reader: Reader) -> MachoFile:
    head = reader.read_at(0, min(28, reader.size))
    if head[:4] not in _ORDERS or len(head) < 28:  # noqa: PLR2004
        raise Damaged("a part of it is no Mach-O file")
    order, start = _ORDERS[head[:4]]
    (machine,) = struct.unpack_from(f"{order}I", head, 4)
    count, size = struct.unpack_from(f"{order}II", head, 16)
    if count > _MAX_COMMANDS or size > _MAX_COMMAND_BYTES:
        raise Damaged(f"it has {count} load commands of {size} bytes")
    commands = list(_commands(reader.read_at(start, size), order, count))
    loads = [(kind, _text(body, order)) for kind, body in commands if kind in _LOADS]
    return MachoFile(
        machine=_MACHINES.get(machine, f"machine {machine:#x}"),
        needed=tuple(name for kind, name in loads if kind != _WEAK),
        optional=tuple(name for kind, name in loads if kind == _WEAK),
        name=next((_text(body, order) for kind, body in commands if kind == _ID), None),
        search_path=tuple(_text(body, order) for kind, body in commands if kind == _RPATH),
        minimum_macos=next(filter(None, (_minimum(kind, body, order) for kind, body in commands)), None),
    )


def _commands(content: bytes, order: str, count: int) -> Iterator[tuple[int, bytes]]:
    place = 0
    for _ in range(count):
        if place + 8 > len(content):
            raise Damaged("its load commands are cut")
        kind, size = struct.unpack_from(f"{order}II", content, place)
        if size < 8 or place + size > len(content):  # noqa: PLR2004
            raise Damaged("one of its load commands is of no size that can be")
        yield kind, content[place : place + size]
        place += size


def _text(body: bytes, order: str) -> str:
    """The text of a command, at the place that the command names."""
    start = int.from_bytes(body[8:12], "little" if order == "<" else "big")
    if not 12 <= start <= len(body):  # noqa: PLR2004
        raise Damaged("the name of a library lies outside of its command")
    return body[start:].partition(b"\0")[0].decode("utf-8", "replace")


def _minimum(kind: int, body: bytes, order: str) -> str | None:
    if kind == _VERSION_MIN and len(body) >= 12:  # noqa: PLR2004
        (version,) = struct.unpack_from(f"{order}I", body, 8)
    elif kind == _BUILD_VERSION and len(body) >= 16:  # noqa: PLR2004
        platform, version = struct.unpack_from(f"{order}II", body, 8)
        if platform != _MACOS:
            return None
    else:
        return None
    return f"{version >> 16}.{version >> 8 & 255}"
