"""What a project's own code says that it needs: the metadata of a source distribution that was built from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.markers import marker_holds
from torchdoctor.requirements.project_lines import ProjectLines

if TYPE_CHECKING:
    from torchdoctor.requirements.lines import Place

__all__ = ["lines_of_metadata"]

# Backends write `extra == "dev"`, alone or at one end of the marker of a requirement.
_EXTRA = r"""extra\s*==\s*(?P<quote>['"])(?P<extra>[^'"]+)(?P=quote)"""
_EXTRA_ALONE = re.compile(rf"^\s*{_EXTRA}\s*$")
_EXTRA_LAST = re.compile(rf"^(?P<rest>.*\S)\s+and\s+{_EXTRA}\s*$", re.DOTALL)
_EXTRA_FIRST = re.compile(rf"^\s*{_EXTRA}\s+and\s+(?P<rest>.*)$", re.DOTALL)


def lines_of_metadata(text: str, place: Place) -> ProjectLines:
    """Return the requirements of a METADATA or PKG-INFO file, those of extras under their names."""
    raw, _ = parse_email(text)
    groups: dict[str, list[str]] = {"": []}
    for extra in raw.get("provides_extra", []):
        groups[str(canonicalize_name(extra))] = []
    for line in raw.get("requires_dist", []):
        for name, own_line in _split(line, tuple(groups)):
            groups.setdefault(name, []).append(own_line)
    project = raw.get("name")
    return ProjectLines(
        place=place,
        groups=groups,
        name=str(canonicalize_name(project)) if project else None,
        python=raw.get("requires_python"),
    )


def _split(line: str, extras: tuple[str, ...]) -> list[tuple[str, str]]:
    """The extras that ask for the line, "" for none of them, each with the line without the part about extras."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return [("", line)]  # where it is read, it is named as what is wrong
    marker = str(requirement.marker or "")
    if "extra" not in marker:
        return [("", line)]
    for pattern in (_EXTRA_ALONE, _EXTRA_LAST, _EXTRA_FIRST):
        found = pattern.match(marker)
        if found is not None and "extra" not in (rest := found.groupdict().get("rest") or ""):
            requirement.marker = None
            own_line = f"{requirement} ; {rest}" if rest else str(requirement)
            return [(str(canonicalize_name(found["extra"])), own_line)]
    return [(extra, _bare(requirement)) for extra in extras if extra and _counts(requirement, extra)]


def _counts(requirement: Requirement, extra: str) -> bool:
    return marker_holds(requirement.marker, {}, (extra,)) is True


def _bare(requirement: Requirement) -> str:
    return str(requirement).partition(";")[0].strip()
