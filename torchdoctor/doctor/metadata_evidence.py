"""What is wrong with the metadata of torch's packages: gone, there twice, or there without its package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.diagnose import Observation
from torchdoctor.doctor.lost_torch import lost_torch
from torchdoctor.doctor.stale_metadata import stale_metadata
from torchdoctor.inventory.metadata import is_relevant
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.inventory import Inventory

__all__ = ["metadata_observations"]

_CONDA_NAMES = frozenset({"pytorch", "libtorch"})


def metadata_observations(inventory: Inventory) -> Iterator[Observation]:
    """Yield what no installer can work with, and a torch that is missing where something stands on it."""
    yield from _unlisted(inventory)
    yield from _twice(inventory)
    yield from _missing_torch(inventory)


def _unlisted(inventory: Inventory) -> Iterator[Observation]:
    """torch and its companions in site-packages without metadata, so that no installer knows of them."""
    places = {entry.folder for entry in inventory.path.value or () if entry.origin == "site-packages"}
    conda = {package.name for package in inventory.distributions.value or () if package.kind == "conda"}
    for copy in inventory.copies.value or ():
        if copy.distribution is None and copy.folder in places and not conda & {copy.name, *_CONDA_NAMES}:
            text = message(
                "{folder}/{package} is there, and no {package}-*.dist-info beside it",
                folder=copy.folder,
                package=copy.name,
            )
            yield Observation(name="live.unlisted", value=copy.name, source=text)


def _twice(inventory: Inventory) -> Iterator[Observation]:
    """A package of PyTorch whose metadata is there for two versions in one folder: an update did not end."""
    for duplicate in inventory.duplicates.value or ():
        folders = {str(Path(path).parent) for path in duplicate.metadata}
        if len(folders) < len(duplicate.metadata) and is_relevant(duplicate.name):
            text = message(
                "{package} is listed in several versions: {versions}",
                package=duplicate.name,
                versions=joined(duplicate.versions),
            )
            yield Observation(name="live.listed_twice", value=duplicate.name, source=text)
    for stale in stale_metadata(inventory):
        text = message("left by an interrupted installation: {file}", file=stale)
        yield Observation(name="live.leftover", value=str(stale), source=text)


def _missing_torch(inventory: Inventory) -> Iterator[Observation]:
    """No torch where a companion is installed, or where a folder of it is left."""
    if inventory.torch.value is not None:
        return
    left = [path for path in inventory.leftovers.value or () if Path(path).name == "torch"]
    for path in left:
        text = message("{place} is left of a torch that was removed", place=path)
        yield Observation(name="live.leftover", value=path, source=text)
    there = [name for name in COMPANIONS if inventory.distribution(name) is not None]
    if there and not left:
        text = message("{packages} is installed, and torch is not", packages=joined(there))
        yield Observation(name="live.torch_missing", value=there[0], source=text)
        if (lost := lost_torch(inventory)) is not None:
            text = message("{packages}: made for {variant}", packages=joined(there), variant=lost.variant)
            yield Observation(name="live.build_belonging", value=lost.variant, source=text)
            if lost.release is not None:
                torch = f"{lost.release}+{lost.variant}"
                text = message("{packages}: made for torch {torch}", packages=joined(there), torch=torch)
                yield Observation(name="live.torch_belonging", value=torch, source=text)
