"""Shared libraries in an environment: OpenMP runtimes, PyTorch's and NVIDIA's own, CUDA majors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.inventory import files
from torchdoctor.inventory.package_model import CudaMajor, Library

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.inventory.distributions import SiteFolder
    from torchdoctor.inventory.package_model import Distribution

__all__ = ["cuda_majors", "openmp_runtimes", "torch_libraries"]

# libgomp-a34b3233.so.1 is a copy inside a wheel; vcomp140.dll belongs to Windows and does no harm.
_OPENMP = re.compile(
    r"lib(?P<name>gomp|iomp5|omp)(?:md|stubs5md)?(?:[-.][\w.-]*)?\.(?:so|dylib|dll)(?:\.\d+)*"
)
_SHARED = re.compile(r"[\w.+-]+\.(?:so(?:\.\d+)*|dll|dylib|pyd)")
_INSIDE = (".dylibs", ".libs", "lib")
_MAX_PACKAGES = 2000
_MAX_LIBRARIES = 2000
_MAX_FILES = 5000  # of one folder
# https://pypi.org/project/nvidia-cuda-runtime/: from CUDA 13 on the name carries no major, the version does.
_SUFFIX = re.compile(r"(?:nvidia-.+|cupy|onnxruntime-gpu|bitsandbytes)-cu(?:da)?(1[0-9])x?")
_PLAIN = ("nvidia-cuda-runtime", "nvidia-cuda-nvrtc", "nvidia-cublas", "nvidia-nvjitlink")


def openmp_runtimes(prefix: str, sites: Iterable[SiteFolder]) -> tuple[Library, ...]:
    """Return every copy of libgomp, libiomp5 and libomp that packages contain."""
    places = [f"{prefix}/lib", f"{prefix}/Library/bin", f"{prefix}/Lib"]
    for site in sites:
        for name in site.names[:_MAX_PACKAGES]:
            if name.endswith((".libs", ".dylibs")):
                places.append(f"{site.folder}/{name}")
            elif "." not in name:
                places += [f"{site.folder}/{name}/{inside}" for inside in _INSIDE]
    runtimes = []
    for place in dict.fromkeys(places):
        for file in files.entries(place, limit=_MAX_FILES).names:
            match = _OPENMP.fullmatch(file)
            if match:
                runtimes.append(Library(name=match["name"], path=f"{place}/{file}"))
    return tuple(runtimes[:_MAX_LIBRARIES])


def torch_libraries(site: SiteFolder) -> Iterator[str]:
    """Yield the paths of the shared libraries of torch, its companions and NVIDIA's packages in one folder."""
    folders = [
        f"{site.folder}/{name}" for name in ("torchvision", "torchaudio", "torch") if name in site.names
    ]
    folders += [f"{site.folder}/torch/lib"] if "torch" in site.names else []
    if "nvidia" in site.names:
        nvidia = f"{site.folder}/nvidia"
        for part in files.entries(nvidia, limit=200).names:
            folders += [f"{nvidia}/{part}/lib", f"{nvidia}/{part}/bin"]
    for folder in folders:
        for name in files.entries(folder, limit=_MAX_FILES).names:
            if _SHARED.fullmatch(name):
                yield f"{folder}/{name}"


def cuda_majors(distributions: Iterable[Distribution]) -> tuple[CudaMajor, ...]:
    """Return the CUDA majors of NVIDIA's packages, by their names and versions, the oldest first."""
    found: dict[int, list[str]] = {}
    for distribution in distributions:
        match = _SUFFIX.fullmatch(distribution.name)
        digits = (
            match[1]
            if match
            else (distribution.version or "").partition(".")[0]
            if distribution.name in _PLAIN
            else ""
        )
        if digits.isascii() and digits.isdigit() and len(digits) == 2:  # noqa: PLR2004
            found.setdefault(int(digits), []).append(
                f"{distribution.name} {distribution.version or ''}".strip()
            )
    return tuple(
        CudaMajor(major=major, packages=tuple(sorted(set(names)))) for major, names in sorted(found.items())
    )
