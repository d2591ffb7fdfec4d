"""The dynamic symbols of an ELF file: those that it needs from elsewhere, and whether it has one of a name."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheels_index.binary.reader import Damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheels_index.binary.elf import ElfFile

__all__ = ["SymbolTable", "undefined_symbols"]

_MAX_SYMBOLS = 1 << 20
_MAX_TEXT_BYTES = 64 << 20
_MAX_SYMBOL_BYTES = 1 << 14  # names of C++ templates are long
_MAX_CHAIN = 1 << 12
_WEAK = 2


def undefined_symbols(elf: ElfFile) -> Iterator[str]:
    """Yield the names that must be found in other libraries; those that may be missing are not among them."""
    table, count = elf.symbol_table, _undefined_limit(elf)
    if table is None or not count:
        return
    layout = struct.Struct(f"{elf.order}{'IBBHQQ' if elf.wide else 'IIIBBH'}")
    rows = list(layout.iter_unpack(elf.reader.read_at(table, count * layout.size)))
    start, size = elf.dynamic_texts
    if size > _MAX_TEXT_BYTES:
        raise Damaged(f"its names take {size} bytes")
    texts = elf.reader.read_at(start, size)
    for row in rows[1:]:
        name, info, section = (row[0], row[1], row[3]) if elf.wide else (row[0], row[3], row[5])
        if section == 0 and info >> 4 != _WEAK and name < size:
            end = texts.find(b"\0", name, name + _MAX_SYMBOL_BYTES)
            if end > name:
                yield texts[name:end].decode("utf-8", "replace")


def _undefined_limit(elf: ElfFile) -> int:
    """The number of the first symbol that is not undefined, or at least one behind it.

    With a GNU hash table those that can be found by it come last; the older table has one entry for each symbol.
    """
    if (place := elf.gnu_hash) is not None:
        count = struct.unpack(f"{elf.order}4I", elf.reader.read_at(place, 16))[1]
    elif (place := elf.old_hash) is not None:
        count = struct.unpack(f"{elf.order}2I", elf.reader.read_at(place, 8))[1]
    else:
        return 0
    if count > _MAX_SYMBOLS:
        raise Damaged(f"it has {count} symbols")
    return int(count)


@dataclass(frozen=True)
class SymbolTable:
    """Finds symbols by their names, each with a few small reads.

    https://flapenguin.me/elf-dt-gnu-hash
    """

    elf: ElfFile
    table: int
    texts: tuple[int, int]
    bloom: bytes
    bloom_shift: int
    buckets: bytes
    chains: int
    first: int  # the number of the first symbol that is in the table

    @classmethod
    def of(cls, elf: ElfFile) -> SymbolTable | None:
        """Return the table of a library; None where it has none of this kind."""
        place, table = elf.gnu_hash, elf.symbol_table
        if place is None or table is None:
            return None
        buckets, first, blooms, shift = struct.unpack(f"{elf.order}4I", elf.reader.read_at(place, 16))
        word = 8 if elf.wide else 4
        if not 0 < buckets <= _MAX_SYMBOLS or not 0 < blooms <= _MAX_SYMBOLS or blooms & (blooms - 1):
            raise Damaged("its table of symbols cannot be read")
        bloom = elf.reader.read_at(place + 16, blooms * word)
        after = place + 16 + blooms * word
        return cls(
            elf=elf,
            table=table,
            texts=elf.dynamic_texts,
            bloom=bloom,
            bloom_shift=shift,
            buckets=elf.reader.read_at(after, buckets * 4),
            chains=after + buckets * 4,
            first=first,
        )

    def has(self, name: str) -> bool:
        """Tell whether the library defines a symbol of this name."""
        wanted = name.encode()
        hashed = 5381
        for byte in wanted:
            hashed = (hashed * 33 + byte) & 0xFFFFFFFF
        if not self._may_have(hashed):
            return False
        count = len(self.buckets) // 4
        (number,) = struct.unpack_from(f"{self.elf.order}I", self.buckets, hashed % count * 4)
        if number < self.first:
            return False
        read = self.elf.reader.read_at
        for index in range(number, number + _MAX_CHAIN):
            (chained,) = struct.unpack(f"{self.elf.order}I", read(self.chains + (index - self.first) * 4, 4))
            if chained | 1 == hashed | 1 and self._is_defined(index, wanted):
                return True
            if chained & 1:
                return False
        raise Damaged("its table of symbols has no end")

    def _may_have(self, hashed: int) -> bool:
        bits, layout = (64, "Q") if self.elf.wide else (32, "I")
        words = len(self.bloom) // (bits // 8)
        word = hashed // bits % words * (bits // 8)
        (filled,) = struct.unpack_from(f"{self.elf.order}{layout}", self.bloom, word)
        mask = 1 << hashed % bits | 1 << (hashed >> self.bloom_shift) % bits
        return bool(filled & mask == mask)

    def _is_defined(self, index: int, wanted: bytes) -> bool:
        layout = struct.Struct(f"{self.elf.order}{'IBBHQQ' if self.elf.wide else 'IIIBBH'}")
        row = layout.unpack(self.elf.reader.read_at(self.table + index * layout.size, layout.size))
        section = row[3] if self.elf.wide else row[5]
        start, size = self.texts
        length = len(wanted) + 1
        if section == 0 or row[0] + length > size:
            return False
        return self.elf.reader.read_at(start + row[0], length) == wanted + b"\0"
