"""What files seen on an index say of a release: its platforms, its companions, which files are right."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from wheels_index._tags import glibc_of, macos_tags, platform_of, python_order, pythons_of
from wheels_index.release import PlatformBuilds
from wheels_index.variant import variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheels_index.wheel import Wheel

__all__ = ["NO_BUILDS", "DigestConflict", "merged_builds", "merged_wheels", "with_pypi_pythons"]

NO_BUILDS = PlatformBuilds(
    variants=(),
    unconfirmed=MappingProxyType({}),
    unmatrixed=MappingProxyType({}),
    pythons=(),
    index_only_pythons=(),
    index_only_note=None,
    glibc=MappingProxyType({}),
    macos=(),
    pypi_default=None,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestConflict:
    """A file that the index gives another digest than the one known for it; it is not believed."""

    filename: str
    variant: str | None
    known: str
    found: str


def merged_wheels(
    known: Sequence[Wheel], found: Iterable[Wheel]
) -> tuple[tuple[Wheel, ...], tuple[DigestConflict, ...]]:
    """Add the files found to those known. A known digest stays; a file with another is refused.

    One name lies in several variants' folders with other bytes (aarch64 companions), so the variant
    belongs to the key.
    """
    kept = {(wheel.filename, wheel.variant): wheel for wheel in known}
    refused: list[DigestConflict] = []
    for wheel in found:
        key = wheel.filename, wheel.variant
        old = kept.get(key)
        if old is None or (old.sha256 is None and wheel.sha256 is not None):
            kept[key] = wheel
        elif old.sha256 and wheel.sha256 and old.sha256 != wheel.sha256:
            refused.append(
                DigestConflict(
                    filename=wheel.filename, variant=wheel.variant, known=old.sha256, found=wheel.sha256
                )
            )
        elif wheel.has_metadata and not old.has_metadata:
            kept[key] = replace(old, has_metadata=True, metadata_sha256=wheel.metadata_sha256)
    return tuple(kept.values()), tuple(refused)


def merged_builds(
    known: Mapping[str, PlatformBuilds], found: Iterable[tuple[str, str]], *, note: str
) -> dict[str, PlatformBuilds]:
    """Add to each platform the variants, Pythons and floors of the torch files found: name and variant."""
    by_platform: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, build in found:
        platform = platform_of(name)
        if platform is not None:
            by_platform[platform][build].append(name)
    return {
        name: _merged_platform(builds, by_platform[name], note) if name in by_platform else builds
        for name, builds in known.items()
    }


def with_pypi_pythons(known: Mapping[str, PlatformBuilds], names: Iterable[str]) -> dict[str, PlatformBuilds]:
    """Add to each platform that has builds the Pythons of PyPI's torch files, and their tags on macOS."""
    by_platform: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        by_platform[platform_of(name) or ""].append(name)
    merged = dict(known)
    for name, builds in known.items():
        pythons = {*builds.pythons, *pythons_of(by_platform[name])}
        if builds.variants and pythons != set(builds.pythons):
            merged[name] = replace(
                builds,
                pythons=tuple(sorted(pythons, key=python_order)),
                index_only_pythons=tuple(p for p in builds.index_only_pythons if p not in pythons),
                macos=_merged_macos_tags(builds, by_platform[name]),
            )
    return merged


def _merged_platform(known: PlatformBuilds, found: Mapping[str, list[str]], note: str) -> PlatformBuilds:
    names = [name for files in found.values() for name in files]
    new = {build: files for build, files in found.items() if build not in known.variants}
    pythons = set(pythons_of(names)) - set(known.pythons) - set(known.index_only_pythons)
    floors = {build: floor for build, files in new.items() if (floor := glibc_of(files)) is not None}
    return replace(
        known,
        variants=(*known.variants, *sorted(new, key=lambda name: variant(name).order)),
        unconfirmed=MappingProxyType(
            {build: doubt for build, doubt in known.unconfirmed.items() if build not in found}
        ),
        unmatrixed=MappingProxyType({**known.unmatrixed, **dict.fromkeys(new, note)}),
        index_only_pythons=tuple(sorted({*known.index_only_pythons, *pythons}, key=python_order)),
        index_only_note=known.index_only_note or (note if pythons else None),
        glibc=MappingProxyType({**known.glibc, **floors}),
        macos=_merged_macos_tags(known, names),
    )


def _merged_macos_tags(known: PlatformBuilds, names: list[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    pythons_by_tag = {tag: set(pythons) for tag, pythons in known.macos}
    for name in names:
        for tag in macos_tags(name):
            pythons_by_tag.setdefault(tag, set()).update(pythons_of([name]))
    return tuple((tag, tuple(sorted(pythons, key=python_order))) for tag, pythons in pythons_by_tag.items())
