"""PyPI and its public copies, from `pypi_copies.toml`: what PyPI says of its pages and files holds for each of them."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["is_copy_of_pypi"]

_TABLE = Path(__file__).with_name("pypi_copies.toml")


def is_copy_of_pypi(url: str) -> bool:
    """Return whether the index at `url` is PyPI or one of its public copies; a name in the URL of another is none."""
    return url.startswith(_beginnings())


@lru_cache(maxsize=1)
def _beginnings() -> tuple[str, ...]:
    return tuple(tomllib.loads(_TABLE.read_text("utf-8")))
