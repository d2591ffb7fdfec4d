"""Where the packages are that only a vendor has: which file of each part is for a machine, and what it requires."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.net import fetch_page
from torchdoctor.errors import NoSolution, SourceFailed
from torchdoctor.resolve.platform_support import python_satisfies
from torchdoctor.sources.companion_metadata import requirement_lines
from torchdoctor.workflows.source_model import counting_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.tags import Tag

    from torchdoctor.detect import Machine
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.sources.listing import SourceListing
    from torchdoctor.workflows.source_builds import SourceBuilds
    from wheels_index import Sdist, Vendor, Wheel

__all__ = ["PartSearch"]

_MAX_LINE_COUNT = 2000


@dataclass(kw_only=True)
class PartSearch:
    """Where parts are looked for, and what they must be for; the metadata of each file is read once."""

    vendor: Vendor
    variant: str  # of the plan
    listings: Sequence[SourceListing]  # torch's own first
    machine: Machine
    tags: Sequence[Tag]  # that the machine supports, the best first
    builds: SourceBuilds | None  # how a part that is a source package is built; None: nothing is built
    request: LockRequest | None  # for a build
    offline: bool
    later: list[str] = field(default_factory=list)  # says what is left to the installation to build
    _lines: dict[Wheel, tuple[str, ...]] = field(default_factory=dict)

    def lines(self, wheel: Wheel) -> tuple[str, ...]:
        """Return what the metadata of a file requires."""
        if wheel not in self._lines:
            base = next((each.source.url for each in self._listings_of(wheel)), wheel.url or "")
            self._lines[wheel] = requirement_lines(wheel, base, fetch_page)[:_MAX_LINE_COUNT]
        return self._lines[wheel]

    def own_requirements(self, wheel: Wheel, extras: Iterable[str]) -> list[Requirement]:
        """Return what a file with these extras requires of the vendor's own projects on this machine."""
        counting = map(Requirement, counting_requirements(self.lines(wheel), self.machine, extras))
        return [each for each in counting if each.url is None and self.vendor.owns(_name(each))]

    def place(self, wheel: Wheel) -> str:
        """Return where a file comes from."""
        return next((each.name for each in self._listings_of(wheel)), message("a build of their sources"))

    def find(self, requirement: Requirement, asker: str) -> Wheel | None:
        """Return the file of a part for this machine; None where the installation has to build it, which is said.

        `asker` requires it. Raises `NoSolution` or `SourceFailed` where it cannot be had.
        """
        supported = {tag: rank for rank, tag in reversed(list(enumerate(self.tags)))}
        for listing in self.listings:
            wheel = self._best(requirement, listing, supported)
            if wheel is not None:
                return wheel
        for listing in self.listings:
            sdist = self._newest_sdist(requirement, listing)
            if sdist is not None:
                return self._build(sdist)
        raise self._missing(requirement, asker)

    def _listings_of(self, wheel: Wheel) -> Iterator[SourceListing]:
        """The listings that have a file, the first one first."""
        return (
            listing
            for listing in self.listings
            if any(each.url == wheel.url for each in listing.wheels(wheel.project, self.variant))
        )

    def _best(
        self, requirement: Requirement, listing: SourceListing, supported: Mapping[Tag, int]
    ) -> Wheel | None:
        """The newest file that a listing has for this machine, in its best build."""
        python = self.machine.python.version
        fitting = [
            (
                wheel.version,
                -min(supported[tag] for tag in wheel.tags if tag in supported),
                wheel.build,
                wheel,
            )
            for wheel in listing.wheels(_name(requirement), self.variant)
            if not wheel.yanked
            and wheel.tags & supported.keys()
            and _takes(requirement, wheel.version)
            and python_satisfies(wheel.requires_python, python)
        ]
        in_order = sorted(fitting, key=lambda row: row[:3], reverse=True)
        return next((row[3] for row in in_order if listing.admits(row[3])), None)

    def _newest_sdist(self, requirement: Requirement, listing: SourceListing) -> Sdist | None:
        from torchdoctor.sources.sdists import sdists_on

        name, python = _name(requirement), self.machine.python.version
        places = [page.removesuffix(f"{name}/") for page in listing.source.pages(name, self.variant)]
        found = (each for place in places for each in sdists_on(replace(listing.source, url=place), name))
        fitting = [
            each
            for each in found
            if _takes(requirement, each.version) and python_satisfies(each.requires_python, python)
        ]
        return max(fitting, key=lambda sdist: sdist.version, default=None)

    def _build(self, sdist: Sdist) -> Wheel | None:
        """Build a source package that selects the rest, by the rules for all code of others: after consent alone."""
        if self.builds is None or self.request is None or self.builds.plan_only:
            self.later.append(
                message(
                    "{name} {version} is a source package, whose code runs in a build: install builds it with --build "
                    "{name}, and tells then what it needs",
                    name=sdist.project,
                    version=sdist.version,
                )
            )
            return None
        from torchdoctor.workflows.vendor_sdists import build_part

        return build_part(sdist, self.builds, self.request)

    def _missing(self, requirement: Requirement, asker: str) -> NoSolution | SourceFailed:
        failures = [listing.failure for listing in self.listings if listing.failure]
        if failures:
            return SourceFailed(
                message("{line} cannot be had: {why}", line=requirement, why=joined(failures, "; ")),
                fix=message("run the command again when that index answers"),
                code="no-source",
            )
        asked = joined(listing.name for listing in self.listings)
        if self.offline:
            return NoSolution(
                message(
                    "{name} needs {line}, and no folder has it for this machine; looked in: {asked}",
                    name=asker,
                    line=requirement,
                    asked=asked,
                ),
                fix=message("put its wheel into a folder that --find-links names, or leave out --offline"),
                code="vendor-part-missing",
            )
        return NoSolution(
            message(
                "{name} needs {line}, and no index of {title}'s has it for this machine; asked: {asked}",
                name=asker,
                line=requirement,
                title=self.vendor.title,
                asked=asked,
            ),
            fix=message("ask for another build with --variant or --torch"),
            code="vendor-part-missing",
        )


def _name(requirement: Requirement) -> str:
    return str(canonicalize_name(requirement.name))


def _takes(requirement: Requirement, version: object) -> bool:
    return requirement.specifier.contains(str(version), prereleases=True)
