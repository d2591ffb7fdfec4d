"""Packages of an environment: distributions, copies of torch, their files and libraries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torchdoctor.core import Fact  # noqa: TC001  (serde reads the types at run time)

__all__ = [
    "CompanionMatch",
    "CudaMajor",
    "Depth",
    "Distribution",
    "Duplicate",
    "ExtensionFit",
    "InstallRecord",
    "Library",
    "Numpy",
    "RecordCheck",
    "RecordedFile",
    "RuntimeLibrary",
    "TorchPackage",
    "VersionFile",
]

# How closely files are compared with their RECORD: not at all, by existence and size, by their hashes.
Depth = Literal["list", "sizes", "hashes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """One installed distribution, by its metadata."""

    name: str  # normalised
    version: str | None
    kind: Literal["wheel", "egg", "conda"]
    folder: str  # on the path; of a conda package the environment's own
    metadata: str  # path of the dist-info, egg-info or conda-meta file
    installer: str | None = None  # pip, uv, conda, ...; None where nothing says it
    requested: bool | None = None  # whether somebody asked for it by name
    direct_url: str | None = None  # where a package from no index came from, without credentials
    editable: bool = False
    installed_at: str | None = None  # when the metadata was last changed: UTC, ISO 8601
    requires: tuple[str, ...] = ()  # requirement lines about packages of PyTorch and NVIDIA, and NumPy
    channel: str | None = None  # of conda
    build: str | None = None  # of conda


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionFile:
    """What a package's `version.py` says of its build; None for what it says is None or does not say."""

    version: str | None
    cuda: str | None = None
    hip: str | None = None
    xpu: str | None = None
    debug: bool | None = None
    git: str | None = None
    says: tuple[str, ...] = ()  # the names that it assigns: a None of these was written there


@dataclass(frozen=True, kw_only=True, slots=True)
class TorchPackage:
    """One copy of torch, torchvision or torchaudio."""

    name: str
    version: str | None  # by its metadata, else by its version.py
    folder: str  # of the path
    there: bool  # False for metadata whose package folder is gone
    distribution: Distribution | None  # None for a folder without metadata
    version_file: Fact[VersionFile]
    variant: Fact[str]  # cpu, cu130, rocm7.2, xpu, ...


@dataclass(frozen=True, kw_only=True, slots=True)
class CompanionMatch:
    """Whether a companion belongs to the installed torch; None where that is not known."""

    name: str
    version: str
    torch: str  # the version of the installed torch
    belongs: tuple[str, ...]  # the versions that belong to it, newest first
    declared: str | None  # what the companion's own metadata requires of torch
    matches: bool | None
    same_variant: bool | None
    why: str  # what `matches` rests on, for people


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicate:
    """A project with several distributions on the path, in the order in which imports meet them."""

    name: str
    versions: tuple[str, ...]
    metadata: tuple[str, ...]  # paths


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedFile:
    """A file that is not as its RECORD says."""

    path: str  # as RECORD has it
    problem: Literal["missing", "size", "hash", "unreadable"]
    detail: str  # for people
    owners: tuple[str, ...] = ()  # other packages whose RECORD lists the same file


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordCheck:
    """The files of a distribution against its RECORD."""

    name: str
    version: str | None
    record: str  # path of the RECORD
    files: int  # how many it lists
    wrong_count: int
    wrong: tuple[RecordedFile, ...]  # the first of them
    needed: bool = True  # False where neither torch nor a companion requires the package


@dataclass(frozen=True, kw_only=True, slots=True)
class Numpy:
    """The NumPy that is imported, and whether it fits the build of torch."""

    version: str
    major: int | None
    needed: str | None  # the versions that the build needs, as a specifier; None where nothing is known
    fits: bool | None  # None where that is not known


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """An OpenMP runtime in the environment."""

    name: str  # gomp, iomp5 or omp
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimeLibrary:
    """A library that torch needs, or loads when it is used, and that is not there as it should be."""

    name: str  # of the file that is asked for
    needed_by: str  # the library that needs it, or what a user calls
    kind: Literal["missing", "elsewhere", "twice"]
    places: tuple[str, ...]  # the one that is loaded first
    reason: str  # for people


@dataclass(frozen=True, kw_only=True, slots=True)
class CudaMajor:
    """A major release of CUDA of which NVIDIA's packages are installed."""

    major: int
    packages: tuple[str, ...]  # `name version`


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionFit:
    """An installed package with compiled code for torch, and whether its libraries go with the installed torch."""

    name: str
    version: str
    libraries: int  # those that have to do with torch or a GPU
    fits: bool | None  # None where the names that they need could not be looked up in torch
    fatal: bool = False  # it cannot be imported; else it can where parts are missing
    file: str | None = None  # the first library that cannot be loaded
    code: str | None = None  # cuda-major, needs-cuda, needs-rocm, needs-xpu, cxx11-abi or missing-symbol
    needed: str | None = None  # the library or the symbol that is not there
    reason: str | None = None  # for people


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallRecord:
    """What torchdoctor wrote when it last installed here."""

    path: str
    written: str | None  # when: UTC, ISO 8601
    torchdoctor: str | None  # its version
    variant: str | None
    packages: tuple[tuple[str, str], ...]  # name and version
    asked: tuple[tuple[str, str], ...] = ()  # requirement lines that somebody asked for, each with where
