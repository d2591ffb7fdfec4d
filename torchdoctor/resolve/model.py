"""What was asked (`Request`), what could serve it (`Candidate`), what was decided (`Plan`), and reasons with codes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from torchdoctor.core.i18n import message
from torchdoctor.core.urls import mask_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from torchdoctor.sources.source import Provenance
    from wheels_index import Wheel

__all__ = [
    "Candidate",
    "CompanionVersions",
    "Compatibility",
    "CompatibilityCode",
    "LeftOut",
    "Plan",
    "PlannedPackage",
    "Ranking",
    "Refusal",
    "RefusalCode",
    "Rejected",
    "Request",
    "SolvedPackage",
    "why_outranked",
]

# Why no build of a release can run on a machine, or why a release does not have what was asked for with it.
RefusalCode = Literal[
    "python-bits",  # a 32-bit Python
    "platform",  # no build for this operating system and processor
    "musl",
    "implementation",  # a Python other than CPython
    "python-version",  # no build for this minor version
    "requires-python",  # the release declares other Python versions
    "macos-too-old",
    "glibc-too-old",
    "companion-version",  # the companion has versions for the release, and none of those asked for
    "companion-python",  # the companion has no version for this Python
]

# How one build stands to the machine's GPUs and drivers; those from `no-gpu` on say why it runs on none of them.
CompatibilityCode = Literal[
    "cpu",  # a CPU build, which needs no GPU
    "all-gpus",
    "some-gpus",
    "no-gpu",  # the machine has no GPU of the build's kind
    "driver-too-old",  # or missing
    "no-code",  # the build has no code for these GPUs, or a library in it has none
    "not-supported",  # PyTorch does not support these GPUs
    "glibc-too-old",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the user asked for."""

    torch: SpecifierSet | None = None  # None for the newest release that fits
    variant: str = "auto"  # or a variant's name
    required: dict[str, SpecifierSet] = field(
        default_factory=dict
    )  # by normalised name; an empty set is any version
    excluded: frozenset[str] = frozenset()  # normalised names
    only_required: bool = False  # leave out companions that are neither required nor needed by something else
    allow_cuda_without_gpu: bool = False  # consent to a CUDA build on a machine that cannot use it


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a release is passed over."""

    code: RefusalCode
    message: str
    project: str | None = None  # the companion that a `companion-...` code is about


@dataclass(frozen=True, kw_only=True, slots=True)
class Compatibility:
    """How well one build fits a machine."""

    coverage: Literal["all", "some", "none"]  # of the machine's GPUs
    code: CompatibilityCode
    reason: str  # why it fits, or why not
    left_out: tuple[str, ...] = ()  # names of GPUs that it has no code for
    needs_driver: str | None = None  # the NVIDIA driver with which it would fit
    installable: bool = True  # False: it cannot even be loaded here
    # Whether what the build needs is written down, taken from the nearest build by a rule, or not known.
    limits: Literal["known", "rule", "unknown"] = "known"
    ptx: tuple[str, ...] = ()  # names of GPUs that it reaches only through PTX, compiled at the first use
    reach: tuple[int, int] = (0, 0)  # the highest compute capability that it covers, where it leaves GPUs out


@dataclass(frozen=True, kw_only=True, slots=True)
class CompanionVersions:
    """The versions of a companion that go with a torch release, newest first."""

    project: str
    versions: tuple[Version, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A torch release in a variant that fits the machine."""

    torch: Version
    variant: str
    companions: tuple[CompanionVersions, ...]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    doubt: str | None = None  # why it may not be published: for those who have seen no file of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """A variant that was turned down."""

    variant: str
    reason: str
    torch: str | None = None  # the release whose build it is
    outranked: Literal["gpu", "cpu"] | None = None  # set where it fits and another build is preferred


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """Every candidate and every variant that was turned down."""

    candidates: tuple[Candidate, ...]  # the best first
    rejected: tuple[Rejected, ...]
    # CUDA builds that can be imported on this machine and find no GPU: PyPI's default on Linux. They need consent.
    last_resort: tuple[Candidate, ...] = ()

    def rejected_for(self, chosen: Candidate) -> tuple[Rejected, ...]:
        """Return what was turned down where `chosen` is taken, which need not be the best."""
        return tuple(
            replace(rejected, reason=why_outranked(rejected.outranked, chosen.variant))
            if rejected.outranked is not None
            else rejected
            for rejected in self.rejected
            if rejected.variant != chosen.variant
        )


def why_outranked(kind: Literal["gpu", "cpu"], preferred: str) -> str:
    """Return why a build that fits is not taken: another variant is preferred."""
    if kind == "cpu":
        return message("a GPU build fits: {variant}", variant=preferred)
    return message("{variant} is preferred", variant=preferred)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedPackage:
    """One package of the plan."""

    name: str
    version: Version
    known: Provenance
    wheel: Wheel | None  # None while no file of it was seen anywhere
    source: str | None  # the name of the source that has it
    extras: tuple[str, ...] = ()  # that bring the code for the machine's GPUs

    @property
    def requirement(self) -> str:
        """The line by which pip and uv get exactly this."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}=={self.version}"

    def to_json(self) -> dict[str, object]:
        """Return a row of `packages` of contract 3."""
        wheel = self.wheel
        return {
            **({"extras": list(self.extras)} if self.extras else {}),
            "name": self.name,
            "version": str(self.version),
            "known": self.known,
            "filename": wheel.filename if wheel else None,
            "url": mask_url(wheel.url) if wheel and wheel.url else None,
            "sha256": wheel.sha256 if wheel else None,
            "size": wheel.size if wheel else None,
            "source": self.source,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A companion that is not installed."""

    name: str
    reason: str

    @property
    def message(self) -> str:
        """The name and the reason as one sentence."""
        return message("{name} is left out: {reason}", name=self.name, reason=self.reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class SolvedPackage:
    """A package besides torch and its companions that goes with the plan, as the solver chose it."""

    name: str
    version: str
    asked: bool  # whether somebody named it; False where only another package needs it
    requires_torch: bool = False  # by its metadata

    def to_json(self) -> dict[str, object]:
        """Return a row of `stack` of contract 3."""
        return {"name": self.name, "version": self.version, "asked": self.asked}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The decision: which files, from where, and why these."""

    variant: str
    index_url: str  # what a person gives pip as `--index-url`
    packages: tuple[PlannedPackage, ...]  # torch first, then its companions
    reasons: tuple[str, ...]
    rejected: tuple[Rejected, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    accelerator_wheels: tuple[Wheel, ...] = ()  # that only torch's own index has, such as triton for ROCm
    constraints: tuple[str, ...] = ()  # requirement lines that torch does not declare, such as `numpy<2`
    solved: tuple[SolvedPackage, ...] = ()  # by name; empty where nothing was asked for besides
    overrides: tuple[str, ...] = ()  # requirement lines that replace what others require of torch
    excluded: frozenset[str] = frozenset()  # projects that are not installed, whoever requires them
    find_links: tuple[str, ...] = ()  # pages of links of extensions, for this torch and variant alone
    vendor: str | None = None  # whose own builds torch and its companions are, where they are not PyTorch's
    # What files require, by name: read in the files, where no metadata file is believed, and compared after the fetch.
    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()  # files of places whose metadata files are not believed
    unvouched: tuple[str, ...] = ()  # files that nobody trusted vouches for, taken on the user's word
    indexes_alike: bool = False  # whether the rest was chosen with no index before another
    limits: tuple[dict[str, str], ...] = ()  # settings of pip, uv and ourselves that took part: rows for JSON

    @property
    def torch(self) -> PlannedPackage:
        """The torch package; every plan has one."""
        return self.packages[0]

    def to_json(self) -> dict[str, object]:
        """Return contract 3 without the machine, which the caller adds."""
        return {
            **({"vendor": self.vendor} if self.vendor is not None else {}),
            "variant": self.variant,
            "index_url": self.index_url,
            "packages": [package.to_json() for package in self.packages],
            "reasons": list(self.reasons),
            "rejected": [
                {"variant": rejected.variant, "because": rejected.reason} for rejected in self.rejected
            ],
            "warnings": [*self.warnings, *(left_out.message for left_out in self.left_out)],
            "stack": [package.to_json() for package in self.solved],
            "limits": [dict(row) for row in self.limits],
            "unvouched": list(self.unvouched),
        }
