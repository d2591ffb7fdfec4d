"""What takes part in the choice besides torch and its companions, and what came out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.lock.model import LockRequest
    from torchdoctor.lock.solve import Solution
    from torchdoctor.requirements import AskedRequirement, StackRequest

__all__ = ["StackChoice", "StackTask"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StackTask:
    """Everything that was asked for besides torch, the sources and the interpreter, and a folder to work in."""

    stack: StackRequest  # for one machine, without torch and its companions
    lock_request: LockRequest
    run_dir: Path

    @property
    def named(self) -> tuple[AskedRequirement, ...]:
        """What was asked for by name, without what is not installed here."""
        excluded = self.lock_request.excluded
        return tuple(asked for asked in self.stack.requirements if asked.name not in excluded)


@dataclass(frozen=True, kw_only=True, slots=True)
class StackChoice:
    """The versions that go together, and the newest version that this machine can install of each that was named."""

    solution: Solution
    newest: Mapping[str, str] = field(default_factory=dict)
    why_below: Mapping[str, str] = field(
        default_factory=dict
    )  # why a named project stays below its newest version

    @property
    def below(self) -> dict[str, tuple[str, str]]:
        """The named projects that are not at their newest version: the version chosen and the newest."""
        return {
            name: (self.solution.versions[name], newest)
            for name, newest in self.newest.items()
            if self.solution.versions.get(name, newest) != newest
        }
