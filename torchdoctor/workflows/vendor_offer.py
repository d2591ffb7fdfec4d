"""Builds that need a vendor's own packages, as a solver of a whole stack sees them: without those, which come later."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.net import NotFound, Unreachable, fetch_page
from torchdoctor.core.requirement_names import project_in
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.companion_metadata import requirement_lines
from torchdoctor.sources.vendors import vendor_needed_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.resolve.offer import OfferedBuild
    from wheels_index import Vendor

__all__ = ["without_vendor_parts"]


def without_vendor_parts(
    builds: Iterable[OfferedBuild], asked: str | None, base: str
) -> tuple[OfferedBuild, ...]:
    """Return the builds with what they require of everybody's packages alone.

    `asked` is the vendor whose builds were asked for; PyTorch's own ROCm builds need AMD's packages as well. `base`
    is the index that lists them.
    """
    return tuple(
        build if (found := _owner_of_parts(build, asked)) is None else _without(build, found, base)
        for build in builds
    )


def _owner_of_parts(build: OfferedBuild, asked: str | None) -> Vendor | None:
    if build.lines is not None or build.package.wheel is None:
        return None
    return vendor_needed_by(build.variant, asked)


def _without(build: OfferedBuild, found: Vendor, base: str) -> OfferedBuild:
    assert build.package.wheel is not None  # noqa: S101  (it has been looked at)
    try:
        lines = requirement_lines(build.package.wheel, base, fetch_page)
    except (NotFound, Unreachable, SourceFailed):
        return build
    return replace(build, lines=tuple(line for line in lines if not _is_own(line, found)), complete=False)


def _is_own(line: str, found: Vendor) -> bool:
    name = project_in(line)
    return name is not None and found.owns(name)
