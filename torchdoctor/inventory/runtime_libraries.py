"""Where the libraries that a CUDA build of torch needs would be found, by the headers of its own and NVIDIA's.

What the dynamic linker would do, without loading anything: https://man7.org/linux/man-pages/man8/ld.so.8.html
"""

from __future__ import annotations

import json
import os
import re
from collections import deque
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.inventory import files
from torchdoctor.inventory.loader_folders import expanded, library_path, loader_folders
from torchdoctor.inventory.package_model import RuntimeLibrary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.inventory.package_model import Depth, TorchPackage

__all__ = ["runtime_libraries"]

# CUDA's libraries that come in packages; the driver's own (libcuda, libnvidia-ml) come with the driver.
_JUDGED = re.compile(
    r"lib(?:cudart|cublas|cublasLt|cudnn|cufft|curand|cusolver|cusparse|cusparseLt|nccl|nvrtc|nvJitLink|cupti"
    r"|nvshmem_host|cufile|nvToolsExt)\.so\.[\d.]+"
)
_MAX_LIBRARIES = 200
_RPATH, _RUNPATH = 15, 29


@dataclass(frozen=True, kw_only=True, slots=True)
class _Headers:
    path: str
    needed: tuple[str, ...]
    folders: tuple[str, ...]
    first: bool  # RPATH: searched before LD_LIBRARY_PATH, and for what the library brings along too


@dataclass(frozen=True, kw_only=True, slots=True)
class _Search:
    """The folders of one environment and of its system, in the order of the linker."""

    sites: tuple[str, ...]  # torch's own first
    own: tuple[str, ...]  # of RPATH of torch's own libraries
    variable: tuple[str, ...]  # LD_LIBRARY_PATH
    system: System

    def places(self, name: str, headers: _Headers) -> tuple[str, ...]:
        """Every place of a library, the one that is loaded first."""
        own = (
            (*self.own, *headers.folders) if headers.first else (*self.own, *self.variable, *headers.folders)
        )
        near = (f"{folder}/{name}" for folder in dict.fromkeys((*own, *self.variable)))
        far = (f"{folder}/{name}" for folder in loader_folders(self.system))
        # What the linker does not find torch loads from NVIDIA's packages of any folder of the path, such as those of
        # the Python below an environment that shares its packages: `_preload_cuda_deps` in torch/__init__.py.
        last = (f"{folder}/{name}" for site in self.sites[1:] for folder in _folders_of_nvidia(site))
        there = [*filter(files.exists, near), *filter(self.system.exists, far), *filter(files.exists, last)]
        first: dict[str, str] = {}
        for path in there:
            first.setdefault(os.path.realpath(path), path)
        return tuple(first.values())

    def is_inside(self, path: str) -> bool:
        return os.path.normpath(path).startswith(tuple(f"{site}/" for site in self.sites))


def _folders_of_nvidia(site: str) -> Iterator[str]:
    for part in files.entries(f"{site}/nvidia", limit=200).names:
        yield f"{site}/nvidia/{part}/lib"


def runtime_libraries(
    torch: TorchPackage | None,
    required: AbstractSet[str] | None,
    folders: Iterable[str],
    system: System,
    depth: Depth,
) -> Fact[tuple[RuntimeLibrary, ...]]:
    """Return the libraries that torch needs and that are missing, not the environment's own, or there twice.

    `required` are the packages that torch requires, `folders` those of the import path. Never raises.
    """
    if torch is None or not (torch.variant.value or "").startswith("cu"):
        return absent(message("there is no CUDA build of torch"))
    folder = f"{torch.folder}/torch/lib"
    own = [f"{folder}/{name}" for name in files.entries(folder, limit=500).names if name.endswith(".so")]
    if depth == "list" or f"{folder}/libtorch_cuda.so" not in own:
        return unknown(message("libraries were not read: only a list was asked for"), folder)
    if not _comes_in_packages(torch, required):
        return absent(message("torch requires no package of NVIDIA's"))
    headers = [read for path in own[:_MAX_LIBRARIES] if (read := _read(path)) is not None]
    search = _Search(
        sites=tuple(dict.fromkeys(map(os.path.normpath, (torch.folder, *folders)))),
        own=tuple(dict.fromkeys(each for read in headers if read.first for each in read.folders)),
        variable=tuple(library_path(system.environ)),
        system=system,
    )
    problems = [*_of_needed(headers, search), *_of_late(required or frozenset(), folder, torch, search)]
    source = message("the headers of the libraries in {folder}", folder=folder)
    first = {problem.name: problem for problem in reversed(problems)}
    return found(tuple(first.values()), source) if first else absent(source)


def _comes_in_packages(torch: TorchPackage, required: AbstractSet[str] | None) -> bool:
    """Whether its libraries are to be in the environment; a build of somebody's own uses the system's."""
    if required is None:
        return files.exists(f"{torch.folder}/nvidia")
    return any(name.startswith("nvidia-") for name in required)


def _of_needed(headers: list[_Headers], search: _Search) -> Iterator[RuntimeLibrary]:
    """What the libraries need, and what these need in turn, each name once: it is loaded once."""
    waiting, seen = deque(headers), set[str]()
    while waiting and len(seen) < _MAX_LIBRARIES:
        library = waiting.popleft()
        for name in library.needed:
            if name in seen or not _JUDGED.fullmatch(name):
                continue
            seen.add(name)
            places = search.places(name, library)
            problem = _problem(name, library.path.rpartition("/")[2], places, search)
            if problem is not None:
                yield problem
            if places and search.is_inside(places[0]) and (read := _read(places[0])) is not None:
                waiting.append(read)


def _of_late(
    required: AbstractSet[str], folder: str, torch: TorchPackage, search: _Search
) -> Iterator[RuntimeLibrary]:
    """Libraries of packages that torch requires, which it loads when they are used."""
    major = re.sub(r"cu(\d\d)\d*", r"\1", torch.variant.value or "")
    folders = [folder, *(each for site in search.sites for each in _folders_of_nvidia(site))]
    names = {place: files.entries(place, limit=2000).names for place in folders}
    for row in _late():
        wanted = any(re.fullmatch(row["project"], name) for name in required)
        if not wanted or any(fnmatchcase(name, row["file"]) for some in names.values() for name in some):
            continue
        name = row["sonames"].get(major)
        headers = _Headers(path=folder, needed=(), folders=(), first=True)
        places = search.places(name, headers) if name else ()
        problem = _problem(name or row["file"], row["used_by"], places, search)
        if problem is not None:
            yield problem


def _problem(name: str, by: str, places: tuple[str, ...], search: _Search) -> RuntimeLibrary | None:
    inside = [place for place in places if search.is_inside(place)]
    kind: Literal["missing", "elsewhere", "twice"]
    if not places:
        kind, text = "missing", message("{by} needs {name}, which is nowhere", by=by, name=name)
    elif not search.is_inside(places[0]):
        kind = "elsewhere"
        text = message("{by} needs {name}, and would load {place}", by=by, name=name, place=places[0])
    elif len({_size(place) for place in inside}) > 1:
        kind = "twice"
        text = message(
            "{name} is there twice: {first} is loaded before {second}",
            name=name,
            first=inside[0],
            second=inside[1],
        )
    else:
        return None
    return RuntimeLibrary(name=name, needed_by=by, kind=kind, places=places[:8], reason=text)


def _size(path: str) -> int | None:
    try:
        return files.size_of(path)
    except (OSError, ValueError):
        return None


def _read(path: str) -> _Headers | None:
    from wheels_index.binary import BinaryError
    from wheels_index.binary.elf import read_elf

    reader = files.open_reader(path)
    if reader is None:
        return None
    with reader:
        try:
            elf = read_elf(reader)
            folders = tuple(os.path.normpath(each) for each in expanded(elf.search_path, path))
            return _Headers(
                path=path,
                needed=elf.needed,
                folders=folders,
                first=_RPATH in elf.dynamic and _RUNPATH not in elf.dynamic,
            )
        except (BinaryError, OSError):
            return None


@cache
def _late() -> tuple[Mapping[str, Any], ...]:
    """The libraries that are loaded when they are used: one table with the check that loads them."""
    text = resources.files("torchdoctor.probe").joinpath("late_libraries.json").read_text("utf-8")
    return tuple(json.loads(text)["libraries"])
