"""What uv would choose by the driver alone, beside the plan: the same build or another one, and whether it fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.resolve.compatibility import check_compatibility
from torchdoctor.resolve.platform_support import refuse_platform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.model import Plan
    from wheels_index import Snapshot

__all__ = ["UvChoice", "uv_choice"]


@dataclass(frozen=True, kw_only=True, slots=True)
class UvChoice:
    """The newest torch on the first index that uv would ask; `torch` is None where no such release is known.

    `families` are what uv said, in its order; none where it was not asked. `problem` says why its build does not fit
    the machine, None where it does.
    """

    families: tuple[str, ...]
    torch: str | None
    same: bool
    problem: str | None

    @property
    def description(self) -> str:
        """Return one sentence for people."""
        if not self.families:
            return message(
                "not asked: `--torch-backend=auto` goes by an NVIDIA driver or an AMD target, and none is known"
            )
        if self.torch is None:
            return message(
                "would ask the index {family}, of which no fitting torch is known", family=self.families[0]
            )
        if self.same:
            return message("would take the same torch {torch} (`--torch-backend=auto`)", torch=self.torch)
        if self.problem is None:
            return message(
                "would take torch {torch} (`--torch-backend=auto`), which runs here too", torch=self.torch
            )
        return message(
            "would take torch {torch} (`--torch-backend=auto`), which does not fit: {problem}",
            torch=self.torch,
            problem=self.problem,
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "families": list(self.families), "torch": self.torch, "same": self.same, "problem": self.problem,
        }  # fmt: skip


def uv_choice(machine: Machine, families: Sequence[str], snapshot: Snapshot, plan: Plan) -> UvChoice:
    """Return what uv takes from the first of `families`: the newest release that the index has for this Python."""
    for version in snapshot.versions() if families else ():
        release = snapshot.release(version)
        builds = release.platforms.get(machine.platform or "")
        if (
            builds is None
            or families[0] not in builds.variants
            or refuse_platform(machine, release) is not None
        ):
            continue
        fits = check_compatibility(machine, release, families[0])
        torch = f"{version}+{families[0]}"
        return UvChoice(
            families=tuple(families),
            torch=torch,
            same=str(plan.torch.version) == torch,
            problem=None if fits.installable and fits.coverage == "all" else fits.reason,
        )
    return UvChoice(families=tuple(families), torch=None, same=False, problem=None)
