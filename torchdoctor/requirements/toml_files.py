"""Values of a TOML document that somebody else wrote: each is what it should be, or is left out."""

from __future__ import annotations

import sys
from typing import Any

from torchdoctor.core.i18n import message
from torchdoctor.requirements.documents import Location, read_text
from torchdoctor.requirements.refusal import refused

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["read_toml", "table_at", "tables_in", "texts_in"]


def read_toml(location: Location) -> dict[str, Any]:
    """Return the document; raises `UsageError` with line and column for a file that is no TOML."""
    try:
        document: dict[str, Any] = tomllib.loads(read_text(location))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise refused(
            location.name,
            message("it is not TOML: {error}", error=error),
            fix=message("correct the file"),
        ) from error
    return document


def table_at(document: Any, *keys: str) -> dict[str, Any]:
    """Return the table at these keys, or an empty one where there is none."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def tables_in(value: Any) -> list[dict[str, Any]]:
    """Return the tables of an array of tables."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def texts_in(value: Any) -> list[str]:
    """Return the texts of an array."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
