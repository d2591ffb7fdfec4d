"""Which variant an index of PyTorch's layout serves, by its URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from wheels_index import UnknownVariant, variant

__all__ = ["same_url", "variant_of_index"]


def variant_of_index(url: object) -> str | None:
    """Return the variant of `https://download.pytorch.org/whl/cu126`, or of a mirror of it; None for another index.

    >>> variant_of_index("https://download.pytorch.org/whl/cu126/")
    'cu126'
    """
    if not isinstance(url, str):
        return None
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    *folders, last = path.strip("/").split("/")
    try:
        return variant(last).name if "whl" in folders else None
    except UnknownVariant:
        return None


def same_url(one: object, other: str) -> bool:
    """Whether two URLs name one index."""
    return isinstance(one, str) and one.rstrip("/") == other.rstrip("/")
