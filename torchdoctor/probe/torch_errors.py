"""Texts of torch and its libraries that the probe looks for in an exception; the table is torch_errors.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

__all__ = ["error_line", "says", "table"]

_TABLE = Path(__file__).with_name("torch_errors.json")
_cache: dict[str, Any] = {}


def table() -> dict[str, Any]:
    """Return the kinds of errors by name, each with its `pattern`, `samples` and `others`."""
    if not _cache:
        _cache.update(json.loads(_TABLE.read_text("utf-8"))["errors"])
    return _cache


def says(error: object, kind: str) -> bool:
    """Return whether the text of an exception is of this kind."""
    return _found(str(error), kind) is not None


def error_line(error: object) -> str | None:
    """Return the first line in which a C++ compiler names an error; None where there is none."""
    found = _found(str(error), "compiler-error-line")
    return None if found is None else found.group().strip()


def _found(text: str, kind: str) -> re.Match[str] | None:
    return re.search(table()[kind]["pattern"], text, re.MULTILINE)
