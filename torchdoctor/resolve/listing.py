"""One source as the choice sees it: which wheels of a project it has for a variant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torchdoctor.resolve.model import PlannedPackage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.sources.source import Provenance
    from wheels_index import Wheel

__all__ = ["Listing", "planned_package"]


class Listing(Protocol):
    """What a source lists; `sources.SourceListing` is one."""

    @property
    def name(self) -> str:
        """How the source is shown."""

    @property
    def known(self) -> Provenance:
        """How its wheels are known."""

    @property
    def tells_metadata(self) -> bool:
        """Whether a metadata file beside a wheel is believed."""

    def wheels(self, project: str, variant: str) -> Sequence[Wheel]:
        """Return wheels of `project` that may be of `variant`; empty where the source has none or is unreachable."""

    def admits(self, wheel: Wheel) -> bool:
        """Return whether a file of this source may be chosen; asked only of files that would be."""

    def index_url(self, variant: str) -> str:
        """Return what a person gives pip as `--index-url` for this variant."""


def planned_package(wheel: Wheel, listing: Listing) -> PlannedPackage:
    """Return a wheel of a source as a package of the plan."""
    return PlannedPackage(
        name=wheel.project, version=wheel.version, known=listing.known, wheel=wheel, source=listing.name
    )
