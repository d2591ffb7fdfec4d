"""What `torchdoctor project` is given, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from torchdoctor.detect import Machine
    from torchdoctor.project.advice import AdviceStep
    from torchdoctor.project.model import FamilyTables, ProjectChange, Section
    from torchdoctor.project.recognize import ProjectFolder
    from torchdoctor.resolve.driver_updates import DriverUpdate, FewerFamilies
    from torchdoctor.resolve.family_cover import FamilyCover
    from torchdoctor.sources import Source

__all__ = ["ProjectOptions", "ProjectResult"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectOptions:
    """What a project is to be given."""

    folder: Path
    machines: Mapping[str, Machine]  # by name
    torch: SpecifierSet | None = None
    variants: tuple[str, ...] = ()  # families besides those that the machines need
    with_: tuple[str, ...] = ()  # normalised names of packages that come from the family's index too
    section: Section = "extra"
    source: Source  # the index of builds that the project is to name


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectResult:
    """Families for the machines, and what they mean for the project."""

    project: ProjectFolder
    machines: Mapping[str, Machine]  # with the Python of the project
    cover: FamilyCover
    families: tuple[FamilyTables, ...]
    changes: tuple[ProjectChange, ...] = ()  # of files; empty where nothing is written
    to_add: str | None = None  # what to take over by hand, where no file is written for it
    advice: Mapping[str, tuple[AdviceStep, ...]] = field(
        default_factory=dict
    )  # by variant: steps for a program that starts pip itself
    matrix: str | None = None  # for GitHub Actions
    idle: tuple[DriverUpdate, ...] = ()
    newer_torch: tuple[DriverUpdate, ...] = ()
    fewer: FewerFamilies | None = None
    warnings: tuple[str, ...] = ()
    commands: Mapping[str, str] = field(default_factory=dict)  # what each machine runs

    @property
    def pending(self) -> tuple[ProjectChange, ...]:
        """The changes that would write something."""
        return tuple(change for change in self.changes if change.changes)

    def tables_of(self, machine: str) -> FamilyTables | None:
        """Return the tables of the family that a machine takes; None where nothing serves it."""
        family = self.cover.family_of(machine)
        if family is None:
            return None
        return next((each for each in self.families if each.variant == family.variant), None)
