"""What a check-up saw, before it is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.doctor.hold_state import HoldState
from torchdoctor.doctor.library_state import LibraryState
from torchdoctor.doctor.stack.model import StackState

if TYPE_CHECKING:
    from torchdoctor.core.net import Reach
    from torchdoctor.detect import Detection, PythonInfo
    from torchdoctor.inventory import Inventory
    from torchdoctor.kernel import KernelState
    from torchdoctor.resolve import Plan
    from torchdoctor.verify import CheckResult

__all__ = ["CheckUp"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckUp:
    """One environment on one machine."""

    python: PythonInfo
    detection: Detection
    inventory: Inventory
    kernels: tuple[KernelState, ...] = ()  # those that a notebook offers
    plan: Plan | None = None  # the newest build that fits, by the data that is stored here
    same_family: Plan | None = (
        None  # the same in the installed family of builds; None where it has none that fits
    )
    unfit: str = ""  # why no build fits, where `plan` is None
    imported: tuple[CheckResult, ...] | None = None  # the import of torch; None where it was not tried
    reach: Reach | None = None  # of the index; None where the network was not asked
    moved: tuple[str, ...] = ()  # sentences about scripts that run the interpreter of another place
    hold: HoldState = field(default_factory=HoldState)  # what keeps torch in its family
    elsewhere: str = ""  # another environment that has torch, where this one has none
    stack: StackState = field(default_factory=StackState)  # the packages beside torch, by their files
    libraries: LibraryState = field(default_factory=LibraryState)  # what they ask for and the machine lacks
    packages: tuple[CheckResult, ...] | None = None  # the import of packages; None where it was not tried

    @property
    def healthy_import(self) -> bool | None:
        """Return whether torch could be imported; None where nobody tried."""
        if self.imported is None:
            return None
        return all(result.status != "fail" for result in self.imported)
