"""What a check-up saw, before anything is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchdoctor.core.net.connectivity import Reach
    from torchdoctor.detect import Detection, PythonInfo
    from torchdoctor.inventory import Inventory
    from torchdoctor.kernel import KernelState
    from torchdoctor.resolve.model import Plan
    from torchdoctor.verify import CheckResult

__all__ = ["CheckUp"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckUp:
    """One environment on one machine.

    `plan` is what would fit, None where nothing does and `unfit` says why. `imported` are the checks that imported
    torch in the environment, None where that was not asked for or torch is not there; `reach` is None where the
    network was not asked. `moved` are scripts that run another place's interpreter; `elsewhere` says where else a
    torch is, where this environment has none.
    """

    python: PythonInfo
    detection: Detection
    inventory: Inventory
    kernels: tuple[KernelState, ...] = ()
    plan: Plan | None = None
    unfit: str = ""
    imported: tuple[CheckResult, ...] | None = None
    reach: Reach | None = None
    moved: tuple[str, ...] = ()
    elsewhere: str = ""

    @property
    def healthy_import(self) -> bool | None:
        """Whether torch could be imported; None where nobody tried."""
        if self.imported is None:
            return None
        return all(row.status != "fail" for row in self.imported)
