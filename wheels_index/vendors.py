"""Vendors of GPUs with builds of PyTorch of their own: their indexes, and how a build is asked for there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from wheels_index._data import read_json
from wheels_index.live import LiveSnapshot, Overlay
from wheels_index.release import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheels_index.release import Companion, Release
    from wheels_index.snapshot import Snapshot
    from wheels_index.wheel import Wheel

__all__ = ["UnknownVendor", "Vendor", "VendorSnapshot", "extras_of", "vendor", "vendor_names"]

_EXTRA = re.compile(r"""extra\s*==\s*["']([A-Za-z0-9._-]{1,60})["']""", re.ASCII)
_GFX_EXTRA = re.compile(r"device-(gfx[0-9a-f]{3,5})", re.ASCII)


class UnknownVendor(ValueError):
    """A name that no vendor has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vendor:
    """A vendor's own builds of PyTorch.

    `own` are patterns of the projects that come from its index alone. `extra` makes the extra of a GPU, where builds
    take one. `variant` is what files whose names tell no build are; `gpus` what they have code for, None where the
    extras of each file tell. `known_gap` is the code of what is known to be missing there.
    """

    name: str
    title: str
    indexes: tuple[str, ...]
    own: tuple[str, ...]
    extra: str | None
    platform: str | None
    variant: str | None
    gpus: tuple[str, ...] | None
    known_gap: str | None
    pytorch_from: (
        tuple[int, ...] | None
    )  # the ROCm from which on PyTorch's own builds need the vendor's packages
    source: str
    date: str

    def owns(self, project: str) -> bool:
        """Say whether a project, by its normalised name, comes from the vendor's index alone."""
        return any(fnmatchcase(project, pattern) for pattern in self.own)

    def is_needed_by(self, variant: str) -> bool:
        """Say whether PyTorch's own builds of a variant need the vendor's packages too."""
        rocm = re.fullmatch(r"rocm([0-9]{1,3}(?:\.[0-9]{1,3}){1,2})", variant, re.ASCII)
        if rocm is None or self.pytorch_from is None:
            return False
        return tuple(map(int, rocm[1].split("."))) >= self.pytorch_from

    def extras_for(self, gpus: Iterable[str]) -> tuple[str, ...]:
        """Return the extras that bring the code for these GPUs."""
        return tuple(sorted({self.extra.format(gpu=gpu) for gpu in gpus})) if self.extra is not None else ()


def vendor_names() -> tuple[str, ...]:
    """Return the names by which a vendor's builds are asked for."""
    return tuple(read_json("vendors.json")["vendors"])


@lru_cache(maxsize=16)
def vendor(name: str) -> Vendor:
    """Return a vendor by its name; raises `UnknownVendor`.

    >>> vendor("amd").extras_for(["gfx1151"]), vendor("amd").owns("rocm-sdk-core")
    (('device-gfx1151',), True)
    """
    row: dict[str, Any] | None = read_json("vendors.json")["vendors"].get(name)
    if row is None:
        raise UnknownVendor(f"no vendor is called {name[:60]!r}")
    amd = [each["index_url"] for each in read_json("amd_builds.json")["indexes"]]
    return Vendor(
        name=name,
        title=row["title"],
        indexes=tuple(row.get("indexes") or amd),
        own=tuple(row["own"]),
        extra=row["extra"],
        platform=row.get("platform"),
        variant=row.get("variant"),
        gpus=tuple(row["gpus"]) if row.get("gpus") is not None else None,
        known_gap=row.get("warning"),
        pytorch_from=tuple(map(int, row["pytorch_from"].split("."))) if "pytorch_from" in row else None,
        source=row["source"],
        date=row["date"],
    )


def extras_of(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the extras that `Requires-Dist` lines name, in their order.

    >>> extras_of(['amd-torch-device-gfx942==2.13.0; extra == "device-gfx942"', "filelock"])
    ('device-gfx942',)
    """
    return tuple(dict.fromkeys(extra for line in lines for extra in _EXTRA.findall(line)))


class VendorSnapshot(LiveSnapshot):
    """The releases of a vendor's index alone; of companions what it has for them, and PyTorch's versions of these."""

    __slots__ = ("_gpu_code",)

    def __init__(
        self,
        base: Snapshot,
        wheels: Iterable[Wheel],
        *,
        as_of: str,
        requires: Mapping[str, tuple[str, ...]],
        gpus: tuple[str, ...] | None = None,
    ) -> None:
        """Take the wheels that the index lists, and the `Requires-Dist` lines of torch's by file name.

        A torch whose lines are not given is left out; `gpus` is what all have code for where extras do not tell.
        """
        wheels = tuple(wheels)
        torch = [wheel for wheel in wheels if wheel.project == "torch" and wheel.filename in requires]
        others = [wheel for wheel in wheels if wheel.project in COMPANIONS]
        super().__init__(base, Overlay.of([*torch, *others], as_of=as_of))
        code: dict[tuple[Version, str], tuple[str, ...]] = {}
        for wheel in torch:
            extras = extras_of(requires[wheel.filename])
            targets = tuple(found[1] for extra in extras if (found := _GFX_EXTRA.fullmatch(extra)))
            if (gpus or targets) and wheel.variant is not None:
                code[Version(wheel.version.public), wheel.variant] = gpus or targets
        self._gpu_code = code

    def versions(self) -> tuple[Version, ...]:
        """Return the torch releases that the index has, newest first."""
        found = {version for project, version in self._groups() if project == "torch"}
        return tuple(sorted((version for version in super().versions() if version in found), reverse=True))

    def _read(self, version: Version) -> Release:
        release = super()._read(version)
        groups = self._groups().get(("torch", version), ())
        variants = {group.variant for group in groups}
        platforms = {
            name: replace(
                builds,
                variants=tuple(each for each in builds.variants if each in variants),
                pypi_default=None,
                unconfirmed=MappingProxyType({}),
            )
            for name, builds in release.platforms.items()
        }
        return replace(
            release,
            platforms=MappingProxyType(platforms),
            companions=MappingProxyType({n: self._with_own(c) for n, c in release.companions.items()}),
            gpu_code=MappingProxyType(
                {v: code for (torch, v), code in self._gpu_code.items() if torch == version}
            ),
        )

    def _with_own(self, companion: Companion) -> Companion:
        """Add the index's own versions of the lines that go with the release: 2.11.0.2 beside PyTorch's 2.11.0."""
        lines = {version.release[:2] for version in companion.versions}
        own = {
            version
            for project, version in self._groups()
            if project == companion.project and version.release[:2] in lines
        }
        return replace(companion, versions=tuple(sorted({*companion.versions, *own}, reverse=True)))
