"""Libraries that torch needs, as observations, where neither requirements nor lists of files explain them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdoctor.doctor.requirements import Unmet
    from torchdoctor.inventory import Inventory

__all__ = ["runtime_observations"]

_PREFIXES = ("nvidia-", "cuda-", "torch")


def runtime_observations(inventory: Inventory, unmet: Sequence[Unmet]) -> Iterator[Observation]:
    """Yield what is missing or comes from the system; what a missing package or file says already is not told twice."""
    explained = any(each.project.startswith(_PREFIXES) for each in unmet) or any(
        check.needed and check.name.startswith(_PREFIXES) for check in inventory.records.value or ()
    )
    for library in inventory.runtime.value or ():
        if library.kind != "twice" and not explained:
            yield Observation(name=f"live.library.{library.kind}", value=library.name, source=library.reason)
