"""What was asked (`Request`), what could serve it (`Candidate`), what was decided (`Plan`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.core.urls import redact_url

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from torchdoctor.sources.source import Provenance
    from wheels_index import Wheel

__all__ = [
    "COMPANIONS",
    "Candidate",
    "Companion",
    "LeftOut",
    "Plan",
    "PlannedPackage",
    "Ranking",
    "Rejected",
    "Request",
]

COMPANIONS = ("torchvision", "torchaudio")


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the user asked for.

    `torch` is None for the newest that fits. `variant` is `auto` or a variant's name. `required` and
    `excluded` are normalised project names from `--with` and `--without`; a required name maps to the
    versions wanted (an empty set for any). `cuda_on_cpu` is the consent to take a CUDA build on a machine
    that cannot use it.
    """

    torch: SpecifierSet | None = None
    variant: str = "auto"
    required: dict[str, SpecifierSet] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()
    cuda_on_cpu: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Companion:
    """A project that goes with a torch release: its versions that belong, newest first."""

    project: str
    versions: tuple[Version, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A torch release in a variant that fits the machine, with the reasons and what to warn of."""

    torch: Version
    variant: str
    companions: tuple[Companion, ...]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """A variant that was turned down, and why."""

    variant: str
    because: str
    torch: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """Every candidate, the best first, and what was turned down on the way.

    `last_resort` are CUDA builds that would import on this machine and not use a GPU: PyPI's default on
    Linux. They are taken only with the user's consent.
    """

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...]
    last_resort: tuple[Candidate, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedPackage:
    """One package of the plan. `wheel` is None while no file of it was seen anywhere."""

    name: str
    version: Version
    known: Provenance
    wheel: Wheel | None
    source: str | None

    def to_json(self) -> dict[str, object]:
        """Contract 3's row of `packages`."""
        wheel = self.wheel
        return {
            "name": self.name,
            "version": str(self.version),
            "known": self.known,
            "filename": wheel.filename if wheel else None,
            "url": redact_url(wheel.url) if wheel and wheel.url else None,
            "sha256": wheel.sha256 if wheel else None,
            "size": wheel.size if wheel else None,
            "source": self.source,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A companion that is not installed, and why."""

    name: str
    because: str

    @property
    def told(self) -> str:
        """That, as a sentence."""
        return message("{name} is left out: {because}", name=self.name, because=self.because)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The decision: which files, from where, and why these.

    `constraints` are requirement lines for what torch does not declare, such as `numpy<2`.
    """

    variant: str
    index_url: str
    packages: tuple[PlannedPackage, ...]
    reasons: tuple[str, ...]
    rejected: tuple[Rejected, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    accelerator_wheels: tuple[Wheel, ...] = ()
    constraints: tuple[str, ...] = ()

    @property
    def torch(self) -> PlannedPackage:
        """The torch package; every plan has one."""
        return self.packages[0]

    def to_json(self) -> dict[str, object]:
        """Contract 3 without the machine, which the caller adds."""
        return {
            "variant": self.variant,
            "index_url": self.index_url,
            "packages": [package.to_json() for package in self.packages],
            "reasons": list(self.reasons),
            "rejected": [{"variant": row.variant, "because": row.because} for row in self.rejected],
            "warnings": [
                *self.warnings,
                *(row.told for row in self.left_out),
            ],
        }
