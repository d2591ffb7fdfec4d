"""Metadata of another version beside a package's own: which of the two the package itself says that it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.versions import public_version
from torchdoctor.inventory import files
from torchdoctor.inventory.metadata import parse_version_file, split_info
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.inventory import Inventory

__all__ = ["names_what_is_installed", "stale_metadata"]


def stale_metadata(inventory: Inventory) -> tuple[Path, ...]:
    """Return the dist-info folders of torch and its companions that name another version than the package's own file.

    Only where exactly one of the folders names that version: it is the one that belongs.
    """
    return tuple(_stale(inventory))


def names_what_is_installed(folder: Path) -> bool:
    """Tell whether a dist-info folder names the version that the package beside it says, as it is now."""
    name, version = split_info(folder.name) or ("", None)
    text = (
        files.read_text(f"{folder.parent}/{name}/version.py") if version and name in TORCH_PROJECTS else None
    )
    said = parse_version_file(text).version if text else None
    return version is not None and said is not None and public_version(version) == public_version(said)


def _stale(inventory: Inventory) -> Iterator[Path]:
    for duplicate in inventory.duplicates.value or ():
        by_path = dict(
            zip(map(Path, duplicate.metadata), map(public_version, duplicate.versions), strict=True)
        )
        folders = {path.parent for path in by_path}
        said = _said_version(inventory, duplicate.name, folders)
        if said is None or any(path.suffix != ".dist-info" for path in by_path):
            continue
        if [*by_path.values()].count(said) == 1:
            yield from (path for path, version in by_path.items() if version != said)


def _said_version(inventory: Inventory, name: str, folders: set[Path]) -> str | None:
    """The version in the package's own file, where all of its metadata lies in the folder of that package."""
    copies = [
        copy for copy in inventory.copies.value or () if copy.name == name and Path(copy.folder) in folders
    ]
    if len(folders) != 1 or len(copies) != 1 or not copies[0].there:
        return None
    own = copies[0].version_file.value
    return public_version(own.version) if own is not None else None
