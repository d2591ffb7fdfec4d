"""CUDA toolkits that are installed, which PyTorch's wheels do not need, and libraries that get in the wheels' way."""

from __future__ import annotations

import glob
import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found
from torchdoctor.core.i18n import message
from torchdoctor.core.text import read_object, sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["TOOLKIT_NAMES", "parse_nvcc", "parse_toolkit_json", "parse_toolkit_txt", "probe_toolkits"]

TOOLKIT_NAMES = ("nvidia.toolkits", "nvidia.nvcc", "nvidia.shadowing_libraries", "nvidia.compat_libcuda")
_MAX_FOLDERS = 200
_COMPAT = re.compile(r"/cuda[^/]{0,20}/compat(?:/|$)")
# What PyTorch's wheels bring along themselves: the loader takes LD_LIBRARY_PATH's before the wheels'.
_SHADOWING = re.compile(
    r"lib(cudart|cublas|cublasLt|cudnn\w*|cufft|curand|cusolver|cusparse|cusparseLt|cupti|nccl|nvrtc|nvJitLink|"
    r"nvToolsExt|cufile|nvshmem_host|stdc\+\+|gomp|c10|torch\w*)\.so(\.\d{1,5}){0,4}",
    re.ASCII,
)
_PATTERNS = (
    "libcu*.so*", "libnccl.so*", "libnv*.so*", "libstdc++.so*", "libgomp.so*", "libc10.so", "libtorch*.so",
)  # fmt: skip


def probe_toolkits(system: System, python: PythonInfo) -> Mapping[str, Fact[object]]:
    """The facts of `TOOLKIT_NAMES`."""
    linux = python.sys_platform == "linux"
    toolkits = tuple(_toolkits(system)) if linux else tuple(_by_variables(system))
    answer = system.run(["nvcc", "--version"])
    version = parse_nvcc(answer.stdout)
    shadows = tuple(_shadows(system)) if linux else ()
    where = "/usr/local/cuda*" if linux else "CUDA_PATH_V*"
    return {
        "nvidia.toolkits": found(toolkits, where) if toolkits else absent(where),
        "nvidia.nvcc": found(version, "nvcc") if version else absent("nvcc", why=answer.cause),
        "nvidia.shadowing_libraries": found(shadows[:_MAX_FOLDERS], "LD_LIBRARY_PATH")
        if shadows
        else absent("LD_LIBRARY_PATH"),
        "nvidia.compat_libcuda": _compat_libcuda(system) if linux else absent("LD_LIBRARY_PATH"),
    }


def _compat_libcuda(system: System) -> Fact[object]:
    """The driver's library of cuda-compat, where the loader takes it before the installed driver's.

    Its package puts it into the folder compat of a toolkit: https://docs.nvidia.com/deploy/cuda-compatibility/
    """
    for folder in system.environ.get("LD_LIBRARY_PATH", "").split(":")[:_MAX_FOLDERS]:
        path = f"{folder.rstrip('/')}/libcuda.so.1"
        if folder.startswith("/") and system.exists(path):
            # The first one counts, whatever it is.
            if _COMPAT.search(folder):
                return found(sanitize_line(path), "LD_LIBRARY_PATH")
            return absent("LD_LIBRARY_PATH", why=message("another one is found first"))
    return absent("LD_LIBRARY_PATH")


def _toolkits(system: System) -> Iterator[str]:
    """`12.4 (/usr/local/cuda-12.4)` each; the link /usr/local/cuda is left, unless it is alone."""
    folders = {path.rsplit("/", 1)[0] for path in system.glob("/usr/local/cuda*/version.*")}
    named = sorted(folders - {"/usr/local/cuda"}) or sorted(folders)
    for variable in ("CUDA_HOME", "CUDA_PATH"):
        given = system.environ.get(variable, "").rstrip("/")
        if given.startswith("/") and given not in (*named, "/usr/local/cuda"):
            named.append(given)
    for folder in named[:_MAX_FOLDERS]:
        version = parse_toolkit_json(system.read_text(f"{folder}/version.json") or "")
        version = version or parse_toolkit_txt(system.read_text(f"{folder}/version.txt") or "")
        if version:
            yield f"{version} ({sanitize_line(folder)})"


def _by_variables(system: System) -> Iterator[str]:
    """Windows' installer leaves CUDA_PATH_V12_4 for each."""
    for name, value in sorted(system.environ.items()):
        match = re.fullmatch(r"CUDA_PATH_V(\d{1,2})_(\d{1,2})", name.upper(), re.ASCII)
        if match:
            yield f"{match[1]}.{match[2]} ({sanitize_line(value)})"


def parse_toolkit_json(text: str) -> str | None:
    """The version of a toolkit from 11.1 on, by its version.json."""
    try:
        part = read_object(text).get("cuda")
    except ValueError:
        return None
    version = part.get("version") if isinstance(part, dict) else None
    return _version(version) if isinstance(version, str) else None


def parse_toolkit_txt(text: str) -> str | None:
    """The version of an older toolkit: `CUDA Version 10.2.89`."""
    match = re.match(r"CUDA Version (\S{1,20})", text)
    return _version(match[1]) if match else None


def _version(text: str) -> str | None:
    return text if re.fullmatch(r"\d{1,2}\.\d{1,2}(\.\d{1,5})?", text, re.ASCII) else None


def parse_nvcc(text: str) -> str | None:
    """The release that `nvcc --version` names."""
    match = re.search(r"release (\d{1,2}\.\d{1,2}), V(\d{1,2}\.\d{1,2}\.\d{1,5})", text, re.ASCII)
    return match[2] if match else None


def _shadows(system: System) -> Iterator[str]:
    for folder in dict.fromkeys(system.environ.get("LD_LIBRARY_PATH", "").split(":")[:_MAX_FOLDERS]):
        if not folder.startswith("/"):
            continue
        base = glob.escape(folder.rstrip("/"))
        for pattern in _PATTERNS:
            for path in system.glob(f"{base}/{pattern}"):
                if _SHADOWING.fullmatch(path.rsplit("/", 1)[-1]):
                    yield sanitize_line(path)
