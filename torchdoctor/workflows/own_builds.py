"""Builds of extensions outside the indexes, on pages of their own or by URL: which torch to take for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from torchdoctor.core.i18n import message
from torchdoctor.errors import NoSolution
from torchdoctor.sources import Source
from torchdoctor.workflows.extension_pairs import bounds, goes_with, with_companions
from wheels_index.extension import accelerator_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.requirements.wheel_urls import WheelTie
    from torchdoctor.resolve.offer import OfferedBuild
    from wheels_index.extension import Extension

__all__ = ["OwnBuilds", "builds_for_wheel", "own_builds"]


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnBuilds:
    """The best torch that an extension has builds for."""

    torch: OfferedBuild
    pages: tuple[Source, ...]  # of links, for that torch; none where its builds are elsewhere


def own_builds(
    known: Extension, asked: AskedRequirement, builds: Sequence[OfferedBuild], platform: str
) -> OwnBuilds | None:
    """Return the best torch with builds on the extension's own pages, else the best that has any; None without one."""
    wanted = Requirement(asked.line).specifier
    rows = [
        (pair, version)
        for pair in known.pairs
        if pair.place in ("find-links", "index")
        for version in bounds(pair)
        if wanted.contains(version, prereleases=True)
    ]
    torch = [build for build in builds if build.name == "torch"]
    own = [
        build
        for build in torch
        if any(goes_with(known, version, build, platform, pair.place) for pair, version in rows)
    ]
    elsewhere = [
        build
        for build in torch
        if any(SpecifierSet(pair.torch or "").contains(build.package.version.public) for pair, _ in rows)
    ]
    best = max(own or elsewhere, key=lambda build: build.package.version, default=None)
    if best is None:
        return None
    release = best.package.version.public
    pages = known.extra_sources(torch=release, variant=best.variant, platform=platform) if own else ()
    return OwnBuilds(torch=best, pages=tuple(_page(page.url) for page in pages if page.kind == "find-links"))


def builds_for_wheel(tie: WheelTie, name: str, builds: Sequence[OfferedBuild]) -> Sequence[OfferedBuild]:
    """Return the builds of torch that a wheel asked for by URL was built against, and their companions.

    Its name says it, whatever else is known. Raises `NoSolution` where no such build fits the machine.
    """
    fitting = with_companions(
        builds,
        lambda build: (
            tie.torch.contains(build.package.version.public, prereleases=True)
            and tie.accelerator in (None, accelerator_of(build.variant))
        ),
    )
    if not fitting:
        raise NoSolution(
            message("{what}, and no such build fits this machine and what else is asked for", what=tie.text),
            fix=message("name a file for another torch, or ask for {name} without a URL", name=name),
            code="no-torch-for-wheel",
        )
    return fitting


def _page(url: str) -> Source:
    return Source(name=url, url=url, layout="flat", origin="the facts of extensions")
