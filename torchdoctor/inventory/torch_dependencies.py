"""Packages that are installed for a build of torch and for nothing else, such as NVIDIA's libraries and Triton."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.requirement_names import project_in
from torchdoctor.inventory.distributions import read_folder
from torchdoctor.inventory.record import read_record, wrong_files
from torchdoctor.inventory.required import required_by_torch, required_packages
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from torchdoctor.inventory.package_model import Distribution

__all__ = ["only_for_torch", "overwritten_in", "unneeded_packages"]

# What a build of torch brings along, and a build for another accelerator does not need.
_PREFIXES = ("nvidia-", "triton", "pytorch-triton", "cuda-", "intel-")
# NVIDIA's packages that builds of torch have required; one of these that nothing requires was left by one of them.
_OF_BUILDS = re.compile(
    r"nvidia-(?:cublas|cuda-cupti|cuda-nvrtc|cuda-runtime|cudnn|cufft|cufile|curand|cusolver|cusparse|cusparselt|nccl"
    r"|nvjitlink|nvshmem|nvtx)(?:-cu[0-9]{2})?"
)
# Of these, what no other package is known to be installed for.
_ONLY_OF_BUILDS = re.compile(r"nvidia-(?:cusparselt|nccl|nvshmem|cufile|nvtx)(?:-cu[0-9]{2})?")


def only_for_torch(
    folders: Iterable[Path],
    environment: Mapping[str, str],
    *,
    asked: Collection[str] = (),
    replaced: Collection[str] = TORCH_PROJECTS,
) -> frozenset[str]:
    """Return the names of the accelerator's packages that torch or its companions need and nothing else does.

    `folders` are the package folders of the environment, `environment` the values of its markers. What somebody asked
    for by name stays, and what a companion needs that is not among the `replaced` projects.
    """
    everything = _distributions(folders)
    required = {each.name for each in required_packages(TORCH_PROJECTS, everything, environment)}
    return _without_needed(required, everything, {*asked}, {*replaced})


def unneeded_packages(
    distributions: Sequence[Distribution], environment: Mapping[str, str], asked: Collection[str] = ()
) -> frozenset[str]:
    """Return the accelerator's packages that neither torch nor anything else requires: what another build left.

    Only those are told that came as a requirement of something, as pip writes down, or that builds of torch have
    required. Nothing where torch has no metadata.
    """
    required = required_by_torch(distributions, environment)
    if required is None:
        return frozenset()
    came = [each for each in distributions if _came_with_torch(each)]
    if not any(_ONLY_OF_BUILDS.fullmatch(each.name) for each in came):
        # Where an installer marks everything as asked for, cuBLAS and cuDNN may be somebody's own: ctranslate2 opens
        # them at run time and does not require them.
        came = [each for each in came if each.installer == "pip"]
    found = {each.name for each in came} - required
    return _without_needed(found, distributions, {*asked}, {"torch"})


def overwritten_in(folders: Iterable[Path]) -> frozenset[str]:
    """Return the accelerator's packages with files of another size: most often another package, that has them too."""
    found = set()
    for each in _distributions(folders):
        rows = read_record(each) if each.name.startswith(_PREFIXES) else None
        wrong = wrong_files(rows or (), each.folder, "sizes")
        if any(file.problem == "size" for _, file in wrong):
            found.add(each.name)
    return frozenset(found)


def _distributions(folders: Iterable[Path]) -> list[Distribution]:
    return [each for folder in folders for each in read_folder(str(folder)).distributions]


def _came_with_torch(distribution: Distribution) -> bool:
    if distribution.kind != "wheel" or not distribution.name.startswith(_PREFIXES):
        return False
    if distribution.installer == "pip":
        return not distribution.requested
    return _OF_BUILDS.fullmatch(distribution.name) is not None


def _without_needed(
    names: set[str], everything: Sequence[Distribution], asked: set[str], replaced: set[str]
) -> frozenset[str]:
    """Leave out what was asked for, and what a package mentions that stays, be it for one of its extras."""
    installed = {each.name for each in everything if each.kind == "wheel" and each.name.startswith(_PREFIXES)}
    requested = {each.name for each in everything if each.requested and each.installer == "pip"}
    found = (names & installed) - requested - asked
    while True:
        staying = [each for each in everything if each.name not in found | replaced]
        needed = found & {name for each in staying for name in _mentioned(each)}
        if not needed:
            return frozenset(found)
        found -= needed


def _mentioned(distribution: Distribution) -> set[str]:
    return {name for line in distribution.requires if (name := project_in(line)) is not None}
