"""Which installed packages do not go with the installed torch, by what their compiled libraries need."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.core.versions import public_version
from torchdoctor.inventory import files
from torchdoctor.inventory.extension_misfit import extension_misfit, may_be_extension
from torchdoctor.inventory.loader_folders import expanded, library_path, loader_folders
from torchdoctor.inventory.package_model import ExtensionFit
from torchdoctor.inventory.record import parse_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.inventory.package_model import Depth, Distribution, TorchPackage
    from wheels_index.binary import ExportedSymbols, FileReader, PackageFit, PackageLibrary, TorchBuild

__all__ = ["installed_extensions", "needed_libraries", "requires_torch"]

_MAX_PACKAGES = 200
_MAX_LIBRARIES = 300  # of one package
_MAX_RECORD_BYTES = 32 << 20
# Without these in the folder the names of torch's libraries would be too few.
_TORCH_LIBRARIES = ("libc10.so", "libtorch_cpu.so")
_RUNTIME = re.compile(r"nvidia-cuda-runtime-cu(\d{2})")


def installed_extensions(
    distributions: Sequence[Distribution],
    torch: TorchPackage | None,
    system: System,
    prefix: str,
    depth: Depth,
) -> Fact[tuple[ExtensionFit, ...]]:
    """Return the packages with compiled code for torch, and whether each goes with the one that is imported.

    Never raises.
    """
    if torch is None or torch.version is None:
        return absent(message("there is no torch"))
    if depth == "list":
        return unknown(message("libraries were not read: only a list was asked for"), "their headers")
    candidates = list(_extensions(distributions))[:_MAX_PACKAGES]
    source = message("the headers of the libraries of {count} packages", count=len(candidates))
    if not candidates:
        return absent(source)
    from wheels_index.binary import TorchBuild, judge_package

    fits = []
    with contextlib.ExitStack() as stack:
        symbols = _torch_symbols(f"{torch.folder}/torch/lib", stack)
        build = TorchBuild.of(public_version(torch.version) or torch.version, torch.variant.value, symbols)
        majors = frozenset(_cuda_majors(distributions))
        for distribution in candidates:
            libraries = needed_libraries(distribution.folder, distribution.metadata)
            fit = judge_package(libraries, build, cuda_majors=majors)
            fit = _without_found(fit, libraries, distribution.folder, f"{prefix}/lib", system)
            if fit.judged:
                fits.append(_extension_fit(distribution, fit, build))
    return found(tuple(fits), source) if fits else absent(source)


def needed_libraries(folder: str, metadata: str) -> tuple[PackageLibrary, ...]:
    """Return the compiled libraries of a package with what each needs, by its RECORD. Never raises.

    `metadata` is the path of its dist-info, `folder` the folder of the path that it is in.
    """
    from wheels_index.binary import read_libraries
    from wheels_index.binary.package_libraries import LIBRARY_NAME

    text = files.read_text(f"{metadata}/RECORD", limit=_MAX_RECORD_BYTES)
    if text is None:
        return ()
    names = [row.path for row in parse_record(text) if LIBRARY_NAME.fullmatch(row.path)][:_MAX_LIBRARIES]
    entries = []
    with contextlib.ExitStack() as stack:
        for name in names:
            reader = files.open_reader(f"{folder}/{name}")
            if reader is not None:
                entries.append((name, reader.size, partial(_opened, stack.enter_context(reader))))
        try:
            return read_libraries(entries)
        except OSError:
            return ()


def _opened(reader: FileReader) -> FileReader:
    return reader


def _extensions(distributions: Iterable[Distribution]) -> Iterator[Distribution]:
    """The first of each name, which is the one that is imported."""
    seen: set[str] = set()
    for distribution in distributions:
        if distribution.name not in seen and distribution.kind == "wheel":
            seen.add(distribution.name)
            may = may_be_extension(distribution.name)
            if may or (may is None and requires_torch(distribution.requires)):
                yield distribution


def requires_torch(lines: Iterable[str]) -> bool:
    """Tell whether requirement lines name torch, extras not counted."""
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) == "torch" and "extra" not in str(requirement.marker or ""):
            return True
    return False


def _torch_symbols(folder: str, stack: contextlib.ExitStack) -> ExportedSymbols | None:
    from wheels_index.binary import exported_symbols

    names = [name for name in files.entries(folder, limit=1000).names if name.endswith(".so")]
    if not set(_TORCH_LIBRARIES) <= set(names):
        return None
    readers = [files.open_reader(f"{folder}/{name}") for name in names]
    opened = [stack.enter_context(reader) for reader in readers if reader is not None]
    try:
        return exported_symbols(opened) if len(opened) == len(names) else None
    except OSError:
        return None


def _cuda_majors(distributions: Iterable[Distribution]) -> Iterator[int]:
    for distribution in distributions:
        version = (distribution.version or "").partition(".")[0]
        if match := _RUNTIME.fullmatch(distribution.name):
            yield int(match[1])
        elif distribution.name == "nvidia-cuda-runtime" and version.isascii() and version.isdigit():
            yield int(version[:3])


def _without_found(
    fit: PackageFit, libraries: Sequence[PackageLibrary], site: str, prefix: str, system: System
) -> PackageFit:
    """Return the judgement without libraries that need another CUDA which is there all the same."""
    own = {entry.path: entry.library.search_path for entry in libraries if entry.library is not None}

    def is_there(path: str, name: str) -> bool:
        folders = (*expanded(own.get(path, ()), f"{site}/{path}"), *library_path(system.environ), prefix)
        return any(files.exists(f"{folder}/{name}") for folder in folders) or any(
            system.exists(f"{folder}/{name}") for folder in loader_folders(system)
        )

    misfits = (
        misfit
        for misfit in fit.misfits
        if misfit.code != "cuda-major" or not is_there(misfit.path, misfit.needed)
    )
    return replace(fit, misfits=tuple(misfits))


def _extension_fit(distribution: Distribution, fit: PackageFit, torch: TorchBuild) -> ExtensionFit:
    name, version = distribution.name, distribution.version or "?"
    misfit = extension_misfit(name, version, fit, torch)
    if misfit is None:
        known = True if torch.symbols is not None else None
        return ExtensionFit(name=name, version=version, libraries=fit.judged, fits=known)
    return ExtensionFit(
        name=name,
        version=version,
        libraries=fit.judged,
        fits=False,
        fatal=misfit.fatal,
        file=sanitize_line(misfit.misfit.path, limit=400),
        code=misfit.misfit.code,
        needed=sanitize_line(misfit.misfit.needed, limit=400),
        reason=misfit.reason,
    )
