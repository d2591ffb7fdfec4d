"""The headers of an ELF file: what a shared library of Linux needs, and where its parts lie.

https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, symbol versions:
https://refspecs.linuxbase.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from wheels_index.binary.reader import Damaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheels_index.binary.reader import Reader

__all__ = ["ELF_MAGIC", "ElfFile", "Section", "read_elf"]

ELF_MAGIC = b"\x7fELF"
MACHINES = {
    3: "i686", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "armv7l", 62: "x86_64", 183: "aarch64",
    243: "riscv64", 258: "loongarch64",
}  # fmt: skip
_MAX_SEGMENTS = 256
_MAX_SECTIONS = 4096
_MAX_DYNAMIC_BYTES = 1 << 16
_MAX_NAMES_BYTES = 1 << 20
_MAX_NAME_BYTES = 1 << 10
_MAX_VERSIONS = 4096
_LOAD, _DYNAMIC = 1, 2
_NEEDED, _HASH, _STRTAB, _SYMTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 4, 5, 6, 10, 14, 15, 29
_GNU_HASH, _VERNEED, _VERNEEDNUM = 0x6FFFFEF5, 0x6FFFFFFE, 0x6FFFFFFF


class Section(NamedTuple):
    """A part of the file."""

    offset: int
    size: int


class _Segment(NamedTuple):
    kind: int
    offset: int
    address: int
    size: int


@dataclass(frozen=True)
class ElfFile:
    """A shared library. What is further inside is read when it is asked for, and raises `Damaged` or `NotRead` then."""

    reader: Reader
    wide: bool  # 64 bits
    order: str  # "<" little, ">" big end first
    machine: str
    segments: tuple[_Segment, ...]
    section_table: tuple[int, int, int] = field(
        repr=False
    )  # offset, count, number of the one that holds the names

    @cached_property
    def dynamic(self) -> Mapping[int, tuple[int, ...]]:
        """The values of the dynamic section by their tags; empty for a file that is linked statically."""
        segment = next((segment for segment in self.segments if segment.kind == _DYNAMIC), None)
        values: dict[int, list[int]] = {}
        if segment is None or not segment.size:
            return {}
        layout = struct.Struct(f"{self.order}{'qQ' if self.wide else 'iI'}")
        length = min(segment.size, _MAX_DYNAMIC_BYTES) // layout.size * layout.size
        for tag, value in layout.iter_unpack(self.reader.read_at(segment.offset, length)):
            if tag == 0:
                return {tag: tuple(found) for tag, found in values.items()}
            values.setdefault(tag, []).append(value)
        raise Damaged("its dynamic section has no end")

    @property
    def needed(self) -> tuple[str, ...]:
        """The names of the libraries that it needs."""
        return self._texts(_NEEDED)

    @property
    def soname(self) -> str | None:
        """Its own name."""
        return next(iter(self._texts(_SONAME)), None)

    @property
    def search_path(self) -> tuple[str, ...]:
        """The folders of RUNPATH, or of RPATH where there is none, in which it looks for libraries."""
        texts = self._texts(_RUNPATH) or self._texts(_RPATH)
        return tuple(folder for text in texts for folder in text.split(":") if folder)

    @cached_property
    def needed_versions(self) -> Mapping[str, tuple[str, ...]]:
        """The versions of symbols that it needs, by library: `libc.so.6` -> `GLIBC_2.17`."""
        if _VERNEED not in self.dynamic:
            return {}
        place = self.offset_of(self.dynamic[_VERNEED][0])
        count = self.dynamic.get(_VERNEEDNUM, (0,))[0]
        if count > _MAX_VERSIONS:
            raise Damaged(f"it needs versions of {count} libraries")
        found: dict[str, tuple[str, ...]] = {}
        for _ in range(count):
            _, entries, name, first, following = self._unpack("HHIII", place)
            found[self.dynamic_text(name)] = tuple(self._version_names(place + first, entries))
            if not following:
                break
            place += following
        return found

    def _version_names(self, place: int, count: int) -> Iterator[str]:
        for _ in range(min(count, _MAX_VERSIONS)):
            _, _, _, name, following = self._unpack("IHHII", place)
            yield self.dynamic_text(name)
            if not following:
                return
            place += following

    @cached_property
    def sections(self) -> Mapping[str, Section]:
        """The sections by name; empty where their table was stripped."""
        offset, count, names_number = self.section_table
        if not offset or not 0 < count <= _MAX_SECTIONS or names_number >= count:
            return {}
        layout = struct.Struct(f"{self.order}{'IIQQQQIIQQ' if self.wide else 'IIIIIIIIII'}")
        table = list(layout.iter_unpack(self.reader.read_at(offset, count * layout.size)))
        names = self.reader.read_at(table[names_number][4], min(table[names_number][5], _MAX_NAMES_BYTES))
        return {
            _text(names, row[0]): Section(row[4], row[5])
            for row in table
            if row[0] < len(names) and row[1] != 8  # noqa: PLR2004  (NOBITS takes no bytes of the file)
        }

    def offset_of(self, address: int) -> int:
        """Return the place in the file that is loaded to `address`."""
        for segment in self.segments:
            if segment.kind == _LOAD and segment.address <= address < segment.address + segment.size:
                return segment.offset + address - segment.address
        raise Damaged(f"no segment is loaded to {address:#x}")

    def table_offset(self, tag: int) -> int | None:
        """Return where the table of a tag lies; None where there is none."""
        return self.offset_of(self.dynamic[tag][0]) if tag in self.dynamic else None

    @property
    def symbol_table(self) -> int | None:
        """The place of the dynamic symbols."""
        return self.table_offset(_SYMTAB)

    @property
    def gnu_hash(self) -> int | None:
        """The place of the table by which symbols are found."""
        return self.table_offset(_GNU_HASH)

    @property
    def old_hash(self) -> int | None:
        """The place of the table that systems used before."""
        return self.table_offset(_HASH)

    @cached_property
    def dynamic_texts(self) -> Section:
        """Where the names of symbols and libraries lie."""
        if _STRTAB not in self.dynamic:
            raise Damaged("it has no names")
        return Section(self.offset_of(self.dynamic[_STRTAB][0]), self.dynamic.get(_STRSZ, (0,))[0])

    def dynamic_text(self, place: int, *, max_bytes: int = _MAX_NAME_BYTES) -> str:
        """Return the name at that place among the names."""
        start, size = self.dynamic_texts
        if place >= size:
            raise Damaged("a name lies outside of the names")
        return _text(self.reader.read_at(start + place, min(max_bytes, size - place)), 0)

    def _texts(self, tag: int) -> tuple[str, ...]:
        return tuple(self.dynamic_text(place) for place in self.dynamic.get(tag, ()))

    def _unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        layout = f"{self.order}{layout}"
        return struct.unpack(layout, self.reader.read_at(offset, struct.calcsize(layout)))


def _text(content: bytes, start: int) -> str:
    """The text up to the next zero."""
    end = content.find(b"\0", start)
    return content[start : end if end >= 0 else len(content)].decode("utf-8", "replace")


def read_elf(reader: Reader) -> ElfFile:
    """Read the headers of an ELF file; raises `Damaged` where it is none."""
    start = reader.read_at(0, min(64, reader.size))
    if not start.startswith(ELF_MAGIC) or len(start) < 52 or start[4] not in (1, 2) or start[5] not in (1, 2):  # noqa: PLR2004
        raise Damaged("it is no ELF file")
    wide, order = start[4] == 2, "<" if start[5] == 1 else ">"  # noqa: PLR2004
    if wide and len(start) < 64:  # noqa: PLR2004
        raise Damaged("its first header is cut")
    kind = struct.unpack_from(f"{order}HH", start, 16)[1]
    _, segments_at, sections_at, _, _, each, count, _, sections, names = struct.unpack_from(
        f"{order}{'QQQIHHHHHH' if wide else 'IIIIHHHHHH'}", start, 24
    )
    layout = struct.Struct(f"{order}{'IIQQQQQQ' if wide else 'IIIIIIII'}")
    if count > _MAX_SEGMENTS or (count and each != layout.size):
        raise Damaged("its segments cannot be read")
    rows = layout.iter_unpack(reader.read_at(segments_at, count * layout.size)) if count else ()
    return ElfFile(
        reader=reader,
        wide=wide,
        order=order,
        machine=MACHINES.get(kind, f"machine {kind}"),
        segments=tuple(
            _Segment(row[0], row[2], row[3], row[5]) if wide else _Segment(row[0], row[1], row[2], row[4])
            for row in rows
        ),
        section_table=(sections_at, sections, names),
    )
