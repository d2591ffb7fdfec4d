"""What the known pairs of an extension say: where it has builds, for which variants, and which versions are alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from wheels_index.extension import accelerator_of, fits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torchdoctor.resolve.offer import OfferedBuild
    from torchdoctor.workflows.extension_refusals import Misfit
    from wheels_index.extension import Extension, KnownPair

__all__ = ["bounds", "goes_with", "has_builds_for", "is_obtainable", "oldest_alike", "with_companions"]


def is_obtainable(known: Extension, platform: str, kinds: Iterable[str]) -> bool:
    """Say whether a place that an installer can read has wheels for a kind of variant, or source that is built."""
    return any(
        "{version}" not in (row.url or "")
        and row.place in ("pypi", "pytorch", "index", "find-links")
        and platform in row.platforms
        and (row.kinds is None or kind in row.kinds)
        for kind in kinds
        for row in known.builds
    )


def has_builds_for(known: Extension, name: str) -> bool:
    """Say whether any version on PyPI is known to run with a variant of this kind."""
    accelerator = accelerator_of(name)
    return any(accelerator in (pair.accelerators or ()) for pair in known.pairs if pair.place == "pypi")


def with_companions(
    builds: Sequence[OfferedBuild], is_fitting: Callable[[OfferedBuild], bool]
) -> Sequence[OfferedBuild]:
    """Return the torch builds that fit, and the companions that go with one of them."""
    torch = [build for build in builds if build.name == "torch" and is_fitting(build)]
    pairs = {(release, build.variant) for build in torch for release in build.torch}
    companions = [
        replace(
            build, torch=frozenset(release for release in build.torch if (release, build.variant) in pairs)
        )
        for build in builds
        if build.name != "torch"
    ]
    return [*torch, *(build for build in companions if build.torch)]


def oldest_alike(misfit: Misfit) -> Version:
    """Return the oldest version of which the same pairs are known: with it, the version itself falls away."""
    version = Version(misfit.version)
    alike = [
        found
        for pair in misfit.known.pairs
        if SpecifierSet(pair.versions).contains(version.public, prereleases=True)
        for found in bounds(pair)
        if found <= version
    ]
    return min(alike, default=version)


def goes_with(
    known: Extension, version: Version | str, build: OfferedBuild, platform: str, place: str | None = None
) -> bool:
    """Say whether a version of an extension is known to go with a build of torch."""
    torch = build.package.version.public
    fit = fits(known.project, version, torch=torch, variant=build.variant, platform=platform, place=place)
    return fit.answer == "yes"


def bounds(pair: KnownPair) -> Iterable[Version]:
    """Yield the versions that the specifier of a pair names."""
    for each in SpecifierSet(pair.versions):
        try:
            yield Version(each.version.removesuffix(".*"))
        except InvalidVersion:
            continue
