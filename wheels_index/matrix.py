"""The facts as one document for other programs: releases, variants and GPUs, without the single files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from wheels_index._data import FOLDER, read_json, two_numbers
from wheels_index._version import __version__
from wheels_index.arch import arch_list, covers, nearest_arch_list
from wheels_index.gpu import gpus
from wheels_index.snapshot import bundled
from wheels_index.variant import nearest_gfx, newest_first, rules, variant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wheels_index.arch import Capability
    from wheels_index.release import PlatformBuilds, Release
    from wheels_index.snapshot import Snapshot

__all__ = ["Matrix", "matrix", "matrix_document", "matrix_schema_file"]

_GPU_PLATFORMS = ("linux_x86_64", "linux_aarch64", "windows_x86_64")


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixBuild:
    """A build of a release. `sm` and `ptx` are the CUDA code that was read to be in it; null is not known."""

    variant: str
    glibc: str | None
    sm: tuple[str, ...] | None
    ptx: tuple[str, ...] | None
    files_seen: int
    doubt: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixPlatform:
    """The builds of a release for a platform, and what a plain `pip install torch` gives there."""

    platform: str
    pypi_default: str | None
    pythons: tuple[str, ...]
    index_only_pythons: tuple[str, ...]
    builds: tuple[MatrixBuild, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixCompanion:
    """The versions of a companion that go with a release, the newest first."""

    project: str
    versions: tuple[str, ...]
    requires_torch: str | None
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixRelease:
    """A torch release."""

    torch: str
    released: str | None
    as_of: str
    requires_python: str | None
    platforms: tuple[MatrixPlatform, ...]
    companions: tuple[MatrixCompanion, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixVariant:
    """What a variant needs. Drivers are NVIDIA's least ones; `gfx` are AMD's targets inside."""

    variant: str
    kind: Literal["cpu", "cuda", "rocm", "xpu"]
    toolkit: str | None
    linux_driver: str | None
    windows_driver: str | None
    gfx: tuple[str, ...] | None
    newest_torch: str | None
    note: str | None
    source: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixCoverage:
    """The newest torch whose build of a variant has code for a GPU; `code` is how, `rule` where it is by a rule."""

    platform: str
    variant: str
    torch: str
    code: Literal["native", "ptx", "target"]
    rule: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixGpu:
    """GPUs that torch sees alike: one compute capability of NVIDIA's, one target of AMD's."""

    vendor: Literal["nvidia", "amd"]
    name: str  # 6.1 or gfx1100
    generation: str | None
    chips: tuple[str, ...]
    last_driver_branch: int | None  # NVIDIA's; null while new ones support it
    builds: tuple[MatrixCoverage, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matrix:
    """The document. A key that changes or goes gives `schema` a new number."""

    schema: Literal[1]
    version: str
    as_of: str
    releases: tuple[MatrixRelease, ...]
    variants: tuple[MatrixVariant, ...]
    gpus: tuple[MatrixGpu, ...]


def matrix(snapshot: Snapshot | None = None) -> Matrix:
    """Return the facts of a snapshot, the bundled one where none is given.

    >>> found = matrix()
    >>> [build.torch for build in next(gpu for gpu in found.gpus if gpu.name == "6.1").builds][0]
    '2.14.1'
    """
    snapshot = snapshot or bundled()
    releases = tuple(snapshot.releases())
    return Matrix(
        schema=1,
        version=__version__,
        as_of=snapshot.as_of,
        releases=tuple(map(_release, releases)),
        variants=tuple(_variants(releases)),
        gpus=(*_nvidia(releases), *_amd(releases)),
    )


def matrix_document(snapshot: Snapshot | None = None) -> dict[str, Any]:
    """Return `matrix` as a JSON document that the published schema describes."""
    return asdict(matrix(snapshot))


def matrix_schema_file() -> Path:
    """Return the JSON schema of the document, which comes with the package."""
    return FOLDER.parent / "schemas" / "matrix.json"


def _release(release: Release) -> MatrixRelease:
    return MatrixRelease(
        torch=str(release.version),
        released=release.released,
        as_of=release.as_of,
        requires_python=release.requires_python,
        platforms=tuple(
            _platform(release, name, builds) for name, builds in release.platforms.items() if builds.variants
        ),
        companions=tuple(
            MatrixCompanion(
                project=project,
                versions=tuple(map(str, companion.versions)),
                requires_torch=companion.constraint,
                note=companion.note,
            )
            for project, companion in release.companions.items()
        ),
        sources=tuple(f"{what}: {source}" for what, source in release.sources.items()),
    )


def _platform(release: Release, name: str, builds: PlatformBuilds) -> MatrixPlatform:
    return MatrixPlatform(
        platform=name,
        pypi_default=builds.pypi_default,
        pythons=builds.pythons,
        index_only_pythons=builds.index_only_pythons,
        builds=tuple(_build(release, name, builds, each) for each in newest_first(builds.variants)),
    )


def _build(release: Release, platform: str, builds: PlatformBuilds, name: str) -> MatrixBuild:
    archs, floor = arch_list(release.version, name, platform), builds.glibc_floor(name)
    doubts = (builds.unconfirmed.get(name), builds.unmatrixed.get(name))
    return MatrixBuild(
        variant=name,
        glibc=f"{floor[0]}.{floor[1]}" if floor and platform.startswith("linux") else None,
        sm=tuple(map(_dotted, archs.sm)) if archs else None,
        ptx=tuple(map(_dotted, archs.ptx)) if archs else None,
        files_seen=sum(_is_for(wheel.filename, platform) for wheel in release.listed("torch", name)),
        doubt="; ".join(filter(None, doubts)) or None,
    )


def _is_for(filename: str, platform: str) -> bool:
    system, _, machine = platform.partition("_")
    tag = filename.removesuffix(".whl").rpartition("-")[2]
    names = {"linux": "linux", "windows": "win", "macos": "macosx"}
    machine = {"windows_x86_64": "amd64"}.get(platform, machine)
    return names[system] in tag and tag.endswith(machine)


def _variants(releases: Sequence[Release]) -> Iterator[MatrixVariant]:
    seen = {name for release in releases for builds in release.platforms.values() for name in builds.variants}
    for name in newest_first({*seen, *read_json("variants.json")["variants"]}):
        found = variant(name)
        has = (r.version for r in releases if any(name in b.variants for b in r.platforms.values()))
        newest = next(has, None)
        yield MatrixVariant(
            variant=name,
            kind=found.kind,
            toolkit=".".join(map(str, found.toolkit)) if found.toolkit else None,
            linux_driver=found.minimum_driver["linux"],
            windows_driver=found.minimum_driver["windows"],
            gfx=found.gfx,
            newest_torch=str(newest) if newest else None,
            note=found.note,
            source=found.source,
        )


def _nvidia(releases: Sequence[Release]) -> Iterator[MatrixGpu]:
    markets: dict[Capability, set[str]] = {}
    for card in gpus():
        markets.setdefault(card.compute_capability, set()).add(card.market)
    jetsons = {capability for capability, found in markets.items() if found == {"jetson"}}
    for row in read_json("chips.json")["nvidia"]["chips"]:
        capability = two_numbers(row["compute_capability"])
        yield MatrixGpu(
            vendor="nvidia",
            name=row["compute_capability"],
            generation=row["generation"],
            chips=tuple(row["chips"]),
            last_driver_branch=rules().last_driver_branch(capability),
            builds=tuple(
                _first_of_each(
                    releases,
                    lambda r, p, v, c=capability: _cuda(r, p, v, c),
                    ("linux_aarch64",) if capability in jetsons else _GPU_PLATFORMS,
                )
            ),
        )


def _amd(releases: Sequence[Release]) -> Iterator[MatrixGpu]:
    chips: dict[str, list[str]] = {}
    for row in read_json("chips.json")["amd"]["chips"]:
        if row["gfx"]:
            chips.setdefault(row["gfx"], []).extend(row["chips"])
    for gfx, names in sorted(chips.items()):
        yield MatrixGpu(
            vendor="amd",
            name=gfx,
            generation=None,
            chips=tuple(names),
            last_driver_branch=None,
            builds=tuple(_first_of_each(releases, lambda r, p, v, g=gfx: _rocm(r, p, v, g))),
        )


def _first_of_each(
    releases: Sequence[Release], look: Any, platforms: Sequence[str] = _GPU_PLATFORMS
) -> Iterator[MatrixCoverage]:
    """Yield, of each variant on each platform, the newest release that has code."""
    for platform in platforms:
        found: set[str] = set()
        for release in releases:
            for name in newest_first(release.platforms[platform].variants):
                if name not in found and (coverage := look(release, platform, name)) is not None:
                    found.add(name)
                    yield coverage


def _cuda(release: Release, platform: str, name: str, capability: Capability) -> MatrixCoverage | None:
    build = variant(name)
    archs = nearest_arch_list(release.version, name, platform) if build.kind == "cuda" else None
    code = covers(archs, capability, toolkit=build.toolkit) if archs else None
    if archs is None or code is None:
        return None
    return MatrixCoverage(
        platform=platform, variant=name, torch=str(release.version), code=code, rule=archs.rule
    )


def _rocm(release: Release, platform: str, name: str, gfx: str) -> MatrixCoverage | None:
    targets, rule = nearest_gfx(name, str(release.version)) or ((), None)
    if gfx not in targets or gfx in variant(name).blas_unusable_gfx:
        return None
    return MatrixCoverage(
        platform=platform, variant=name, torch=str(release.version), code="target", rule=rule
    )


def _dotted(capability: Capability) -> str:
    return f"{capability[0]}.{capability[1]}"
