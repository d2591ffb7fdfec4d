"""What is to be brought for one environment, and with what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.detect import Machine
    from torchdoctor.lock.target import Target
    from torchdoctor.resolve.model import Request
    from torchdoctor.sources.order import Sources

__all__ = ["AcquireContext"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AcquireContext:
    """What to bring and with what: `extras` must be there, `optional` requirement lines may be left out.

    `installed` versions of an environment that is there already stay where the plan allows; those named in
    `reinstall` are brought all the same. `target` is given where `machine` is another one than this.
    """

    request: Request
    python: Path
    sources: Sources
    extras: tuple[str, ...]
    optional: tuple[str, ...]
    cache: Path
    work: Path
    environ: Mapping[str, str]
    offline: bool
    machine: Machine
    installed: Mapping[str, str] = field(default_factory=dict)
    reinstall: frozenset[str] = frozenset()
    target: Target | None = None

    def has(self, name: str, version: str) -> bool:
        """Whether that version is there already and may stay as it is."""
        return self.installed.get(name) == version and name not in self.reinstall
