"""What no stage owns: messages, network, processes, files, wheels as files. Imports nothing of the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.core.fact import Fact, NamedFact

__all__ = ["Fact", "NamedFact"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "fact": (
                "Fact",
                "NamedFact",
            ),
        },
    )
