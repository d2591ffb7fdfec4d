"""Which installed packages would no longer get what they require if others changed their versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import message
from torchdoctor.core.markers import marker_holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from torchdoctor.inventory.package_model import Distribution

__all__ = ["BrokenRequirement", "broken_requirements", "requirements_on"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenRequirement:
    """A requirement that a change would break."""

    by: str  # the installed package that requires it, with its version
    name: str  # of that package
    wanted: str  # the project with the versions that are allowed
    version: str  # the version that would be installed

    @property
    def description(self) -> str:
        """The requirement and the version that breaks it, as a sentence."""
        return message(
            "{by} requires {wanted}, and {version} would be installed",
            by=self.by,
            wanted=self.wanted,
            version=self.version,
        )


def broken_requirements(
    distributions: Iterable[Distribution],
    before: Mapping[str, str],
    after: Mapping[str, str],
    environment: Mapping[str, str | AbstractSet[str]],
) -> tuple[BrokenRequirement, ...]:
    """Return the requirements of packages that stay which `after` does not meet and `before` does, or does not have.

    Both map names to versions; `environment` are the values of markers. Only requirements that the inventory keeps are
    looked at: those on packages of PyTorch.
    """
    found = {}
    for distribution in distributions:
        if distribution.name in after or distribution.kind == "conda":
            continue
        for requirement in _requirements(distribution, environment):
            name = str(canonicalize_name(requirement.name))
            old, new = before.get(name), after.get(name)
            if new is None or old == new or _meets(requirement, new):
                continue
            if old is None or _meets(requirement, old):
                by = f"{distribution.name} {distribution.version or '?'}"
                wanted = f"{name}{requirement.specifier}"
                found[by, wanted] = BrokenRequirement(
                    by=by, name=distribution.name, wanted=wanted, version=f"{name} {new}"
                )
    return tuple(found.values())


def requirements_on(
    project: str, distributions: Iterable[Distribution], environment: Mapping[str, str | AbstractSet[str]]
) -> Iterator[tuple[Distribution, Requirement]]:
    """Yield each installed package that requires the project, with the requirement, in the order of the path."""
    for distribution in distributions:
        for requirement in _requirements(distribution, environment):
            if canonicalize_name(requirement.name) == project:
                yield distribution, requirement


def _requirements(
    distribution: Distribution, environment: Mapping[str, str | AbstractSet[str]]
) -> Iterator[Requirement]:
    for line in distribution.requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if marker_holds(requirement.marker, environment):
            yield requirement


def _meets(requirement: Requirement, version: str) -> bool:
    """A version that cannot be read counts as meeting it."""
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True
