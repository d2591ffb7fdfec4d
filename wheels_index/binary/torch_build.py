"""What an extension finds in one torch: for which GPUs it was built, with which C++, and the names that it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wheels_index.binary.elf import ELF_MAGIC, read_elf
from wheels_index.binary.elf_symbols import SymbolTable
from wheels_index.binary.reader import BinaryError
from wheels_index.variant import UnknownVariant, variant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheels_index.binary.reader import Reader

__all__ = ["Accelerator", "ExportedSymbols", "TorchBuild", "exported_symbols"]

Accelerator = Literal["cpu", "cuda", "rocm", "xpu"]

# A function of c10 that takes a `std::string`, in each of its two names; every libtorch since 1.10 has one of them.
_OLD_STRING = "_ZN3c106detail14torchCheckFailEPKcS2_jRKSs"
_NEW_STRING = "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedSymbols:
    """The names that several libraries define together."""

    tables: tuple[SymbolTable, ...]

    def has(self, name: str) -> bool:
        """Tell whether one of them defines a symbol of this name; raises `BinaryError` where it cannot be told."""
        return any(table.has(name) for table in self.tables)


@dataclass(frozen=True, kw_only=True, slots=True)
class TorchBuild:
    """One torch. None is what is not known of it; nothing is said against an extension for that."""

    version: str
    variant: str | None
    accelerator: Accelerator | None
    cuda_major: int | None = None
    cxx11_abi: bool | None = None
    symbols: ExportedSymbols | None = None

    @classmethod
    def of(cls, version: str, name: str | None, symbols: ExportedSymbols | None = None) -> TorchBuild:
        """Return a torch of a version and a variant; `symbols` are those of its libraries where they were read."""
        accelerator, major = _accelerator(name)
        return cls(
            version=version,
            variant=name,
            accelerator=accelerator,
            cuda_major=major,
            cxx11_abi=_cxx11_abi(symbols),
            symbols=symbols,
        )


def exported_symbols(libraries: Iterable[Reader]) -> ExportedSymbols | None:
    """Return the names that the libraries define; None where one cannot be read, or is none of Linux."""
    tables = []
    try:
        for reader in libraries:
            if reader.read_at(0, min(4, reader.size)) != ELF_MAGIC:
                return None
            if (table := SymbolTable.of(read_elf(reader))) is not None:
                tables.append(table)
    except BinaryError:
        return None
    return ExportedSymbols(tables=tuple(tables)) if tables else None


def _accelerator(name: str | None) -> tuple[Accelerator | None, int | None]:
    if name is None:
        return None, None
    try:
        known = variant(name)
    except UnknownVariant:
        return None, None
    kinds: dict[str, Accelerator] = {"cpu": "cpu", "cuda": "cuda", "rocm": "rocm", "xpu": "xpu"}
    major = known.toolkit[0] if known.kind == "cuda" and known.toolkit else None
    return kinds.get(known.kind), major


def _cxx11_abi(symbols: ExportedSymbols | None) -> bool | None:
    try:
        if symbols is None or symbols.has(_OLD_STRING) == symbols.has(_NEW_STRING):
            return None
        return symbols.has(_NEW_STRING)
    except BinaryError:
        return None
