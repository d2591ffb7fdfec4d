"""Reads what another program answered, which may be anything at all."""

from __future__ import annotations

import json
import re
from typing import Any

from torchdoctor.core.i18n.messages import transform

__all__ = ["read_json", "read_object", "sanitize_line"]

_UNWANTED = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")


def read_json(text: str) -> Any:
    """Parse JSON; ValueError for whatever is none, however deep it is nested."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_object(text: str) -> dict[str, Any]:
    """Parse a JSON object; ValueError for anything else."""
    value = read_json(text)
    if not isinstance(value, dict):
        raise ValueError("it is not an object")  # noqa: TRY004  (one kind of error for a bad answer)
    return value


def sanitize_line(text: str, *, limit: int = 200) -> str:
    """The text on one line without characters that a terminal would obey or JSON could not hold."""
    return transform(text, lambda one: _UNWANTED.sub("", one).strip()[:limit].strip())
