"""Which URLs are of indexes of PyTorch's builds: torchdoctor chooses the one that fits the machine instead."""

from __future__ import annotations

import functools
from urllib.parse import urlsplit

from torchdoctor.sources.mirrors import mirror_table

__all__ = ["is_pypi", "is_torch_index"]

# download-r2.pytorch.org is where the official index redirects to.
_HOSTS = frozenset({"download.pytorch.org", "download-r2.pytorch.org"})
_PYPI = frozenset({"pypi.org", "pypi.python.org", "files.pythonhosted.org"})


def is_torch_index(url: str) -> bool:
    """Whether the URL is of PyTorch's index, a page or a file of it, or of a mirror of it that is known."""
    host, path = _host_and_path(url)
    if host in _HOSTS:
        return True
    return any(host == known and (path + "/").startswith(start) for known, start in _mirrors())


def is_pypi(url: str) -> bool:
    """Whether the URL is of PyPI."""
    return _host_and_path(url)[0] in _PYPI


@functools.cache
def _mirrors() -> tuple[tuple[str, str], ...]:
    places = [_host_and_path(row["base"]) for row in mirror_table().values()]
    return tuple((host, path.rstrip("/") + "/") for host, path in places)


def _host_and_path(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url.strip())
        return (parts.hostname or "").lower(), parts.path
    except ValueError:
        return "", ""
