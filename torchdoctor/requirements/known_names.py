"""Which package somebody may have meant: names that no index has, and names that belong to something else."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["is_known_name", "other_package", "other_packages", "similar_names"]

_TABLE = Path(__file__).with_name("known_names.toml")
_LIKENESS = 0.8
_MAX_NAMES = 2


def similar_names(name: str) -> tuple[str, ...]:
    """Return the packages that a name is likely meant to be, the likeliest first.

    >>> similar_names("cv2"), similar_names("tourchvision")
    (('opencv-python',), ('torchvision',))
    """
    import difflib

    table, wanted = _table(), str(canonicalize_name(name))
    if wanted in table["meant"]:
        return (table["meant"][wanted],)
    if wanted in table["names"]:
        return ()
    known = [*table["names"], *table["meant"]]
    near = difflib.get_close_matches(wanted, known, n=_MAX_NAMES, cutoff=_LIKENESS)
    found = [table["meant"].get(each, each) for each in near]
    return tuple(dict.fromkeys(each for each in found if each != wanted))


def is_known_name(name: str) -> bool:
    """Say whether people ask for a package of this name beside torch, or import it by this name."""
    wanted = str(canonicalize_name(name))
    return any(wanted in _table()[part] for part in ("names", "meant", "other"))


def other_package(name: str) -> str | None:
    """Return a sentence where PyPI's package of that name is another one than most people mean.

    >>> str(other_package("whisper"))
    'whisper on PyPI is a database of fixed size for monitoring; you may mean openai-whisper'
    """
    row = other_packages().get(str(canonicalize_name(name)))
    if row is None:
        return None
    return message(
        "{name} on PyPI is {what}; you may mean {meant}",
        name=name,
        what=message(row["is"]),
        meant=row["meant"],
    )


def other_packages() -> dict[str, dict[str, str]]:
    """Return the packages that are not what their name makes people expect: what each `is`, and which is `meant`."""
    rows: dict[str, dict[str, str]] = _table()["other"]
    return rows


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(_TABLE.read_text("utf-8"))
    return table
