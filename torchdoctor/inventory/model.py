"""What lies in an environment: each fact with its state and where it was read."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from torchdoctor.core.fact import Fact, NamedFact
from torchdoctor.core.i18n.messages import message
from torchdoctor.core.serde import FieldError, from_json, to_json
from torchdoctor.errors import UsageError

__all__ = [
    "SCHEMA",
    "Certificate",
    "CompanionMatch",
    "CudaMajor",
    "Depth",
    "Distribution",
    "Duplicate",
    "InstallRecord",
    "Inventory",
    "Kind",
    "Library",
    "Numpy",
    "PathFolder",
    "PthFile",
    "RecordCheck",
    "RecordedFile",
    "Shadow",
    "ToolSetting",
    "TorchPackage",
    "UserSite",
    "Variable",
    "VersionFile",
]

SCHEMA = 1

# How closely files are compared with their RECORD: not at all, there and of that size, the same bytes.
Depth = Literal["list", "sizes", "hashes"]
Kind = Literal["venv", "conda", "conda-base", "interpreter"]
Origin = Literal["PYTHONPATH", "standard library", "user site", "site-packages", ".pth file"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PathFolder:
    """One place where imports look, in their order, and what put it there."""

    folder: str
    origin: Origin
    there: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """One installed distribution, by its metadata.

    `name` is normalised, `folder` is the one on the path (a conda environment's own for a conda package),
    `metadata` the dist-info, egg-info or conda-meta file. `installer` is pip, uv, conda, ... and None when not
    said; `requested` says whether it was asked for by name. `direct_url` is where a package from no index came
    from, without credentials. `installed_at` is UTC, ISO 8601, of the metadata's last change. `requires` are
    the requirement lines about PyTorch's packages, NVIDIA's and NumPy.
    """

    name: str
    version: str | None
    kind: Literal["wheel", "egg", "conda"]
    folder: str
    metadata: str
    installer: str | None = None
    requested: bool | None = None
    direct_url: str | None = None
    editable: bool = False
    installed_at: str | None = None
    requires: tuple[str, ...] = ()
    channel: str | None = None
    build: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionFile:
    """What a package's `version.py` says of its build; None for what it says is None or does not say.

    `says` holds the names that it assigns: a None of a name in `says` was written, any other is silence.
    """

    version: str | None
    cuda: str | None = None
    hip: str | None = None
    xpu: str | None = None
    debug: bool | None = None
    git: str | None = None
    says: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TorchPackage:
    """One copy of torch, torchvision or torchaudio.

    `version` is that of its metadata, else of its version.py. `distribution` is None for a folder that no metadata
    belongs to; `there` is False for metadata whose folder is gone. `variant` is cpu, cu130, rocm7.2, xpu, ...
    """

    name: str
    version: str | None
    folder: str
    there: bool
    distribution: Distribution | None
    version_file: Fact[VersionFile]
    variant: Fact[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class CompanionMatch:
    """Whether a companion belongs to the torch beside it; None where that is not known.

    `belongs` are the versions that do, newest first. `declared` is what its own metadata requires of torch.
    """

    name: str
    version: str
    torch: str
    belongs: tuple[str, ...]
    declared: str | None
    matches: bool | None
    same_variant: bool | None
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicate:
    """A project that has more than one distribution on the path, in the order in which imports meet them."""

    name: str
    versions: tuple[str, ...]
    metadata: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedFile:
    """A file that is not as its RECORD says."""

    path: str
    problem: Literal["missing", "size", "hash", "unreadable"]
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordCheck:
    """A distribution's files against its RECORD; `wrong` holds the first of `wrong_count`."""

    name: str
    version: str | None
    record: str
    files: int
    wrong_count: int
    wrong: tuple[RecordedFile, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shadow:
    """A file or package that is imported in place of the installed `module`."""

    module: str
    path: str
    where: Literal["current folder", "PYTHONPATH"]


@dataclass(frozen=True, kw_only=True, slots=True)
class UserSite:
    """The user's own site-packages: whether imports of this interpreter look there, and the torch packages in it."""

    folder: str
    used: bool
    why: str
    packages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PthFile:
    """A .pth file: the folders that it puts on the path, and how many lines of it are run as code."""

    path: str
    folders: tuple[str, ...]
    code_lines: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Numpy:
    """The NumPy that is imported, what torch's build needs of it, and whether it fits (None: not known)."""

    version: str
    major: int | None
    needed: str | None
    fits: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """A shared library in the environment: the runtime it belongs to (gomp, iomp5, omp) and its place."""

    name: str
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CudaMajor:
    """A major release of CUDA of which NVIDIA's packages are installed."""

    major: int
    packages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolSetting:
    """One setting of pip, uv or conda. Of several for one `key`, the one `used` wins; URLs have no credentials."""

    tool: Literal["pip", "uv", "conda"]
    key: str
    value: str
    origin: str
    used: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An environment variable that matters here, without secrets."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """A certificate setting: which variable, and whether what it names is there."""

    variable: str
    path: str
    there: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallRecord:
    """What torchdoctor wrote when it last installed here: when (ISO 8601), which variant, which versions."""

    path: str
    written: str | None
    torchdoctor: str | None
    variant: str | None
    packages: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    """One environment. `python` and `prefix` name it; everything else is a fact with its source.

    `torch`, `torchvision` and `torchaudio` are the copies that are imported; `copies` are all of them, in the
    order of the path. A list that is empty is an absent fact.
    """

    python: str
    prefix: str
    kind: Fact[Kind]
    path: Fact[tuple[PathFolder, ...]]
    distributions: Fact[tuple[Distribution, ...]]
    torch: Fact[TorchPackage]
    torchvision: Fact[TorchPackage]
    torchaudio: Fact[TorchPackage]
    copies: Fact[tuple[TorchPackage, ...]]
    companions: Fact[tuple[CompanionMatch, ...]]
    duplicates: Fact[tuple[Duplicate, ...]]
    records: Fact[tuple[RecordCheck, ...]]
    truncated: Fact[tuple[str, ...]]
    leftovers: Fact[tuple[str, ...]]
    shadows: Fact[tuple[Shadow, ...]]
    python_path: Fact[tuple[str, ...]]
    user_site: Fact[UserSite]
    pth: Fact[tuple[PthFile, ...]]
    numpy: Fact[Numpy]
    openmp: Fact[tuple[Library, ...]]
    cuda_majors: Fact[tuple[CudaMajor, ...]]
    settings: Fact[tuple[ToolSetting, ...]]
    proxies: Fact[tuple[Variable, ...]]
    certificates: Fact[tuple[Certificate, ...]]
    variables: Fact[tuple[Variable, ...]]
    install_record: Fact[InstallRecord]

    def facts(self) -> tuple[NamedFact, ...]:
        """Every fact with its name, in the order of the class: `environment.torch` and so on."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return tuple(
            NamedFact(name=f"environment.{name}", fact=fact)
            for name, fact in values
            if isinstance(fact, Fact)
        )

    def distribution(self, name: str) -> Distribution | None:
        """The first distribution of a normalised name on the path, which is the one that is imported."""
        return next((package for package in self.distributions.value or () if package.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Return the inventory as JSON: its `schema`, then every field in the order of the class."""
        return {"schema": SCHEMA, **to_json(self)}

    @staticmethod
    def from_json(document: Any) -> Inventory:
        """Return the inventory that `to_json` wrote; fields of later versions are ignored.

        Raises `UsageError` with the path of the field that is wrong, or for a schema of a later torchdoctor.
        """
        fix = "write it anew with `torchdoctor report --format json`"
        schema = document.get("schema") if isinstance(document, dict) else SCHEMA
        if schema != SCHEMA:
            raise UsageError(
                message(
                    "the inventory has schema {schema!r:.20}, and this torchdoctor reads {known}",
                    schema=schema,
                    known=SCHEMA,
                ),
                fix=message("{fix}, or use the torchdoctor that wrote it", fix=fix),
                code="bad-inventory",
            )
        try:
            return from_json(document, Inventory, path="environment")
        except (FieldError, RecursionError) as error:
            raise UsageError(
                message("the inventory cannot be used: {error}", error=error.args[0]),
                fix=fix,
                code="bad-inventory",
            ) from error
