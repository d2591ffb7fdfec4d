"""Whether this machine has what a build against torch needs: a compiler, and for CUDA a toolkit that takes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.detect.nvidia.toolkit import parse_nvcc
from wheels_index import gcc_refused_from, variant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdoctor.core.system import System
    from torchdoctor.lock.sdist_contents import SdistContents

__all__ = ["missing_build_tools"]

_COMPILERS = ("c++", "g++", "clang++", "cl")
_GCC_VERSION = re.compile(r"(?:\(GCC\)|g\+\+[^\n]{0,200}|c\+\+[^\n]{0,200})\s(\d{1,2})\.\d", re.ASCII)


def missing_build_tools(system: System, variant_name: str, contents: SdistContents) -> tuple[str, ...]:
    """Return what is missing or of the wrong version, a sentence each; none where the build can be tried."""
    if not contents.compiles:
        return ()
    compiler, text = _compiler(system)
    if compiler is None:
        return (message("there is no C++ compiler (g++, clang++ or cl)"),)
    build = variant(variant_name)
    if contents.has_cuda and build.kind == "cuda" and build.toolkit is not None:
        return tuple(_cuda_tools(system, build.toolkit, text))
    return ()


def _compiler(system: System) -> tuple[str | None, str]:
    """The compiler that a build finds, and what it says of itself."""
    named: Sequence[str] = tuple(filter(None, (system.environ.get("CXX"),))) or _COMPILERS
    for name in named:
        answer = system.run([name, "--version"])
        if answer.failure not in ("missing", "denied"):
            return name, answer.stdout
    return None, ""


def _cuda_tools(system: System, toolkit: tuple[int, ...], compiler: str) -> Iterator[str]:
    home = system.environ.get("CUDA_HOME") or system.environ.get("CUDA_PATH")
    answer = system.run([f"{home}/bin/nvcc" if home else "nvcc", "--version"])
    if answer.failure == "foreign":  # of an environment, whose build finds it all the same
        return
    found = parse_nvcc(answer.stdout)
    if found is None:
        yield message("there is no nvcc; CUDA {major} is needed", major=toolkit[0])
        return
    version = parse_numeric_version(found) or ()
    if version[:1] != toolkit[:1]:
        yield message(
            "nvcc is of CUDA {found}, and torch of CUDA {major}",
            found=found,
            major=".".join(map(str, toolkit)),
        )
    refused_from = gcc_refused_from(version[:2])
    gcc = _GCC_VERSION.search(compiler)
    if refused_from is not None and gcc is not None and int(gcc[1]) >= refused_from:
        yield message(
            "nvcc of CUDA {found} takes no gcc from {limit} on, and this is gcc {gcc}",
            found=found,
            limit=refused_from,
            gcc=gcc[1],
        )
