"""Which companions seen on an index go with which torch: what they declare of torch decides."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from wheels_index._tags import pythons_of
from wheels_index.release import COMPANIONS, Companion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from wheels_index.release import Release

__all__ = ["CompanionPairs", "declared_torch"]


def declared_torch(lines: Iterable[str]) -> SpecifierSet | None:
    """Return what `Requires-Dist` lines declare of torch, extras left out; None when they declare nothing.

    >>> str(declared_torch(["numpy", "torch==2.16.0", "gdown; extra == 'gdown'"]))
    '==2.16.0'
    """
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if (
            canonicalize_name(requirement.name) == "torch"
            and requirement.specifier
            and "extra" not in str(requirement.marker)
        ):
            return requirement.specifier
    return None


class CompanionPairs:
    """The companion versions of an index, and what each declares of torch."""

    __slots__ = ("_declared", "_pythons")

    def __init__(
        self, files: Mapping[tuple[str, Version], Sequence[str]], requires: Mapping[str, Sequence[str]]
    ) -> None:
        """Take the names of the files of each version, and its `Requires-Dist` lines (`torchvision-0.31.0`)."""
        self._declared: dict[str, dict[Version, SpecifierSet]] = {name: {} for name in COMPANIONS}
        self._pythons: dict[tuple[str, str], tuple[str, ...]] = {}
        for (project, version), names in files.items():
            lines = requires.get(f"{project}-{version}") if project in COMPANIONS else None
            declared = declared_torch(lines) if lines else None
            if declared is not None:
                self._declared[project][version] = declared
                self._pythons[project, str(version)] = pythons_of(names)

    def for_known_release(
        self, torch: Version, companions: Mapping[str, Companion], *, note: str, pypi: bool = False
    ) -> dict[str, Companion]:
        """Return a known release's companions, with the new versions that declare to go with it.

        `pypi` says that they were seen on PyPI.
        """
        return {
            project: self._with_seen_versions(torch, companion, note, pypi=pypi)
            for project, companion in companions.items()
        }

    def for_new_release(self, torch: Version, before: Release | None, *, note: str) -> dict[str, Companion]:
        """Return the companions of a release of which nothing else is known.

        Those that declare to go with it; of a project without one, those of the release before it that
        declare no upper end of torch.
        """
        companions = {}
        for project in COMPANIONS:
            companion = self._with_seen_versions(torch, _no_versions(project), note)
            old = before.companions.get(project) if before is not None and not companion.versions else None
            if before is not None and old is not None and _open_ended(old):
                said = old.constraint or "declares no torch requirement"
                rule = f"taken from torch {before.version}, whose {project} {said}"
                companion = replace(old, note="; ".join(filter(None, (rule, old.note))))
            companions[project] = companion
        return companions

    def _with_seen_versions(
        self, torch: Version, companion: Companion, note: str, *, pypi: bool = False
    ) -> Companion:
        found = {
            version: declared
            for version, declared in self._declared[companion.project].items()
            if version not in companion.versions and declared.contains(torch, prereleases=True)
        } if companion.project in self._declared else {}  # fmt: skip
        if not found:
            return companion
        versions = tuple(sorted({*companion.versions, *found}, reverse=True))
        first = found.get(versions[0])
        pythons = {str(version): self._pythons[companion.project, str(version)] for version in found}
        return replace(
            companion,
            versions=versions,
            constraint=f"torch{first}" if first is not None else companion.constraint,
            pythons=MappingProxyType({**companion.pythons, **pythons}),
            requires_python=MappingProxyType({**companion.requires_python, **dict.fromkeys(pythons)}),
            pypi_only=companion.pypi_only | pythons.keys() if pypi else companion.pypi_only,
            note="; ".join(filter(None, (companion.note, f"{', '.join(pythons)}: {note}"))),
        )


def _open_ended(companion: Companion) -> bool:
    return companion.constraint is None or ">=" in companion.constraint


def _no_versions(project: str) -> Companion:
    return Companion(
        project=project,
        versions=(),
        constraint=None,
        pythons=MappingProxyType({}),
        requires_python=MappingProxyType({}),
        note=None,
    )
