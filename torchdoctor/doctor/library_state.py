"""What libraries of an environment ask for and the machine lacks, by their files: nothing is loaded or run."""

from __future__ import annotations

import mmap
import re
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.inventory import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.detect import Detection, PythonInfo

__all__ = ["LibraryState", "library_state", "wants_executable_stack"]

# https://sourceware.org/glibc/wiki/Release/2.41: dlopen no longer makes the stack executable.
_FIRST_STRICT_LIBC = (2, 41)
_FIRST_BLACKWELL = (10, 0)
_MAX_CACHE_BYTES = 1 << 24
_MAX_LIBRARIES = 200
_GNU_STACK, _EXECUTABLE = 0x6474E551, 1
_RELEASE = re.compile(rb"Cuda compilation tools, release (\d{1,2})\.(\d)")
# Where wheels have had libraries that ask for an executable stack: early ROCm builds of torch, CTranslate2 up to 4.5.
_OLD_LIBRARIES = ("torch/lib", "ctranslate2.libs")
_FFMPEG = re.compile(r"libavutil(?:\.\d+)?\.(?:so|dylib)(?:\.\d+)*|avutil-\d+\.dll")
_FOLDERS_OF_LINUX = ("/usr/local/lib", "/usr/lib", "/usr/lib64", "/lib", "/usr/lib/x86_64-linux-gnu")


@dataclass(frozen=True, kw_only=True, slots=True)
class LibraryState:
    """What was found; empty where nothing is wrong, or where it does not matter on this machine."""

    executable_stack: tuple[str, ...] = ()  # libraries that this C library does not load
    ptxas: str = (
        ""  # the release of Triton's newest ptxas, where the machine has a GPU of Blackwell's generation
    )
    without_ffmpeg: str = (
        ""  # the folder of torchcodec, where no FFmpeg is in any folder that the loader looks in
    )
    own_hsa_runtime: str = ""  # torch's own ROCm runtime, where WSL has another one that works


def library_state(python: PythonInfo, detection: Detection, *, root: Path = Path("/")) -> LibraryState:
    """Look at the libraries in the environment of `python`; `root` is where the system's folders lie."""
    sites = tuple(map(str, python.site_packages))
    return LibraryState(
        executable_stack=_executable_stacks(sites, detection),
        ptxas=_newest_ptxas(sites, detection),
        without_ffmpeg=_without_ffmpeg(python, sites, detection, root),
        own_hsa_runtime=_own_hsa_runtime(sites, detection, root),
    )


def _executable_stacks(sites: tuple[str, ...], detection: Detection) -> tuple[str, ...]:
    libc = detection.machine.libc
    numbers = tuple(map(int, re.findall(r"\d+", libc.version or ""))) if libc and libc.name == "glibc" else ()
    if numbers[:2] < _FIRST_STRICT_LIBC:
        return ()
    folders = (f"{site}/{folder}" for site in sites for folder in _OLD_LIBRARIES)
    libraries = [
        f"{folder}/{name}"
        for folder in folders
        for name in files.entries(folder, limit=_MAX_LIBRARIES).names
        if ".so" in name
    ]
    return tuple(path for path in libraries if wants_executable_stack(path))


def wants_executable_stack(path: str) -> bool:
    """Whether the headers of an ELF file of 64 bits ask for a stack that can be executed; False for any other file."""
    data = files.head(path, 1 << 12) or b""
    if data[:6] != b"\x7fELF\x02\x01":
        return False
    with suppress(struct.error, OverflowError):
        (start,) = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        for number in range(min(count, 64)):
            kind, flags = struct.unpack_from("<II", data, start + number * size)
            if kind == _GNU_STACK:
                return bool(flags & _EXECUTABLE)
    return False


def _newest_ptxas(sites: tuple[str, ...], detection: Detection) -> str:
    gpus = detection.machine.nvidia.gpus if detection.machine.nvidia else ()
    capabilities = [
        tuple(map(int, gpu.compute_capability.split("."))) for gpu in gpus if gpu.compute_capability
    ]
    if not any(capability >= _FIRST_BLACKWELL for capability in capabilities):
        return ""
    found = [
        release
        for site in sites
        for name in ("ptxas", "ptxas-blackwell")
        if (release := _release_of(f"{site}/triton/backends/nvidia/bin/{name}"))
    ]
    return "{}.{}".format(*max(found)) if found else ""


def _release_of(program: str) -> tuple[int, int] | None:
    """The release of the CUDA toolkit that a program is of, as its own texts say."""
    with suppress(OSError, ValueError):
        if files.size_of(program) is None:  # a pipe would be waited for
            return None
        with (
            open_regular(program) as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            match = _RELEASE.search(data)
            return (int(match[1]), int(match[2])) if match else None
    return None


def _without_ffmpeg(python: PythonInfo, sites: tuple[str, ...], detection: Detection, root: Path) -> str:
    """On Linux, by the loader's cache; elsewhere a program's folders cannot be told from outside."""
    codec = next(
        (f"{site}/torchcodec" for site in sites if files.exists(f"{site}/torchcodec/__init__.py")), ""
    )
    cache = root / "etc/ld.so.cache"
    if not codec or detection.machine.os != "linux" or not files.exists(str(cache)):
        return ""
    if b"libavutil.so" in (files.head(str(cache), _MAX_CACHE_BYTES) or b""):
        return ""
    folders = (f"{python.prefix}/lib", codec, *(str(root / folder[1:]) for folder in _FOLDERS_OF_LINUX))
    names = (name for folder in folders for name in files.entries(folder, limit=20_000).names)
    return "" if any(map(_FFMPEG.fullmatch, names)) else codec


def _own_hsa_runtime(sites: tuple[str, ...], detection: Detection, root: Path) -> str:
    """In WSL there is no /dev/kfd, and the runtime in torch's folder does not know how to do without."""
    there = files.exists(str(root / "opt/rocm/lib/libhsa-runtime64.so.1"))
    if not detection.machine.wsl or not there or files.exists(str(root / "dev/kfd")):
        return ""
    return next(_own_files(sites, "torch/lib/libhsa-runtime64.so"), "")


def _own_files(sites: tuple[str, ...], name: str) -> Iterator[str]:
    for site in sites:
        path = Path(site) / name
        with suppress(OSError):
            if path.is_file() and not path.is_symlink():
                yield str(path)
