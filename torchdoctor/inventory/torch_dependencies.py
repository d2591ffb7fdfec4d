"""Packages that are installed for the torch which is there, and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.inventory.distributions import read_folder
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from torchdoctor.inventory.package_model import Distribution

__all__ = ["only_for_torch"]

# What a build of torch brings along, and a build for another accelerator does not need.
_PREFIXES = ("nvidia-", "triton", "pytorch-triton", "cuda-")


def only_for_torch(folders: Iterable[Path]) -> frozenset[str]:
    """Return the names of NVIDIA's packages and Triton that torch or its companions need and nothing else does.

    `folders` are the package folders of the environment. What somebody asked for by name stays.
    """
    everything = [each for folder in folders for each in read_folder(str(folder)).distributions]
    needs = {each.name: _names(each) for each in everything}
    found: set[str] = set()
    waiting = [name for project in TORCH_PROJECTS for name in needs.get(project, ())]
    while waiting:
        name = waiting.pop()
        if name in needs and name not in found and name.startswith(_PREFIXES):
            found.add(name)
            waiting += needs[name]
    found -= {each.name for each in everything if each.requested and each.installer == "pip"}
    return frozenset(_unneeded(found, everything))


def _unneeded(found: set[str], everything: Sequence[Distribution]) -> set[str]:
    while True:
        others = [each for each in everything if each.name not in found | set(TORCH_PROJECTS)]
        needed = found & {name for each in others for name in _names(each)}
        if not needed:
            return found
        found = found - needed


def _names(distribution: Distribution) -> set[str]:
    names = set()
    for line in distribution.requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if "extra" not in str(requirement.marker or ""):
            names.add(str(canonicalize_name(requirement.name)))
    return names
