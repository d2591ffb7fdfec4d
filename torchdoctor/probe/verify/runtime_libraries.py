"""Checks of what torch runs on: the libraries that it loaded, and its threads."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import contextlib
import math
import os
import re
import sys
from pathlib import Path
from typing import Any

from ..control_groups import allowed_processors
from ..message import joined, sentence
from ..step import Outcome, failed, passed, warned

__all__ = ["libraries", "threads"]

# Libraries whose other version changes results or fails late, by the beginning of their file names.
_WATCHED = (
    "libcudart",
    "libcudnn",
    "libcublas",
    "libnccl",
    "libnvrtc",
    "libgomp",
    "libiomp",
    "libomp",
    "libmkl_core",
)
_VENDOR = ("libcudart", "libcudnn", "libcublas", "libnccl", "libnvrtc")


def libraries(torch: Any, _device: str) -> Outcome:
    """List the CUDA, cuDNN, NCCL and OpenMP libraries that were loaded, and warn when one was loaded twice."""
    refused = ""
    try:
        found = _versions(torch)
    except RuntimeError as error:
        refused, found = " ".join(str(error).split()), []
        if "cuDNN version incompatibility" not in refused:
            raise
    files = _loaded()
    if files is None:
        if refused:
            return failed("cudnn-mismatch", refused)
        return passed(
            sentence("{libraries}; the files loaded can be listed on Linux only", libraries=joined(found))
        )
    torch_home = Path(str(torch.__file__)).resolve().parent
    prefix = torch_home.parent
    named, outside = [], []
    for file in files:
        inside = prefix in file.parents or Path(sys.prefix).resolve() in file.parents
        named.append(file.name if inside else str(file))
        # Without NVIDIA's wheels beside torch the system's libraries are those that it was built with.
        if not inside and file.name.startswith(_VENDOR) and (prefix / "nvidia").is_dir():
            outside.append(str(file))
    found += named
    if refused:
        # Which of the two it is: another cuDNN on LD_LIBRARY_PATH, or another package in the environment.
        from_outside = any(Path(file).name.startswith("libcudnn") for file in outside)
        return failed("libraries-from-outside" if from_outside else "cudnn-mismatch", refused)
    return _judged(files, outside, prefix, found)


def _judged(files: list[Path], outside: list[str], prefix: Path, found: list[str]) -> Outcome:
    twice = _loaded_twice(files)
    if twice:
        inside = not outside and all(prefix in file.parents for file in twice)
        return warned(
            "library-installed-twice" if inside else "library-loaded-twice",
            sentence("loaded twice: {twice}; {said}", twice=joined(twice, " and "), said=joined(found)),
        )
    if outside and os.environ.get("LD_LIBRARY_PATH"):
        return warned(
            "libraries-from-outside",
            sentence(
                "LD_LIBRARY_PATH brings libraries from outside the environment: {outside}",
                outside=joined(outside),
            ),
        )
    return passed(joined(found))


def _versions(torch: Any) -> list[str]:
    versions = []
    if getattr(torch.version, "cuda", None):
        versions.append(sentence("built for CUDA {cuda}", cuda=torch.version.cuda))
        # Raises when the cuDNN that was found is not one that this torch can use.
        cudnn = torch.backends.cudnn.version()
        versions += [f"cuDNN {cudnn}"] if cudnn else []
        with contextlib.suppress(Exception):
            versions.append("NCCL " + ".".join(map(str, torch.cuda.nccl.version())))
    if getattr(torch.version, "hip", None):
        versions.append(sentence("built for ROCm {hip}", hip=torch.version.hip))
    for name in ("mkl", "mkldnn", "openmp"):
        module = getattr(torch.backends, name, None)
        if module is not None:
            versions.append(
                sentence(
                    "{name} {there}",
                    name="oneDNN" if name == "mkldnn" else name,
                    there=sentence("there") if module.is_available() else sentence("not there"),
                )
            )
    return versions


def _loaded() -> list[Path] | None:
    """The watched libraries in this process, None where the system does not list them."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123  # a pseudo file
            names = {line.split(None, 5)[5].rstrip("\n") for line in file if line.count("/") > 1}
    except (OSError, IndexError):
        return None
    return sorted(Path(name) for name in names if Path(name).name.startswith(_WATCHED))


def _loaded_twice(files: list[Path]) -> list[Path]:
    kinds: dict[str, list[Path]] = {}
    for file in files:
        if file.name.startswith(_VENDOR):
            # Old wheels put a hash in the name: libcudart-d0da41ae.so.11.0.
            name = re.sub(r"-[0-9a-f]{8}$", "", file.name.partition(".")[0])
            kinds.setdefault(name, []).append(file)
    return next((rows for rows in kinds.values() if len(rows) > 1), [])


def threads(torch: Any, _device: str) -> Outcome:
    """Compare the number of threads that torch uses with the cores that this process may use."""
    count = int(torch.get_num_threads())
    allowed, source = _allowed()
    names = [name for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if os.environ.get(name)]
    set_by = joined([sentence(" (by {name})", name=name) for name in names], "")
    if count > allowed:
        return warned(
            "too-many-threads",
            sentence(
                "torch uses {count} threads{set_by}, and {allowed} {source}: work on the CPU can be many "
                "times slower; set OMP_NUM_THREADS={allowed}",
                count=count,
                set_by=set_by,
                allowed=allowed,
                source=source,
            ),
        )
    return passed(
        sentence(
            "{threads}{set_by}, {allowed} {source}",
            threads=sentence("1 thread") if count == 1 else sentence("{count} threads", count=count),
            set_by=set_by,
            allowed=allowed,
            source=source,
        )
    )


def _allowed() -> tuple[int, str]:
    cores, source = os.cpu_count() or 1, sentence("cores are available")
    with contextlib.suppress(AttributeError, OSError):
        mine = len(os.sched_getaffinity(0))
        if mine < cores:
            cores, source = mine, sentence("cores are allowed to this process")
    quota = allowed_processors()
    # Rounded up: half a core more is not what makes a thread too many.
    if quota is not None and math.ceil(quota) < cores:
        cores, source = math.ceil(quota), sentence("cores are what the container may use")
    return cores, source
