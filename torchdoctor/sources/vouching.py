"""Who may say what of a package: the one table that decides whether a source is believed. SECURITY.md has the same."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from torchdoctor.sources.pypi_copies import is_place_of_copy
from torchdoctor.sources.source import OFFICIAL, PYPI
from wheels_index import TORCH_PROJECTS, vendor, vendor_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.sources.source import Source

__all__ = [
    "OF_OTHERS",
    "OF_TORCH",
    "PYPI_FILES",
    "Speaker",
    "Statement",
    "is_of_torch",
    "is_official_index",
    "may_say",
    "speaker_of",
    "vouches",
]

Speaker = Literal["facts", "official", "vendor", "pypi", "lock", "index", "mirror", "folder"]
# release: that a version exists. file: that a file belongs to it. hash: which bytes that file has. metadata: what is
# read beside a file instead of in it. dependency: which other packages are installed with it.
Statement = Literal["release", "file", "hash", "metadata", "dependency"]

_ALL: frozenset[Statement] = frozenset(("release", "file", "hash", "metadata", "dependency"))
_NOTHING: frozenset[Statement] = frozenset()
_OF_LOCK: frozenset[Statement] = frozenset(("release", "file", "hash"))

# Of torch, torchvision, torchaudio and the packages of the accelerator that only a PyTorch index has.
OF_TORCH: Mapping[Speaker, frozenset[Statement]] = MappingProxyType(
    {
        "facts": _ALL,
        "official": _ALL,
        "vendor": _ALL,
        "pypi": _ALL,
        "lock": _OF_LOCK,
        "index": _NOTHING,
        "mirror": _NOTHING,
        "folder": _NOTHING,
    }
)
# Of every other package. PyTorch's own index is not asked for these, but for extensions of torch that it has.
OF_OTHERS: Mapping[Speaker, frozenset[Statement]] = MappingProxyType(
    {
        "facts": _ALL,
        "official": _ALL,
        "vendor": _ALL,
        "pypi": _ALL,
        "lock": _OF_LOCK,
        "index": _ALL,
        "mirror": _NOTHING,
        "folder": _ALL,
    }
)

PYPI_FILES = "https://files.pythonhosted.org/"  # what PyPI serves its files from

_TRITON = re.compile(r"(pytorch-)?triton(-[a-z0-9-]+)?")


def may_say(speaker: Speaker, statement: Statement, project: str) -> bool:
    """Return whether what this speaker says of a project is believed without another who says the same."""
    return statement in (OF_TORCH if is_of_torch(project) else OF_OTHERS)[speaker]


def is_of_torch(project: str) -> bool:
    """Return whether a normalised name is torch's, a companion's, or a triton's.

    >>> is_of_torch("torchvision"), is_of_torch("pytorch-triton-rocm"), is_of_torch("numpy")
    (True, True, False)
    """
    return project in TORCH_PROJECTS or _TRITON.fullmatch(project) is not None


def speaker_of(source: Source) -> Speaker:
    """Return what a source is, by where it leads to and not by its name: an option can name any place.

    >>> speaker_of(OFFICIAL), speaker_of(PYPI)
    ('official', 'pypi')
    """
    if is_official_index(source.url):
        return "official"
    if _is_at(source.url, PYPI.url):
        return "pypi"
    if _is_of_vendor(source):
        return "vendor"
    if source.local or source.layout == "flat":
        return "folder"
    if source.origin.startswith(("--mirror", "--vendor")) or is_place_of_copy(source.url):
        return "mirror"
    return "index"


def is_official_index(url: str) -> bool:
    """Return whether a URL is PyTorch's own index or a part of it.

    >>> is_official_index("https://download.pytorch.org/whl/cu130")
    True
    >>> is_official_index("http://download.pytorch.org/whl"), is_official_index("https://download.pytorch.org.evil/whl")
    (False, False)
    """
    return _is_at(url, OFFICIAL.url)


def vouches(base: str) -> bool:
    """Return whether an index at this URL is PyTorch's own or PyPI, so that its hashes become facts."""
    return is_official_index(base) or _is_at(base, PYPI.url)


def _is_at(url: str, base: str) -> bool:
    """Whether `url` is `base` or below it: by host and path, so that no longer name stands for another."""
    try:
        place, wanted = urlsplit(url), urlsplit(base)
        ports = place.port, wanted.port
    except ValueError:
        return False
    return (
        (place.scheme.lower(), place.hostname) == (wanted.scheme, wanted.hostname)
        and ports[0] in (ports[1], 443)
        and ".." not in place.path.split("/")
        and f"{place.path.rstrip('/')}/".startswith(f"{wanted.path.rstrip('/')}/")
    )


def _is_of_vendor(source: Source) -> bool:
    """Whether it is the index of the vendor whose builds were asked for; another place may have a copy of it."""
    name = source.origin.removeprefix("--vendor ")
    if name == source.origin or name not in vendor_names():
        return False
    return any(_is_at(source.url, url) for url in vendor(name).indexes if url.startswith("https://"))
