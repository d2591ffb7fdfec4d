"""Versions that programs print: a driver's, a system's, a package's."""

from __future__ import annotations

import re

__all__ = ["parse_numeric_version", "public_version"]


def parse_numeric_version(text: str | None) -> tuple[int, ...] | None:
    """Return the parts of a version of one to five numbers, to be compared part by part; None for anything else.

    >>> parse_numeric_version("550.54.15")
    (550, 54, 15)
    """
    if text is None or not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,6}){0,4}", text):
        return None
    return tuple(int(part) for part in text.split("."))


def public_version(text: str | None) -> str | None:
    """Return a package's version without its local part (`2.9.1` of `2.9.1+cu126`); None where it is no version.

    https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers
    """
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text).public if text else None
    except InvalidVersion:
        return None
