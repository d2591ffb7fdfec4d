"""What the installed torch requires and is missing, or is installed in another version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.inventory.required import marker_environment, required_packages
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory import Inventory

__all__ = ["Unmet", "marker_environment", "unmet_requirements"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmet:
    """A requirement that is not met."""

    project: str  # what is required, by its normalised name
    by: str  # the package that requires it
    wanted: str  # the project with the versions that are allowed
    version: str | None  # the installed one; None where the project is missing

    @property
    def description(self) -> str:
        """Return what is required and what is installed, as a sentence."""
        if self.version:
            return message(
                "{by} requires {wanted}, but {version} is installed",
                by=self.by,
                wanted=self.wanted,
                version=self.version,
            )
        return message("{by} requires {wanted}, which is not installed", by=self.by, wanted=self.wanted)


def unmet_requirements(inventory: Inventory, python: PythonInfo) -> tuple[Unmet, ...]:
    """Compare the installed packages with what torch and its companions require, extras and markers followed.

    Requirements of torch itself are left out: `companion_match` judges them by more than metadata. Packages of conda
    are not judged. Without a torch nothing is required.
    """
    if inventory.distribution("torch") is None:
        return ()
    found: dict[str, Unmet] = {}
    required = required_packages(
        TORCH_PROJECTS, inventory.distributions.value or (), marker_environment(python)
    )
    for each in required:
        if each.name != "torch" and not each.is_met:
            unmet = Unmet(
                project=each.name,
                by=each.by.name,
                wanted=f"{each.name}{each.requirement.specifier}",
                version=each.there.version if each.there else None,
            )
            found.setdefault(unmet.project, unmet)
    return tuple(found.values())
