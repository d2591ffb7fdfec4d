"""What to install where torch was replaced: the recorded family, within what others want of torch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.markers import marker_holds
from torchdoctor.doctor.requirements import marker_environment
from torchdoctor.inventory.requirement_conflicts import requirements_on
from wheels_index import COMPANIONS, TORCH_PROJECTS, UnknownVariant, variant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.resolve import Request

__all__ = ["REPLACED", "asked_besides_torch", "recorded_requests"]

# The findings that say that the recorded torch was replaced.
REPLACED = frozenset({"torch-replaced-by-other-package", "torch-replaced-by-requirements"})


def recorded_requests(check_up: CheckUp, packages: Request) -> Iterator[Request]:
    """Yield what to ask the resolver for, the best first: the recorded release, another one, in the recorded family.

    What was asked for of torch always counts, what installed packages require as long as the family has it. `packages`
    names the companions.
    """
    record = check_up.inventory.install_record.value
    if record is None or record.variant is None:
        return
    try:
        family = variant(record.variant).name
    except UnknownVariant:
        return
    asked, required = _asked_of_torch(check_up), _required_of_torch(check_up)
    version = dict(record.packages).get("torch", "")
    for limits in (asked & required, asked):
        if _contains(limits, version):
            yield replace(packages, variant=family, torch=SpecifierSet(f"=={Version(version).public}"))
        yield replace(packages, variant=family, torch=limits)


def asked_besides_torch(check_up: CheckUp) -> tuple[tuple[str, str], ...]:
    """Return the recorded requirement lines of other packages, each with who asked for it; without those of URLs."""
    record = check_up.inventory.install_record.value
    return tuple(
        (line, origin)
        for line, origin in (record.asked if record else ())
        if (requirement := _parsed(line)) is not None
        and requirement.url is None
        and canonicalize_name(requirement.name) not in TORCH_PROJECTS
    )


def _asked_of_torch(check_up: CheckUp) -> SpecifierSet:
    record = check_up.inventory.install_record.value
    values, limits = marker_environment(check_up.python), SpecifierSet()
    for line, _ in record.asked if record else ():
        requirement = _parsed(line)
        if requirement is None or canonicalize_name(requirement.name) != "torch":
            continue
        if marker_holds(requirement.marker, values):
            limits &= _without_local(requirement.specifier)
    return limits


def _required_of_torch(check_up: CheckUp) -> SpecifierSet:
    """What the installed packages require, but for companions, which are chosen with torch."""
    distributions = check_up.inventory.distributions.value or ()
    limits = SpecifierSet()
    for distribution, requirement in requirements_on(
        "torch", distributions, marker_environment(check_up.python)
    ):
        if distribution.name not in COMPANIONS:
            limits &= requirement.specifier
    return limits


def _without_local(specifiers: SpecifierSet) -> SpecifierSet:
    """A pin to one build (`==2.1.0+cu121`) counts for the release."""
    return SpecifierSet(",".join(str(each).partition("+")[0] for each in specifiers))


def _contains(limits: SpecifierSet, version: str) -> bool:
    try:
        return limits.contains(Version(Version(version).public), prereleases=True)
    except InvalidVersion:
        return False


def _parsed(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None
