"""What stands in a wheel as a document of plain values, for `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheels_index.binary.gpu_code import joined_code
from wheels_index.binary.needs import needs_of
from wheels_index.binary.package_libraries import names_beside

if TYPE_CHECKING:
    from wheels_index.binary.gpu_code import GpuCode
    from wheels_index.binary.library import Library
    from wheels_index.binary.package_libraries import PackageLibrary
    from wheels_index.binary.wheel_contents import WheelContents

__all__ = ["contents_document"]


def contents_document(contents: WheelContents) -> dict[str, Any]:
    """Return metadata, what all libraries need together, and each library."""
    beside = names_beside(contents.libraries)
    libraries = [(entry, entry.library) for entry in contents.libraries if entry.library is not None]
    needs = [needs_of(library, beside=beside) for _, library in libraries]
    told = {library.cxx11_abi for _, library in libraries} - {None}
    return {
        "name": contents.name,
        "version": contents.version,
        "requires_python": contents.requires_python,
        "requires": list(contents.requires),
        "links_torch": any(need.torch for need in needs),
        "torch_gpu": sorted({kind for need in needs for kind in need.torch_gpu}),
        "cuda_majors": sorted({major for need in needs for major in need.cuda_majors}),
        "rocm": any(need.rocm for need in needs),
        "cxx11_abi": told.pop() if len(told) == 1 else None,
        "gpu": _code_document(
            joined_code(library.gpu for _, library in libraries if library.gpu is not None)
        ),
        "libraries": [_library_document(entry) for entry in contents.libraries],
        "libraries_left_out": contents.left_out,
    }


def _library_document(entry: PackageLibrary) -> dict[str, Any]:
    head: dict[str, Any] = {"path": entry.path, "size": entry.size, "problem": entry.problem}
    return head | (_headers(entry.library) if entry.library is not None else {})


def _headers(library: Library) -> dict[str, Any]:
    return {
        "format": library.format,
        "machines": list(library.machines),
        "needed": None if library.needed is None else list(library.needed),
        "optional": list(library.optional),
        "search_path": list(library.search_path),
        "glibc": library.glibc,
        "macos": library.macos,
        "cxx11_abi": library.cxx11_abi,
        "torch_symbols": len(library.torch_symbols),
        "gpu": _code_document(library.gpu),
        "unread": list(library.unread),
    }


def _code_document(code: GpuCode | None) -> dict[str, Any] | None:
    if code is None:
        return None
    return {
        "cubins": list(code.cubins),
        "ptx": list(code.ptx),
        "gfx": list(code.gfx),
        "complete": code.complete,
    }
