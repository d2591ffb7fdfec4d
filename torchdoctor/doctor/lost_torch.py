"""The torch that is missing, by the packages that were made for it: they have one build, and most name one release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from torchdoctor.core.versions import public_version
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.inventory import Inventory
    from torchdoctor.inventory.package_model import TorchPackage

__all__ = ["LostTorch", "lost_torch"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LostTorch:
    """Its build, its release where only one goes with the installed companions, and the releases of those."""

    variant: str
    release: str | None
    companions: dict[str, str]


def lost_torch(inventory: Inventory) -> LostTorch | None:
    """Return which torch belongs where none is installed; None where its companions do not name one build."""
    if inventory.torch.value is not None:
        return None
    packages = [each for name in COMPANIONS if (each := getattr(inventory, name).value) is not None]
    variants = {package.variant.value for package in packages}
    if len(variants) != 1 or None in variants:
        return None
    releases = {release for package in packages for release in _required_releases(package)}
    versions = {package.name: public_version(package.version) for package in packages}
    return LostTorch(
        variant=str(variants.pop()),
        release=releases.pop() if len(releases) == 1 else None,
        companions={name: version for name, version in versions.items() if version is not None},
    )


def _required_releases(package: TorchPackage) -> Iterator[str]:
    """The only release that its metadata allows; torchvision allows several from 0.29.1 on, torchaudio from 2.11 on."""
    for line in package.distribution.requires if package.distribution else ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.name == "torch" and requirement.marker is None:
            pins = (each.version for each in requirement.specifier if each.operator == "==")
            yield from filter(None, map(public_version, pins))
