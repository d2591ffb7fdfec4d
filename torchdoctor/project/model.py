"""What a project is to be given: tables for each family of builds, and the change that this makes to a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.version import Version

__all__ = ["FamilyTables", "Member", "ProjectChange", "Section"]

# Where the requirements of a family stand: https://docs.astral.sh/uv/concepts/projects/dependencies/
Section = Literal["extra", "group"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One package of a family."""

    name: str  # normalised
    line: str  # the requirement of the family's extra
    marker: str | None = None  # where only some systems have it
    reaches: Version | None = None  # the release that the line must admit
    stops_below: Version | None = None  # the next release of the family, which it must not admit


@dataclass(frozen=True, kw_only=True, slots=True)
class FamilyTables:
    """A family as tables of uv."""

    variant: str
    section: Section
    name: str  # of its extra or group
    index_name: str
    index_url: str
    members: tuple[Member, ...]  # torch first
    is_adopted: bool = (
        False  # whether the project has it already under a name of its own, and it stays as it is
    )
    excluded_groups: tuple[str, ...] = ()  # that uv would install by default, and that conflict with it

    @property
    def sync_command(self) -> str:
        """The command that installs the project with this family."""
        without = "".join(f" --no-group {name}" for name in self.excluded_groups)
        return f"uv sync{without} --{self.section} {self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectChange:
    """A file as it is and as it is to be."""

    path: Path  # the file itself, where its name is a link
    before: bytes | None  # None where there is none yet
    after: bytes
    notes: tuple[str, ...] = ()  # what is added, and what of the user's is replaced, each a sentence

    @property
    def changes(self) -> bool:
        """Whether anything would be written."""
        return self.before != self.after
