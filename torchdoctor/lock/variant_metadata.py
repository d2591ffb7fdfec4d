"""What uv is told of wheel variants: it knows no labels, so it reads neither their files nor their metadata."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from torchdoctor.core.net import NotFound, fetch_page
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.companion_metadata import requirement_lines
from torchdoctor.sources.variant_markers import without_variant_markers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from wheels_index import Wheel

__all__ = ["variant_anchor", "variant_metadata"]


def variant_metadata(wheels: Iterable[Wheel], held: Mapping[str, Path] | None = None) -> list[dict[str, Any]]:
    """Return uv's `dependency-metadata` for the wheels that are variants, with the markers of variants decided.

    `held` maps names of wheels to local copies. Raises `SourceFailed` where what one requires cannot be read.
    """
    rows = []
    for wheel in wheels:
        if wheel.label is None:
            continue
        path = (held or {}).get(wheel.filename)
        place = replace(wheel, url=path.absolute().as_uri()) if path is not None else wheel
        try:
            lines = requirement_lines(place, wheel.url or "", fetch_page)
        except NotFound as error:
            raise SourceFailed(error.message, fix=error.fix, code="no-metadata") from error
        decided = [without_variant_markers(line, wheel.label, wheel.properties) for line in lines]
        rows.append({"name": wheel.project, "version": str(wheel.version), "requires-dist": decided})
    return rows


def variant_anchor(wheel: Wheel, upload_time: str) -> str:
    """Return the link to a wheel variant for a page of ours: by the name without its label; nothing is there."""
    name = wheel.filename
    fragment = f"#sha256={wheel.sha256}" if wheel.sha256 else ""
    return f'<a href="{quote(name)}{fragment}"{upload_time}>{name}</a>'
