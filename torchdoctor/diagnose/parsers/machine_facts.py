"""What tells machines apart: the facts that one machine has one value of, and whether two descriptions fit together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.diagnose.evidence import Evidence, Observation

__all__ = ["TELLING", "clashes", "same_gpu", "same_version", "shares", "without_foreign"]

# One machine with one environment has one value of each.
_SINGLE = (
    "nvidia.driver",
    "torch.version",
    "torch.cuda",
    "torch.hip",
    "python.version",
    "os.system",
    "os.name",
    "libc.version",
)
_GPUS = ("nvidia.gpu", "amd.gpu", "intel.gpu", "amd.gfx", "nvidia.series", "nvidia.capability")
# Facts by which a part of a text counts as the description of a machine.
TELLING = (*_SINGLE, *_GPUS, "torch.build", "cuda.available", "nvidia.cuda", "cuda.toolkit", "arch", "chip")
_WORDS = re.compile(r"[a-z]+|\d+")
_MAKERS = frozenset(
    (
        "nvidia", "geforce", "amd", "radeon", "intel", "corporation", "graphics", "gpu", "tesla", "rtx", "gtx",
        "with", "max", "q", "design", "r", "tm",
    )
)  # fmt: skip


def clashes(one: Evidence, other: Evidence) -> bool:
    """Tell whether the two state different values of something that one machine has one value of."""
    for name in _SINGLE:
        values = one.all(name), other.all(name)
        if values[0] and values[1] and not _have_common(*values):
            return True
    gpus = _gpus(one), _gpus(other)
    return bool(gpus[0] and gpus[1]) and not _same_gpu(*gpus)


def shares(one: Evidence, other: Evidence) -> int:
    """Return how many of the facts that tell machines apart are the same in both."""
    count = sum(1 for name in _SINGLE if name != "os.system" and _have_common(one.all(name), other.all(name)))
    gpus = _gpus(one), _gpus(other)
    return count + 2 * bool(gpus[0] and gpus[1] and _same_gpu(*gpus))


def without_foreign(
    facts: Iterable[Observation], own: Evidence, others: Iterable[Evidence]
) -> Iterator[Observation]:
    """Yield the facts of a text's common part that may be of one of its machines.

    What a machine states itself counts alone, and what another machine states is of that one. Of the facts of the
    hardware and its driver, where any machine states some, the common part has nothing to add.
    """
    others = tuple(others)
    stated = {name for evidence in (own, *others) for name in evidence.by_name}
    for fact in facts:
        if fact.name not in TELLING or (
            fact.name not in stated and not (fact.name in _GPUS and stated.intersection(_GPUS))
        ):
            yield fact


def _have_common(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return any(same_version(mine, yours) for mine in one for yours in other)


def same_version(one: str, other: str) -> bool:
    """Tell whether one of the two is the other, or the beginning of it: 3.12 and 3.12.4, 2.9.1 and 2.9.1+cu130."""
    short, long = sorted((one.lower(), other.lower()), key=len)
    return long == short or (long.startswith(short) and long[len(short)] in ".+ ")


def same_gpu(one: str, other: str) -> bool:
    """Tell whether two names are of one GPU: that of one may leave out the maker and words at its end."""
    return _same_gpu(_models((one,)), _models((other,)))


def _gpus(evidence: Evidence) -> frozenset[frozenset[str]]:
    names = [
        value for name in ("nvidia.gpu", "amd.gpu", "intel.gpu", "amd.gfx") for value in evidence.all(name)
    ]
    return _models(names)


def _models(names: Iterable[str]) -> frozenset[frozenset[str]]:
    words = (frozenset(_WORDS.findall(name.lower())) - _MAKERS for name in names)
    return frozenset(word for word in words if word)


def _same_gpu(one: frozenset[frozenset[str]], other: frozenset[frozenset[str]]) -> bool:
    return any(mine <= yours or yours <= mine for mine in one for yours in other)
