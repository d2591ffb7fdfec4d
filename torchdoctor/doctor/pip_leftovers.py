"""Folders that an interrupted pip leaves of PyTorch's packages: which are pip's own and may go, and their removal."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import InstallFailed
from torchdoctor.inventory.metadata import is_relevant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.inventory import Inventory

__all__ = [
    "half_metadata",
    "is_pips_leftover",
    "removable_leftovers",
    "remove_folders",
    "unrecorded_packages",
]

# What torch's wheel, its companions' and those that it needs put into site-packages.
_FOLDERS = ("torch", "torchgen", "functorch", "torchvision", "torchaudio", "triton", "nvidia", "numpy")
# pip puts a folder aside as `~` and the rest of its name; for a second one, another of these signs stands in too:
# https://github.com/pypa/pip/blob/main/src/pip/_internal/utils/temp_dir.py
_SIGNS = "-~.=%0123456789"
_METADATA = re.compile(r"-[^-]+\.dist-info$")
_LIBRARIES = re.compile(r"\.libs$")


def is_pips_leftover(name: str) -> bool:
    """Whether pip gives this name to a folder of PyTorch's packages that it is about to remove."""
    plain = _LIBRARIES.sub("", _METADATA.sub("", name))
    if _METADATA.search(name) and re.fullmatch(r"~[v\-~.=%0-9]idia_\w+", plain):
        return True
    return any(
        plain in (f"~{folder[1:]}", *(f"~{sign}{folder[2:]}" for sign in _SIGNS)) for folder in _FOLDERS
    )


def half_metadata(inventory: Inventory) -> dict[str, str]:
    """Metadata of PyTorch's packages that lacks its METADATA or RECORD: each folder -> the package's name."""
    left = set(inventory.leftovers.value or ())
    rows = (row for row in inventory.distributions.value or () if row.metadata in left)
    return {row.metadata: row.name for row in rows if is_relevant(row.name)}


def unrecorded_packages(inventory: Inventory) -> frozenset[str]:
    """Packages that have no other metadata than such: they are installed anew. One beside a whole is just left."""
    half = half_metadata(inventory)
    whole = {row.name for row in inventory.distributions.value or () if row.metadata not in half}
    return frozenset(half.values()) - whole


def removable_leftovers(check_up: CheckUp) -> tuple[Path, ...]:
    """Leftovers in the environment's own site-packages that a repair may take away; of an interpreter's, none."""
    inventory = check_up.inventory
    if inventory.kind.value not in ("venv", "conda", "conda-base"):
        return ()
    own = {
        str(folder) for folder in check_up.python.site_packages if check_up.python.prefix in folder.parents
    }
    paths = map(Path, inventory.leftovers.value or ())
    return tuple(
        row
        for row in paths
        if str(row.parent) in own and is_pips_leftover(row.name) and row.is_dir() and not row.is_symlink()
    )


def remove_folders(folders: Iterable[Path]) -> None:
    """Take each away with all that is in it; a link is not followed. Raises `InstallFailed`."""
    for folder in folders:
        if folder.is_symlink() or not folder.is_dir():
            continue
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise InstallFailed(
                message(
                    "{place} could not be removed: {why}",
                    place=os.fspath(error.filename or folder),
                    why=error.strerror or error,
                ),
                fix=message(
                    "close the programs that use the environment, give this user permission to write there, "
                    "and try again"
                ),
                code="leftover",
            ) from error
