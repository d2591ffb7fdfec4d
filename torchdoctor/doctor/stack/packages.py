"""The installed packages of an environment with all of their requirements, read from their metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.markers import marker_holds
from torchdoctor.inventory import files
from torchdoctor.inventory.metadata import parse_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from torchdoctor.inventory import Inventory
    from torchdoctor.inventory.package_model import Distribution

__all__ = ["InstalledPackages", "allows", "canonical", "read_requirement"]

_METADATA = {"wheel": "METADATA", "egg": "PKG-INFO"}


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledPackages:
    """The packages of an inventory, and the marker variables of their Python."""

    inventory: Inventory
    markers: Mapping[str, str]

    def get(self, name: str) -> Distribution | None:
        """Return the distribution that is imported under a normalised name, by whichever installer."""
        return self.inventory.distribution(name)

    def requirements(self, package: Distribution, extras: Iterable[str] = ()) -> Iterator[Requirement]:
        """Yield what a package requires here, with these extras; conda's packages keep no such list."""
        file = _METADATA.get(package.kind)
        text = files.read_text(f"{package.metadata}/{file}") if file is not None else None
        for line in parse_requirements(text or ""):
            requirement = read_requirement(line)
            if requirement is not None and self.applies(requirement, extras):
                yield requirement

    def applies(self, requirement: Requirement, extras: Iterable[str] = ()) -> bool:
        """Return whether the marker of a requirement holds here for one of the extras, or without any."""
        return marker_holds(requirement.marker, self.markers, extras) is not False


def read_requirement(line: str) -> Requirement | None:
    """Return the requirement of a line; None for a line that is none."""
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def canonical(requirement: Requirement) -> str:
    """Return the normalised name of what is required."""
    return str(canonicalize_name(requirement.name))


def allows(requirement: Requirement, version: str | None) -> bool:
    """Return whether a version is allowed; one that is unknown or cannot be read is."""
    try:
        return version is None or requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True
