"""For which GPUs a library has code: the machine code and PTX of CUDA's fat binaries, the code objects of ROCm.

NVIDIA does not describe the format. What is read of it was compared with what nvcc 13.0 wrote for each architecture on
2026-11-30: a fat binary has a header of 16 bytes, then for each architecture a header and its code.
ROCm: https://clang.llvm.org/docs/ClangOffloadBundler.html
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheels_index.binary.reader import Damaged, NotRead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wheels_index.binary.elf import Section
    from wheels_index.binary.reader import Reader

__all__ = ["GpuCode", "cuda_code_in_part", "joined_code", "read_cuda_code", "read_rocm_code"]

_FATBIN = struct.Struct("<IHHQ")
_FATBIN_MAGIC = 0xBA55ED50
_ENTRY = struct.Struct("<HHIQIIHHIIIQQQ")
_ENTRY_SIGN = re.compile(rb"[\x01\x02]\x00\x01\x01[\x40-\xff]\x00\x00\x00")
_PTX, _CUBIN = 1, 2
_ENTRY_VERSION = 0x101
_ONE_ARCHITECTURE, _FAMILY = 1 << 20, 1 << 21  # flags of sm_90a and sm_100f
_LEAST_ARCHITECTURE, _MOST_ARCHITECTURE = 10, 200
_MAX_FATBINS = 1 << 16
_MAX_ENTRIES = 1 << 10  # of one fat binary
_PADDING_BYTES = 1 << 12
_MAX_CODE_BYTES = 1 << 31
_BUNDLE = b"__CLANG_OFFLOAD_BUNDLE__"
_COMPRESSED_BUNDLE = b"CCOB"
_MAX_BUNDLES = 4096
_MAX_BUNDLE_ENTRIES = 256
_GFX = re.compile(r"gfx[0-9a-f]{3,6}(?:-[a-z0-9-]+)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuCode:
    """The architectures that there is code for; where not all was read (`complete`), at least for these."""

    cubins: tuple[str, ...] = ()  # machine code: sm_90, sm_90a
    ptx: tuple[str, ...] = ()  # what a newer driver translates: compute_90
    gfx: tuple[str, ...] = ()  # AMD's: gfx1100
    complete: bool = True


def joined_code(codes: Iterable[GpuCode]) -> GpuCode | None:
    """Return the architectures of several libraries together; None for none."""
    several = list(codes)
    if not several:
        return None
    return GpuCode(
        cubins=_ordered(name for code in several for name in code.cubins),
        ptx=_ordered(name for code in several for name in code.ptx),
        gfx=tuple(sorted({name for code in several for name in code.gfx})),
        complete=all(code.complete for code in several),
    )


def read_cuda_code(reader: Reader, section: Section) -> GpuCode:
    """Read the headers of all fat binaries in a section; what cannot be reached makes it incomplete."""
    names: set[tuple[int, str]] = set()
    place, end, complete = section.offset, section.offset + section.size, True
    try:
        for _ in range(_MAX_FATBINS):
            fatbin = _next_fatbin(reader, place, end)
            if fatbin is None:
                break
            start, place = fatbin
            names.update(_entries(reader, start, min(place, end)))
        else:
            complete = False
    except (NotRead, Damaged):
        complete = False
    return _code(names, complete=complete)


def cuda_code_in_part(content: bytes, is_known: Callable[[int, int], bool]) -> GpuCode:
    """Find headers of code in a part of a section that begins anywhere; of some of its bytes nothing is known."""
    found = {
        named
        for match in _ENTRY_SIGN.finditer(content)
        if is_known(match.start(), _ENTRY.size)
        and (row := _plausible_entry(content, match.start())) is not None
        and (named := _named(row)) is not None
    }
    return _code(found, complete=False)


def _code(names: Iterable[tuple[int, str]], *, complete: bool) -> GpuCode:
    several = set(names)
    return GpuCode(
        cubins=_ordered(name for kind, name in several if kind == _CUBIN),
        ptx=_ordered(name for kind, name in several if kind == _PTX),
        complete=complete,
    )


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    """sm_90 before sm_90a before sm_100."""
    return tuple(sorted(set(names), key=lambda name: (int(re.sub(r"\D", "", name) or 0), name)))


def _next_fatbin(reader: Reader, place: int, end: int) -> tuple[int, int] | None:
    """Return where the entries of the next fat binary begin and end, behind what pads it; None at the end."""
    for padded in range(place, min(end, place + _PADDING_BYTES), 8):
        if padded + _FATBIN.size > end:
            return None
        magic, version, header, size = _FATBIN.unpack(reader.read_at(padded, _FATBIN.size))
        if magic == _FATBIN_MAGIC:
            if version != 1 or header < _FATBIN.size or padded + header + size > end:
                raise Damaged("a fat binary is longer than its section")
            return padded + header, padded + header + size
        if magic:
            raise Damaged("something else than a fat binary lies between them")
    return None


def _entries(reader: Reader, start: int, end: int) -> Iterator[tuple[int, str]]:
    for _ in range(_MAX_ENTRIES):
        if start + _ENTRY.size > end:
            return
        row = _ENTRY.unpack(reader.read_at(start, _ENTRY.size))
        if (named := _named(row)) is not None:
            yield named
        if row[2] < _ENTRY.size:
            raise Damaged("the header of an architecture is too short")
        start += row[2] + row[3]


def _named(row: tuple[int, ...]) -> tuple[int, str] | None:
    """The kind and the name of the architecture of an entry; None for other kinds."""
    kind, version, _, _, _, _, _, _, number, _, _, flags, _, _ = row
    if version != _ENTRY_VERSION or not _LEAST_ARCHITECTURE <= number <= _MOST_ARCHITECTURE:
        return None
    suffix = "a" if flags & _ONE_ARCHITECTURE else "f" if flags & _FAMILY else ""
    if kind == _CUBIN:
        return _CUBIN, f"sm_{number}{suffix}"
    return (_PTX, f"compute_{number}{suffix}") if kind == _PTX else None


def _plausible_entry(content: bytes, start: int) -> tuple[int, ...] | None:
    """The header at that place, if it can be one: what is unknown of a real one is zero."""
    if start + _ENTRY.size > len(content):
        return None
    row = _ENTRY.unpack_from(content, start)
    plausible = row[12] == 0 and row[2] % 8 == 0 and 0 < row[3] < _MAX_CODE_BYTES and row[4] <= row[3]
    return row if plausible else None


def read_rocm_code(reader: Reader, section: Section) -> GpuCode:
    """Read the names of the targets of ROCm's code; compressed bundles do not show theirs."""
    names: set[str] = set()
    place, end, complete = section.offset, section.offset + section.size, True
    try:
        for _ in range(_MAX_BUNDLES):
            if place + 32 > end:
                break
            head = reader.read_at(place, 32)
            if not head.startswith(_BUNDLE):
                complete = (
                    False if head.startswith(_COMPRESSED_BUNDLE) else complete and place > section.offset
                )
                break
            (count,) = struct.unpack_from("<Q", head, 24)
            last = _bundle_targets(reader, place, min(count, _MAX_BUNDLE_ENTRIES), names)
            place = (last + 4095) // 4096 * 4096
    except (NotRead, Damaged):
        complete = False
    return GpuCode(gfx=tuple(sorted(names)), complete=complete)


def _bundle_targets(reader: Reader, start: int, count: int, names: set[str]) -> int:
    """Add the targets of one bundle; return where it ends."""
    place, last = start + 32, start + 32
    for _ in range(count):
        offset, size, length = struct.unpack("<3Q", reader.read_at(place, 24))
        if length > 200:  # noqa: PLR2004
            raise Damaged("the name of a target is too long")
        text = reader.read_at(place + 24, length).decode("ascii", "replace")
        target = text.rpartition("--")[2].partition(":")[0]
        if _GFX.fullmatch(target):
            names.add(target)
        place += 24 + length
        last = max(last, place, start + offset + size)
    return last
