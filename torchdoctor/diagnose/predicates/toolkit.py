"""The CUDA toolkit (nvcc) and compiled packages against the GPU and torch's CUDA."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.diagnose.derived import capabilities, cuda_of_build
from torchdoctor.diagnose.matchers import Match, source
from torchdoctor.diagnose.text import displayable

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = [
    "gpu_of_capability",
    "missing_library_of_another_cuda",
    "missing_library_of_this_cuda",
    "newest_capability",
    "nvcc_lacks_named_architecture",
    "nvcc_of_another_cuda",
    "ptxas_older_than_gpu",
]

_NAMED = re.compile(
    r"unsupported gpu architecture '(?:compute|sm)_(\d{2,3})(?!\d)|value '(?:sm|compute)_(\d{2,3})[af]?'"
)
# The first toolkit that compiles for a capability, and the first that no longer does:
# https://docs.nvidia.com/cuda/cuda-compiler-driver-nvcc/, "GPU feature list", and the release notes of each toolkit.
_FIRST_TOOLKIT = {
    50: (6, 0), 52: (6, 5), 53: (6, 5), 60: (8, 0), 61: (8, 0), 62: (8, 0), 70: (9, 0), 72: (9, 2), 75: (10, 0),
    80: (11, 0), 86: (11, 1), 87: (11, 4), 89: (11, 8), 90: (11, 8), 100: (12, 8), 101: (12, 8), 120: (12, 8),
    103: (12, 9), 121: (12, 9), 110: (13, 0),
}  # fmt: skip
_FIRST_WITHOUT = {20: (9, 0), 21: (9, 0), 30: (11, 0), 32: (11, 0), 35: (12, 0), 37: (12, 0), 50: (13, 0), 52: (13, 0),
                  53: (13, 0), 60: (13, 0), 61: (13, 0), 62: (13, 0), 70: (13, 0), 72: (13, 0)}  # fmt: skip
# Where no toolkit is named: from here on it is too old, and below it may as well be too new.
_SURELY_TOO_OLD = 75
_CUDA_NAMED = re.compile(r"cuda(?: toolkit| version)?(?: is|[ =:-]){0,3}v?(\d{1,2})\.(\d)\b")
# Libraries whose number is CUDA's own: in CUDA 13 they are libcudart.so.13, but libcufft.so.12 and libcusolver.so.12.
_LIBRARY = re.compile(
    r"\blib(?:cudart|cublas|cublaslt|nvrtc|npp\w{1,6}|nvjpeg)\.so\.(9|1[0-9])"
    r"\S{0,6}(?: is not found|[^\n]{0,6}cannot open|[^\n]{0,20}no such file)"
)


def gpu_of_capability(evidence: Evidence, *, least: str) -> Match | None:
    """A GPU of at least this compute capability is named."""
    limit = parse_numeric_version(least) or ()
    return next(
        (Match(evidence=(source(gpu),)) for capability, gpu in capabilities(evidence) if capability >= limit),
        None,
    )


def nvcc_lacks_named_architecture(evidence: Evidence) -> Match | None:
    """nvcc refuses an architecture that is newer than it; not one that it is too new for."""
    toolkit = parse_numeric_version(evidence.first("cuda.toolkit"))
    for position in evidence.text.find("nvcc fatal"):
        named = _NAMED.search(evidence.text.lower, position, position + 120)
        if named is None:
            continue
        number = int(named[1] or named[2])
        first, without = _FIRST_TOOLKIT.get(number), _FIRST_WITHOUT.get(number)
        if toolkit is not None:
            too_old = first is not None and toolkit[:2] < first
            unknown = first is None and without is None
            if not (too_old or unknown):
                continue
        elif number < _SURELY_TOO_OLD and not _known_by_named_cuda(evidence, first, without):
            continue
        lines = (displayable(evidence.text.line_at(position)[1]),)
        stated = evidence.observations("cuda.toolkit")[:1]
        return Match(evidence=(*lines, *(source(one) for one in stated)))
    return None


def _known_by_named_cuda(
    evidence: Evidence, first: tuple[int, int] | None, without: tuple[int, int] | None
) -> bool:
    """Whether the CUDA that a post names does compile for the architecture: then the nvcc that runs is another one."""
    for position in evidence.text.find("cuda"):
        named = _CUDA_NAMED.match(evidence.text.lower, position)
        version = (int(named[1]), int(named[2])) if named else None
        if version is not None and first is not None and first <= version < (without or (99, 0)):
            return True
    return False


def nvcc_of_another_cuda(evidence: Evidence) -> Match | None:
    """nvcc is of another major version of CUDA than torch, or than the one that conda was asked for."""
    toolkit = parse_numeric_version(evidence.first("cuda.toolkit"))
    built = cuda_of_build(evidence) or parse_numeric_version(evidence.first("conda.cuda"))
    if not toolkit or not built or toolkit[0] == built[0]:
        return None
    names = ("cuda.toolkit", "torch.cuda", "torch.build", "conda.cuda")
    shown = [observation for name in names for observation in evidence.observations(name)[:1]]
    return Match(evidence=tuple(source(one) for one in shown[:2]))


def newest_capability(toolkit: tuple[int, ...]) -> str | None:
    """Return the newest compute capability that a toolkit compiles for (`9.0`); None of one before the tables."""
    known = [number for number, first in _FIRST_TOOLKIT.items() if first <= toolkit[:2]]
    return f"{max(known) // 10}.{max(known) % 10}" if known else None


def ptxas_older_than_gpu(evidence: Evidence) -> Match | None:
    """The newest ptxas of Triton is of a toolkit before the first that assembles for a GPU of the machine."""
    release = parse_numeric_version(evidence.first("live.ptxas"))
    for (major, minor), gpu in capabilities(evidence) if release else ():
        first = _FIRST_TOOLKIT.get(major * 10 + minor)
        if release and first is not None and release[:2] < first:
            return Match(evidence=(source(evidence.observations("live.ptxas")[0]), source(gpu)))
    return None


def missing_library_of_another_cuda(evidence: Evidence) -> Match | None:
    """A library of CUDA is missing whose major version is not that of torch's CUDA."""
    return _missing_library(evidence, same=False)


def missing_library_of_this_cuda(evidence: Evidence) -> Match | None:
    """A library of CUDA is missing whose major version is that of torch's CUDA."""
    return _missing_library(evidence, same=True)


def _missing_library(evidence: Evidence, *, same: bool) -> Match | None:
    cuda = cuda_of_build(evidence)
    if cuda is None:
        return None
    positions = (*evidence.text.find(".so.1"), *evidence.text.find(".so.9"))
    for position in positions:
        start = max(position - 20, 0)
        named = _LIBRARY.search(evidence.text.lower, start, position + 60)
        if named and (int(named[1]) == cuda[0]) is same:
            built = (*evidence.observations("torch.build"), *evidence.observations("torch.cuda"))[:1]
            line = displayable(evidence.text.line_at(position)[1])
            return Match(evidence=(line, *(source(one) for one in built)))
    return None
