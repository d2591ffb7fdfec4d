"""What is known of one torch release: its builds by platform, its companions, its files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from packaging.version import Version

from wheels_index._data import two_numbers
from wheels_index._lazy_wheels import LazyWheels
from wheels_index.wheel import Wheel, variant_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "COMPANIONS",
    "PLATFORMS",
    "TORCH_PROJECTS",
    "Companion",
    "PlatformBuilds",
    "Release",
    "Triton",
    "release_from_json",
    "wheels_from_json",
]

# The projects whose builds go with a torch release, and these with torch itself.
COMPANIONS = ("torchvision", "torchaudio")
TORCH_PROJECTS = ("torch", *COMPANIONS)

PLATFORMS = (
    "linux_x86_64",
    "linux_aarch64",
    "windows_x86_64",
    "windows_arm64",
    "macos_arm64",
    "macos_x86_64",
)

OFFICIAL_HOST = "https://download.pytorch.org/"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformBuilds:
    """The builds of one release for one platform.

    `variants` are those of the build matrix and those of which a file was seen (`unmatrixed` says which came
    that way). `unconfirmed` gives the doubt about a variant, whether or not it is among `variants`. `pythons`
    (`3.12`, `3.14t`) are PyPI's; `index_only_pythons` were seen or announced on the official index alone, for
    at least one variant. Both are empty where nothing is known. `glibc` maps a variant, or `all`, to a floor.
    `macos` gives PyPI's platform tags with their Pythons. `pypi_default` is the variant that PyPI serves.
    """

    variants: tuple[str, ...]
    unconfirmed: Mapping[str, str]
    unmatrixed: Mapping[str, str]
    pythons: tuple[str, ...]
    index_only_pythons: tuple[str, ...]
    index_only_note: str | None
    glibc: Mapping[str, str]
    macos: tuple[tuple[str, tuple[str, ...]], ...]
    pypi_default: str | None

    def glibc_floor(self, variant: str) -> tuple[int, int] | None:
        """Return the least glibc of a variant as `(2, 28)`, or None where it is not known."""
        floor = self.glibc.get(variant, self.glibc.get("all"))
        return None if floor is None else two_numbers(floor)

    def macos_floor(self, python: str) -> tuple[int, int] | None:
        """Return the least macOS for a Python as `(14, 0)`, or None where no wheel is known."""
        tags = (re.match(r"macosx_(\d+)_(\d+)_", tag) for tag, pythons in self.macos if python in pythons)
        return min(((int(tag[1]), int(tag[2])) for tag in tags if tag), default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Companion:
    """A project that goes with a torch release.

    `versions` belong to the release, newest first. `constraint` is what the first of its line declares of
    torch; None when it declares nothing. `pythons` maps a version to the Pythons of PyPI's wheels; `py3`
    there is one wheel for all. `requires_python` maps a version to its declared specifier, `uploaded` to the
    ISO date of its first file on PyPI, which is that of the torch release it was built with. Of those in
    `pypi_only` nothing says that the official index has them too; `index_only_pythons` are the Pythons of
    the official index's wheels alone.
    """

    project: str
    versions: tuple[Version, ...]
    constraint: str | None
    pythons: Mapping[str, tuple[str, ...]]
    requires_python: Mapping[str, str | None]
    note: str | None
    uploaded: Mapping[str, str | None] = field(default_factory=dict)
    pypi_only: frozenset[str] = frozenset()
    index_only_pythons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def has_python(self, version: Version, python: str) -> bool:
        """Say whether PyPI or the official index has a wheel of a version for a Python such as `3.12` or `3.14t`."""
        pythons = (*self.pythons.get(version.public, ()), *self.index_only_pythons.get(version.public, ()))
        return python in pythons or "py3" in pythons


@dataclass(frozen=True, kw_only=True, slots=True)
class Triton:
    """The triton that PyPI's torch asks for: a version or a specifier, and when."""

    version: str
    condition: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """Everything known of one torch release on `as_of` (an ISO date).

    `wheels` are files seen on the official index, of torch and of its companions; `pypi_wheels` are PyPI's,
    with sizes and other digests, never to be mixed with the first (their `url` is not known, and their
    `variant` is in no name: see `pypi_default`). `numpy` maps a platform to the NumPy specifier it needs.
    `gpu_code` maps a variant of a vendor's own builds to the GPUs that they have code for (`gfx1151`, `8.7`).
    """

    version: Version
    released: str | None
    requires_python: str | None
    yanked: bool
    platforms: Mapping[str, PlatformBuilds]
    companions: Mapping[str, Companion]
    wheels: Sequence[Wheel]
    pypi_wheels: Sequence[Wheel]
    numpy: Mapping[str, str]
    setuptools: str | None
    triton: Triton | None
    pypi_cuda_toolkit: str | None
    pypi_cudnn: str | None
    sources: Mapping[str, str]
    as_of: str
    gpu_code: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def constraints(self, platform: str | None) -> tuple[str, ...]:
        """Return requirement lines that the wheels do not declare: builds before 2.3 need `numpy<2`."""
        numpy = self.numpy.get(platform or "")
        return (f"numpy{numpy}",) if numpy else ()

    def listed(self, project: str, variant: str | None = None) -> tuple[Wheel, ...]:
        """Return the files seen on the official index of a project, of one variant or of all."""
        return tuple(w for w in self.wheels if w.project == project and variant in (None, w.variant))

    def wheels_named(self, filename: str, host: Literal["official", "pypi"]) -> tuple[Wheel, ...]:
        """Return the files of a name on one host.

        The official index can have one name in several folders (aarch64 companions), with other bytes.
        """
        return tuple(
            w for w in (self.wheels if host == "official" else self.pypi_wheels) if w.filename == filename
        )


def release_from_json(data: Mapping[str, Any], shared: tuple[Mapping[str, Any], ...] = ()) -> Release:
    """Build a release from its data file and those of the companions that it shares with others."""
    files = (data, *shared)
    triton = data["triton"]
    return Release(
        version=Version(data["torch"]),
        released=data["released"],
        requires_python=data["requires_python"],
        yanked=data["yanked"],
        platforms=MappingProxyType({name: _builds(row) for name, row in data["platforms"].items()}),
        companions=MappingProxyType(
            {name: _companion(name, row) for name, row in data["companions"].items()}
        ),
        wheels=LazyWheels(lambda: tuple(w for file in files for w in wheels_from_json(file["wheels"]))),
        pypi_wheels=LazyWheels(
            lambda: tuple(w for file in files for group in file["pypi"] for w in _pypi_wheels(group))
        ),
        numpy=MappingProxyType(data["numpy"]),
        setuptools=data["setuptools"],
        triton=Triton(version=triton["version"], condition=triton["condition"])
        if triton["version"]
        else None,
        pypi_cuda_toolkit=data["pypi_cuda_toolkit"],
        pypi_cudnn=data["pypi_cudnn"],
        sources=MappingProxyType(data["sources"]),
        as_of=data["as_of"],
    )


def wheels_from_json(groups: list[dict[str, Any]]) -> tuple[Wheel, ...]:
    """Build the wheels of the official index: groups of one project, version and folder."""
    return tuple(wheel for group in groups for wheel in _official_wheels(group))


def _official_wheels(group: dict[str, Any]) -> list[Wheel]:
    version, folder = Version(group["version"]), group["folder"]
    place = OFFICIAL_HOST + folder
    variant = variant_of(version) or folder.removeprefix("whl/").rstrip("/") or None
    return [
        Wheel(
            project=group["project"],
            version=version,
            filename=name,
            url=place + name.replace("+", "%2B"),  # as in every href of the index
            sha256=sha256,
            size=None,
            variant=variant,
        )
        for name, sha256 in group["files"]
    ]


def _pypi_wheels(group: dict[str, Any]) -> list[Wheel]:
    version = Version(group["version"])
    return [
        Wheel(
            project=group["project"],
            version=version,
            filename=name,
            url=None,
            sha256=sha256,
            size=size,
            variant=None,
            requires_python=group["requires_python"],
            yanked=group["yanked"],
        )
        for name, sha256, size in group["files"]
    ]


def _builds(row: dict[str, Any]) -> PlatformBuilds:
    return PlatformBuilds(
        variants=tuple(row["variants"]),
        unconfirmed=MappingProxyType(row["unconfirmed"]),
        unmatrixed=MappingProxyType(row["unmatrixed"]),
        pythons=tuple(row["pythons"]),
        index_only_pythons=tuple(row["index_only_pythons"]),
        index_only_note=row["index_only_note"],
        glibc=MappingProxyType(row["glibc"]),
        macos=tuple((tag, tuple(pythons)) for tag, pythons in row["macos"]),
        pypi_default=row["pypi_default"],
    )


def _companion(project: str, row: dict[str, Any]) -> Companion:
    return Companion(
        project=project,
        versions=tuple(Version(version) for version in row["versions"]),
        constraint=row["constraint"],
        pythons=MappingProxyType({version: tuple(pythons) for version, pythons in row["pythons"].items()}),
        requires_python=MappingProxyType(row["requires_python"]),
        note=row["note"],
        uploaded=MappingProxyType(row["uploaded"]),
        pypi_only=frozenset(row.get("pypi_only", ())),
        index_only_pythons=MappingProxyType(
            {version: tuple(pythons) for version, pythons in row.get("index_only_pythons", {}).items()}
        ),
    )
