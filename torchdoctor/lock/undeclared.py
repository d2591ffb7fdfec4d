"""Wheels that require more than their index said: what stands in the wheel decides."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.markers import marker_holds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from packaging.markers import Environment

__all__ = ["metadata_lines", "undeclared_requirements"]

_MAX_METADATA_BYTES = 4 * 1024 * 1024


def undeclared_requirements(
    wheels: Iterable[tuple[str, Path]],
    versions: Mapping[str, str],
    environment: Environment,
    free: Collection[str] = (),
) -> dict[str, tuple[str, ...]]:
    """Return the requirement lines of wheels that the versions by name do not meet, by the project that has them.

    `wheels` are names and files. Projects in `free` are overridden or left out, so nothing is asked of them. A wheel
    that cannot be read has none: its validation says so.
    """
    found = {}
    for name, path in wheels:
        lines = tuple(line for line in _required(path, environment) if not _met(line, versions, free))
        if lines:
            found[name] = lines
    return found


def _required(path: Path, environment: Environment) -> Iterator[str]:
    """What the wheel requires without an extra, on that machine."""
    for line in metadata_lines(path):
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if marker_holds(requirement.marker, environment):
            requirement.marker = None
            yield str(requirement)


def metadata_lines(path: Path) -> list[str]:
    """Return the `Requires-Dist` lines of a wheel; none of one that cannot be read."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                name = member.filename
                if name.endswith(".dist-info/METADATA") and name.count("/") == 1:
                    if member.file_size > _MAX_METADATA_BYTES:
                        return []
                    raw, _ = parse_email(archive.read(member))
                    return list(raw.get("requires_dist", []))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return []
    return []


def _met(line: str, versions: Mapping[str, str], free: Collection[str]) -> bool:
    requirement = Requirement(line)
    name = str(canonicalize_name(requirement.name))
    if name in free or requirement.url is not None:
        return True
    if name not in versions:
        return False
    try:
        return requirement.specifier.contains(Version(versions[name]), prereleases=True)
    except InvalidVersion:
        return True
