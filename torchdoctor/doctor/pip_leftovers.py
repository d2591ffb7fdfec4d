"""Folders of PyTorch's packages that an interrupted pip left behind: how to recognise and remove them."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.doctor.stale_metadata import stale_metadata
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

# Folders in site-packages of torch, its companions and their dependencies.
_FOLDERS = ("torch", "torchgen", "functorch", "torchvision", "torchaudio", "triton", "nvidia", "numpy")
# pip renames a folder to `~` and the rest of its name; a second one gets one of these characters as well:
# https://github.com/pypa/pip/blob/main/src/pip/_internal/utils/temp_dir.py
_SIGNS = "-~.=%0123456789"
_METADATA = re.compile(r"-[^-]+\.dist-info$")
_LIBRARIES = re.compile(r"\.libs$")


def is_pips_leftover(name: str) -> bool:
    """Tell whether pip gives this name to a folder of PyTorch's packages while it removes it."""
    plain = _LIBRARIES.sub("", _METADATA.sub("", name))
    if _METADATA.search(name) and re.fullmatch(r"~[v\-~.=%0-9]idia_\w+", plain):
        return True
    return any(
        plain in (f"~{folder[1:]}", *(f"~{sign}{folder[2:]}" for sign in _SIGNS)) for folder in _FOLDERS
    )


def half_metadata(inventory: Inventory) -> dict[str, str]:
    """Return the metadata folders of PyTorch's packages that lack METADATA or RECORD, each with the package's name."""
    left = set(inventory.leftovers.value or ())
    packages = (package for package in inventory.distributions.value or () if package.metadata in left)
    return {package.metadata: package.name for package in packages if is_relevant(package.name)}


def unrecorded_packages(inventory: Inventory) -> frozenset[str]:
    """Return the packages that have only such metadata, and must be installed again."""
    half = half_metadata(inventory)
    whole = {package.name for package in inventory.distributions.value or () if package.metadata not in half}
    return frozenset(half.values()) - whole


def removable_leftovers(check_up: CheckUp) -> tuple[Path, ...]:
    """Return what a repair may remove of the environment's own site-packages: leftovers, and metadata of no package."""
    inventory = check_up.inventory
    if inventory.kind.value not in ("venv", "conda", "conda-base"):
        return ()
    own = {
        str(folder) for folder in check_up.python.site_packages if check_up.python.prefix in folder.parents
    }
    paths = [path for path in map(Path, inventory.leftovers.value or ()) if is_pips_leftover(path.name)]
    return tuple(
        folder
        for folder in (*paths, *stale_metadata(inventory))
        if str(folder.parent) in own and folder.is_dir() and not folder.is_symlink()
    )


def remove_folders(folders: Iterable[Path]) -> None:
    """Remove each folder with its contents; links are not followed.

    Raises `InstallFailed` where one cannot be removed.
    """
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
