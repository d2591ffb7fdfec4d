"""All libraries of one package together: what each needs of libtorch, less what another of them has."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wheels_index.binary.elf import read_elf
from wheels_index.binary.elf_symbols import SymbolTable
from wheels_index.binary.library import read_library
from wheels_index.binary.reader import BinaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from wheels_index.binary.library import GpuDepth, Library
    from wheels_index.binary.reader import Reader

__all__ = ["LIBRARY_NAME", "PackageLibrary", "file_name", "names_beside", "read_libraries"]

LIBRARY_NAME = re.compile(r".+\.(?:so(?:\.\d+)*|pyd|dll|dylib)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageLibrary:
    """A library of a package; `problem` says why it could not be read."""

    path: str
    size: int  # bytes, unpacked
    library: Library | None = None
    problem: str | None = None


def file_name(path: str) -> str:
    """Return the last part of a path of either kind."""
    return re.split(r"[/\\]", path)[-1]


def names_beside(libraries: Iterable[PackageLibrary]) -> frozenset[str]:
    """Return the names by which the libraries of a package find each other."""
    several = list(libraries)
    own = {entry.library.name for entry in several if entry.library is not None}
    return frozenset(
        {file_name(entry.path) for entry in several} | {name for name in own if name is not None}
    )


def read_libraries(
    files: Iterable[tuple[str, int, Callable[[], Reader]]], *, gpu: GpuDepth = "none"
) -> tuple[PackageLibrary, ...]:
    """Read the libraries of one package: path, size and how to open each.

    What one of them needs of libtorch's names and another one defines is not counted as needed.
    """
    entries: list[PackageLibrary] = []
    readers: dict[str, Reader] = {}
    for path, size, open_file in files:
        try:
            reader = open_file()
            entries.append(PackageLibrary(path=path, size=size, library=read_library(reader, gpu=gpu)))
            readers[path] = reader
        except BinaryError as error:
            entries.append(PackageLibrary(path=path, size=size, problem=str(error)))
    return tuple(_without_own_symbols(entry, entries, readers) for entry in entries)


def _without_own_symbols(
    entry: PackageLibrary, entries: Sequence[PackageLibrary], readers: dict[str, Reader]
) -> PackageLibrary:
    library = entry.library
    if library is None or not library.torch_symbols or library.needed is None:
        return entry
    needed = {file_name(name) for name in library.needed}
    own = [
        readers[other.path]
        for other in entries
        if other.library is not None
        and other.path != entry.path
        and not needed.isdisjoint({file_name(other.path), other.library.name})
    ]
    if not own:
        return entry
    try:
        tables = [table for reader in own if (table := SymbolTable.of(read_elf(reader))) is not None]
        symbols = tuple(
            name for name in library.torch_symbols if not any(table.has(name) for table in tables)
        )
    except BinaryError:  # whose each is cannot be told
        symbols = ()
    return replace(entry, library=replace(library, torch_symbols=symbols))
