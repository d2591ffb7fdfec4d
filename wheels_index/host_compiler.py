"""Which host compiler a CUDA toolkit takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheels_index._data import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["gcc_refused_from"]


def gcc_refused_from(cuda: Sequence[int]) -> int | None:
    """Return the first major version of gcc that nvcc of this CUDA version refuses; None where it is not known.

    >>> gcc_refused_from((12, 4)), gcc_refused_from((99, 0))
    (14, None)
    """
    table: dict[str, int] = read_json("host_compilers.json")["gcc_refused_from"]
    return table.get(".".join(map(str, cuda)))
