"""PyPI and its public copies, from `pypi_copies.toml`: what PyPI says of its pages and files holds for each of them."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["is_copy_of_pypi", "is_place_of_copy"]

_TABLE = Path(__file__).with_name("pypi_copies.toml")


def is_copy_of_pypi(url: str) -> bool:
    """Return whether the index at `url` is PyPI or one of its public copies; a name in the URL of another is none."""
    return url.startswith(_beginnings())


def is_place_of_copy(url: str) -> bool:
    """Return whether a URL leads to where PyPI or a public copy is, however it is written: many name one over http.

    What comes from there is no more believed for it.
    """
    try:
        parts = urlsplit(url)
        folders = "/".join(filter(None, unquote(parts.path).split("/")))
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and is_copy_of_pypi(
        f"https://{parts.hostname}/{folders}/"
    )


@lru_cache(maxsize=1)
def _beginnings() -> tuple[str, ...]:
    return tuple(tomllib.loads(_TABLE.read_text("utf-8")))
