"""Give every wheel of a plan the SHA-256 that it must have, and refuse other bytes under an official name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n import message
from torchdoctor.errors import SourceFailed
from torchdoctor.sources import OFFICIAL
from torchdoctor.sources.listing import local_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.resolve import Plan, PlannedPackage
    from torchdoctor.sources import SourceListing, Sources
    from wheels_index import Snapshot, Wheel

__all__ = ["with_known_hashes"]


def with_known_hashes(
    plan: Plan,
    snapshot: Snapshot,
    sources: Sources,
    listings: Sequence[SourceListing],
    report: Reporter,
) -> Plan:
    """Return the plan with all hashes that are known; a wheel that nobody gives a hash for keeps None.

    Raises `SourceFailed` when a mirror lists another hash than the official build has. An index of the user's own may
    differ, which is a warning.
    """
    hashes = _Hashes(
        plan=plan,
        snapshot=snapshot,
        # A mirror transports files: what it serves under an official name is that file, or it is wrong.
        official_sources=frozenset(
            source.name
            for source in sources.torch
            if source == OFFICIAL or source.origin.startswith("--mirror")
        ),
        official_listing=next(
            (listing for listing in listings if listing.source == OFFICIAL and not listing.failure), None
        ),
    )
    return replace(
        plan, packages=tuple(_with_known_hash(package, hashes, report) for package in plan.packages)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Hashes:
    """Where the hashes of official builds are known from."""

    plan: Plan
    snapshot: Snapshot
    official_sources: frozenset[str]  # names of the sources that must serve the official files
    official_listing: SourceListing | None

    def of_official_build(self, wheel: Wheel) -> str | None:
        """Return the hash of the official file of that name.

        Only a name with a build tag stands for one file: without a tag PyPI has other bytes under the same name.
        """
        if wheel.version.local is None:
            return None
        release = self.snapshot.release(self.plan.torch.version)
        return next((w.sha256 for w in release.wheels if w.filename == wheel.filename and w.sha256), None)

    def of_mirrored_file(self, package: PlannedPackage, wheel: Wheel) -> str | None:
        """Return the hash that the official index lists for a file of a mirror that lists none."""
        if self.official_listing is None or package.source not in self.official_sources:
            return None
        listed = self.official_listing.wheels(package.name, self.plan.variant)
        return next((w.sha256 for w in listed if w.filename == wheel.filename), None)


def _with_known_hash(package: PlannedPackage, hashes: _Hashes, report: Reporter) -> PlannedPackage:
    wheel = package.wheel
    if wheel is None:
        return package
    listed, official = wheel.sha256, hashes.of_official_build(wheel)
    if listed is None and official is None and (wheel.url or "").startswith("file:"):
        listed = sha256_of(local_path(wheel.url or ""))
    if listed is None and official is None:
        official = hashes.of_mirrored_file(package, wheel)
    if listed is not None and official is not None and listed != official:
        _refuse_or_warn(package, wheel, listed, official, hashes, report)
    return replace(package, wheel=replace(wheel, sha256=listed or official))


def _refuse_or_warn(
    package: PlannedPackage, wheel: Wheel, listed: str, official: str, hashes: _Hashes, report: Reporter
) -> None:
    differs = message(
        "{source} lists {filename} with SHA-256 {found}…, and the official build has {known}…",
        source=package.source,
        filename=wheel.filename,
        found=listed[:16],
        known=official[:16],
    )
    if package.source in hashes.official_sources:
        raise SourceFailed(
            differs,
            fix=message(
                "nothing was installed; name another source, and report this to the operator of that one"
            ),
            code="hash-conflict",
        )
    report.warn(message("{differs}: it is used because that index is yours", differs=differs))
