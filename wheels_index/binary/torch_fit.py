"""Whether the libraries of a package can be loaded beside one torch, by what they need and what that torch has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from wheels_index.binary.needs import needs_of
from wheels_index.binary.package_libraries import file_name, names_beside
from wheels_index.binary.reader import BinaryError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from wheels_index.binary.library import Library
    from wheels_index.binary.needs import Needs
    from wheels_index.binary.package_libraries import PackageLibrary
    from wheels_index.binary.torch_build import TorchBuild

__all__ = ["Misfit", "MisfitCode", "PackageFit", "judge_package"]

MisfitCode = Literal["cuda-major", "needs-cuda", "needs-rocm", "needs-xpu", "cxx11-abi", "missing-symbol"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfit:
    """Why a library cannot be loaded: `needed` is the library or the symbol that is not there."""

    path: str
    code: MisfitCode
    needed: str
    cuda_major: int | None = None  # the one that is needed


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageFit:
    """Which libraries of a package have to do with torch or a GPU (`judged`), and which of these do not fit."""

    judged: int
    misfits: tuple[Misfit, ...]

    @property
    def all_fail(self) -> bool:
        """Whether none of them can be loaded."""
        return bool(self.misfits) and len(self.misfits) == self.judged


def judge_package(
    libraries: Sequence[PackageLibrary], torch: TorchBuild, *, cuda_majors: Collection[int] = ()
) -> PackageFit:
    """Judge each library of a package; one that needs one of the package that fails fails with it.

    `cuda_majors` are those whose libraries come from elsewhere than from torch. What was not read is not judged.
    """
    beside = names_beside(libraries)
    read = [(entry.path, entry.library) for entry in libraries if entry.library is not None]
    judged: dict[str, Needs] = {}
    misfits: dict[str, Misfit] = {}
    for path, library in read:
        needs = needs_of(library, beside=beside)
        if needs.torch or needs.torch_gpu or needs.cuda_majors or needs.rocm:
            judged[path] = needs
            misfit = _misfit(path, library, needs, torch, cuda_majors)
            if misfit is not None:
                misfits[path] = misfit
    _spread(read, misfits)
    return PackageFit(judged=len(judged.keys() | misfits.keys()), misfits=tuple(misfits.values()))


def _spread(read: Iterable[tuple[str, Library]], misfits: dict[str, Misfit]) -> None:
    """Add the libraries that need one that fails, and those that need these."""
    failing = {file_name(path): misfit for path, misfit in misfits.items()}
    waiting = {path: library for path, library in read if path not in misfits}
    found = True
    while found:
        found = False
        for path, library in list(waiting.items()):
            cause = next(
                (failing[name] for name in map(file_name, library.needed or ()) if name in failing), None
            )
            if cause is not None:
                misfits[path] = failing[file_name(path)] = replace(cause, path=path)
                del waiting[path]
                found = True


def _misfit(
    path: str, library: Library, needs: Needs, torch: TorchBuild, cuda_majors: Collection[int]
) -> Misfit | None:
    wrong = _wrong_build(library, needs, torch) or _wrong_cuda(library, needs, torch, cuda_majors)
    if wrong is not None:
        code, needed, major = wrong
        return Misfit(path=path, code=code, needed=needed, cuda_major=major)
    if None not in (library.cxx11_abi, torch.cxx11_abi) and library.cxx11_abi != torch.cxx11_abi:
        return Misfit(path=path, code="cxx11-abi", needed="C++11" if library.cxx11_abi else "before C++11")
    missing = _missing_symbol(library, torch)
    return Misfit(path=path, code="missing-symbol", needed=missing) if missing is not None else None


def _wrong_build(
    library: Library, needs: Needs, torch: TorchBuild
) -> tuple[MisfitCode, str, int | None] | None:
    """A library of torch for another GPU than this torch is built for."""
    if torch.accelerator is None:
        return None
    codes: tuple[tuple[str, MisfitCode], ...] = (
        ("cuda", "needs-cuda"),
        ("rocm", "needs-rocm"),
        ("xpu", "needs-xpu"),
    )
    for kind, code in codes:
        if kind in needs.torch_gpu and torch.accelerator != kind:
            major = min(needs.cuda_majors, default=None) if kind == "cuda" else None
            return code, _named(library, kind), major
    return (
        ("needs-rocm", _named(library, "rocm"), None) if needs.rocm and torch.accelerator == "cuda" else None
    )


def _wrong_cuda(
    library: Library, needs: Needs, torch: TorchBuild, cuda_majors: Collection[int]
) -> tuple[MisfitCode, str, int | None] | None:
    """Libraries of another CUDA than torch brings; one that does not link torch may find them elsewhere."""
    if torch.accelerator != "cuda" or torch.cuda_major is None or not needs.cuda_majors:
        return None
    wrong = {major for major in needs.cuda_majors if major != torch.cuda_major}
    if not (needs.torch or needs.torch_gpu):
        wrong -= set(cuda_majors)
    if not wrong:
        return None
    major = min(wrong)
    name = next((name for name in library.needed or () if _cuda_major(library, name) == major), str(major))
    return "cuda-major", name, major


def _cuda_major(library: Library, name: str) -> int | None:
    return min(needs_of(replace(library, needed=(name,))).cuda_majors, default=None)


def _named(library: Library, kind: str) -> str:
    """The needed library for which it is not of this build."""
    for name in library.needed or ():
        needs = needs_of(replace(library, needed=(name,)))
        if kind in needs.torch_gpu or (kind == "rocm" and needs.rocm):
            return file_name(name)
    return kind


def _missing_symbol(library: Library, torch: TorchBuild) -> str | None:
    symbols = torch.symbols
    if symbols is None:
        return None
    try:
        return next((name for name in library.torch_symbols if not symbols.has(name)), None)
    except BinaryError:
        return None
