"""A shared library of any system: what it needs, what it is built for, and which C++ and CUDA it was built with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from wheels_index.binary.cxx_names import cxx11_abi, is_torch_symbol
from wheels_index.binary.elf import ELF_MAGIC, Section, read_elf
from wheels_index.binary.elf_symbols import undefined_symbols
from wheels_index.binary.gpu_code import (
    GpuCode,
    cuda_code_in_part,
    joined_code,
    read_cuda_code,
    read_rocm_code,
)
from wheels_index.binary.macho import MACHO_MAGICS, read_macho
from wheels_index.binary.pe import PE_MAGIC, read_pe
from wheels_index.binary.reader import BinaryError, Damaged, NotRead
from wheels_index.binary.zip_member import DeflatedMember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from wheels_index.binary.elf import ElfFile
    from wheels_index.binary.reader import Reader

__all__ = ["GpuDepth", "Library", "read_library"]

_T = TypeVar("_T")
GpuDepth = Literal["all", "some", "none"]

_GLIBC = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
_CUDA_SECTIONS, _ROCM_SECTION = (".nv_fatbin", "__nv_relfatbin", ".nv_fatb"), ".hip_fatbin"
_SAMPLES = (
    0.99,
    0.8,
    0.6,
    0.4,
    0.2,
)  # where in the section code is looked for when not all of it may be read
_SAMPLE_BYTES = 1 << 20  # compressed


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """What the headers of a library say; None is what they do not say or what was not read, as `unread` tells."""

    format: Literal["elf", "pe", "macho"]
    machines: tuple[str, ...]
    needed: tuple[str, ...] | None
    optional: tuple[str, ...] = ()  # may be missing when it is loaded
    name: str | None = None  # its own, by which others need it
    search_path: tuple[str, ...] = ()
    glibc: str | None = None  # the least version
    macos: str | None = None  # the least version
    cxx11_abi: bool | None = None  # of libtorch's functions that it calls
    torch_symbols: tuple[str, ...] = ()  # names that it needs of libtorch
    gpu: GpuCode | None = None
    unread: tuple[str, ...] = ()  # "needed", "symbols", "versions", "gpu"


def read_library(reader: Reader, *, gpu: GpuDepth = "all") -> Library:
    """Read the headers of a library; raises `BinaryError` where it is none.

    `gpu` says how the GPUs are found for which it has code: by all of it, by some of a large member of a zip, or not.
    """
    magic = reader.read_at(0, min(4, reader.size))
    if magic == ELF_MAGIC:
        return _elf_library(read_elf(reader), gpu=gpu)
    if magic.startswith(PE_MAGIC):
        return _pe_library(reader, gpu=gpu)
    if magic in MACHO_MAGICS:
        return _macho_library(reader)
    raise Damaged("it is no shared library of a known format")


def _elf_library(elf: ElfFile, *, gpu: GpuDepth) -> Library:
    unread: list[str] = []
    needed = _attempt(lambda: elf.needed, "needed", unread)
    versions = _attempt(lambda: elf.needed_versions, "versions", unread)
    names = _attempt(
        lambda: [name for name in undefined_symbols(elf) if is_torch_symbol(name)], "symbols", unread
    )
    code = _attempt(lambda: _elf_code(elf, gpu), "gpu", unread)
    return Library(
        format="elf",
        machines=(elf.machine,),
        needed=needed,
        name=_attempt(lambda: elf.soname, "needed", unread),
        search_path=_attempt(lambda: elf.search_path, "needed", unread) or (),
        glibc=_least_glibc(versions or {}),
        cxx11_abi=cxx11_abi(names or ()),
        torch_symbols=tuple(names or ()),
        gpu=code,
        unread=tuple(dict.fromkeys(unread)),
    )


def _attempt(read: Callable[[], _T], what: str, unread: list[str]) -> _T | None:
    """Return what is read, or None and a note where it is out of reach or damaged."""
    try:
        return read()
    except BinaryError:
        unread.append(what)
        return None


def _least_glibc(versions: Mapping[str, tuple[str, ...]]) -> str | None:
    found = [
        match[1]
        for names in versions.values()
        for name in names
        if (match := _GLIBC.fullmatch(name)) is not None
    ]
    return max(found, key=_numbers, default=None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part[:9]) for part in version.split("."))


def _elf_code(elf: ElfFile, depth: GpuDepth) -> GpuCode | None:
    if depth == "none":
        return None
    sections = elf.sections
    codes = [_cuda_code(elf.reader, sections[name], depth) for name in _CUDA_SECTIONS if name in sections]
    if _ROCM_SECTION in sections:
        codes.append(read_rocm_code(elf.reader, sections[_ROCM_SECTION]))
    return joined_code(codes)


def _cuda_code(reader: Reader, section: Section, depth: GpuDepth) -> GpuCode:
    """Read all headers, or those in some places where the rest would have to be unpacked for them."""
    sampled = len(_SAMPLES) * _SAMPLE_BYTES
    if depth == "all" or not isinstance(reader, DeflatedMember) or reader.packed_size <= sampled:
        return read_cuda_code(reader, section)
    codes = [GpuCode(complete=False)]
    for share in _SAMPLES:
        try:
            part = reader.sample(section.offset + int(section.size * share), _SAMPLE_BYTES)
        except NotRead:
            break
        if part is not None:
            codes.append(cuda_code_in_part(part.content, part.known))
    return joined_code(codes) or GpuCode(complete=False)


def _pe_library(reader: Reader, *, gpu: GpuDepth) -> Library:
    file = read_pe(reader)
    sections = {section.name: section for section in file.sections}
    regions = [
        Section(sections[name].offset, min(sections[name].size, reader.size - sections[name].offset))
        for name in _CUDA_SECTIONS
        if name in sections
    ]
    codes = [_cuda_code(reader, region, gpu) for region in regions] if gpu != "none" else []
    return Library(
        format="pe",
        machines=(file.machine,),
        needed=file.needed,
        optional=file.delayed,
        gpu=joined_code(codes),
    )


def _macho_library(reader: Reader) -> Library:
    files = read_macho(reader)
    floors = {file.minimum_macos for file in files if file.minimum_macos is not None}
    return Library(
        format="macho",
        machines=tuple(file.machine for file in files),
        needed=_each_once(file.needed for file in files),
        optional=_each_once(file.optional for file in files),
        name=files[0].name,
        search_path=_each_once(file.search_path for file in files),
        macos=min(floors, key=_numbers, default=None),
    )


def _each_once(several: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in several for name in names))
