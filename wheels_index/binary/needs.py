"""What the needed libraries of a library mean: libtorch, its GPU parts, CUDA of which major, ROCm, SYCL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheels_index.binary.library import Library

__all__ = ["Needs", "library_stem", "needs_of"]

# libtorch_cpu.so, torch_cpu.dll, @rpath/libtorch_cpu.dylib -> torch_cpu
_STEM = re.compile(r"(?:lib)?(?P<stem>[^.]+)\.(?:so(?:\.[\d.]+)?|dll|dylib|pyd|[\d.]+dylib)", re.IGNORECASE)
_TORCH = frozenset({"torch", "torch_cpu", "torch_python", "c10", "torch_global_deps", "shm"})
_TORCH_CUDA = frozenset({"torch_cuda", "c10_cuda", "torch_cuda_cpp", "torch_cuda_cu", "torch_cuda_linalg"})
_TORCH_HIP = frozenset({"torch_hip", "c10_hip"})
_TORCH_XPU = frozenset({"torch_xpu", "c10_xpu"})
# Of these libraries the number is CUDA's major; others, such as libcufft.so.12 of CUDA 13, count by themselves.
_CUDA_ELF = re.compile(r"lib(?:cudart|cublas|cublasLt|nvrtc|nvJitLink)\.so\.(?P<major>\d+)(?:\.[\d.]+)?")
_CUDA_PE = re.compile(
    r"(?:cudart64|cublas64|cublasLt64|nvrtc64)_(?P<major>\d+?)(?:0|\d0_0)?\.dll", re.IGNORECASE
)
_ROCM = frozenset(
    {"amdhip64", "hipblas", "hipblaslt", "rocblas", "miopen", "hiprtc", "rccl", "hsa-runtime64"}
)
_SYCL = frozenset({"sycl", "ze_loader"})
_MOST_MAJOR = 99


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What one library, or several together, cannot be loaded without."""

    torch: bool = False  # libtorch of any build
    torch_gpu: frozenset[str] = frozenset()  # its GPU parts: "cuda", "rocm", "xpu"
    cuda_majors: frozenset[int] = frozenset()  # of CUDA's runtime and its libraries
    rocm: bool = False
    sycl: bool = False


def library_stem(name: str) -> str | None:
    """Return the name without folder, `lib` and ending; None for something else than a library."""
    match = _STEM.fullmatch(re.split(r"[/\\]", name)[-1])
    return match["stem"].lower() if match else None


def needs_of(library: Library, *, beside: Iterable[str] = ()) -> Needs:
    """Return what a library needs; `beside` are the file names of libraries that come with it in one wheel."""
    own = set(beside)
    names = [name for name in library.needed or () if re.split(r"[/\\]", name)[-1] not in own]
    stems = {stem for name in names if (stem := library_stem(name)) is not None}
    gpu = {
        kind
        for kind, libraries in (("cuda", _TORCH_CUDA), ("rocm", _TORCH_HIP), ("xpu", _TORCH_XPU))
        if stems & libraries
    }
    majors = {
        int(match["major"])
        for name in names
        if (match := _CUDA_ELF.fullmatch(name) or _CUDA_PE.fullmatch(name)) is not None
    }
    return Needs(
        torch=bool(stems & (_TORCH | _TORCH_CUDA | _TORCH_HIP | _TORCH_XPU)),
        torch_gpu=frozenset(gpu),
        cuda_majors=frozenset(major for major in majors if 0 < major <= _MOST_MAJOR),
        rocm=bool(stems & _ROCM),
        sycl=bool(stems & _SYCL),
    )
