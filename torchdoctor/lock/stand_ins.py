"""Packages without a wheel in a solve: uv chooses among their versions by metadata that was read without a build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from wheels_index import extras_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wheels_index import Sdist

__all__ = ["StandIn", "write_stand_ins"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StandIn:
    """What a source distribution says of itself. uv takes it for a wheel, of which it never reads a byte."""

    sdist: Sdist
    requires: tuple[str, ...]

    @property
    def project(self) -> str:
        """Its normalised name."""
        return self.sdist.project

    @property
    def version(self) -> str:
        """Its version as uv writes it."""
        return str(self.sdist.version)


def write_stand_ins(stand_ins: Iterable[StandIn], folder: Path) -> list[dict[str, Any]]:
    """Write an empty file for each into `folder`, which is new, and return uv's settings of their metadata."""
    folder.mkdir()
    settings: list[dict[str, Any]] = []
    for each in stand_ins:
        (folder / f"{each.project.replace('-', '_')}-{each.version}-py3-none-any.whl").touch()
        requires = [line for text in each.requires if (line := _requirement(text))]
        known: dict[str, Any] = {
            "name": each.project,
            "version": each.version,
            "requires-dist": requires,
            "provides-extra": sorted({canonicalize_name(extra) for extra in extras_of(requires)}),
        }
        # Without its Requires-Python: the Python was compared already, and uv refuses what some indexes say there.
        settings.append(known)
    return settings


def _requirement(text: str) -> str:
    """The line in its usual form; none for a text that is no requirement."""
    try:
        return str(Requirement(text))
    except InvalidRequirement:
        return ""
