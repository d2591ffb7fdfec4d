"""The values that describe one extension. What is not known is None; each fact names its source and date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wheels_index.variant import UnknownVariant
from wheels_index.variant import variant as variant_named

if TYPE_CHECKING:
    from packaging.version import Version

__all__ = [
    "ACCELERATORS",
    "BuildPlace",
    "Extension",
    "ExtraSource",
    "Fit",
    "FromSource",
    "KnownPair",
    "OutsidePip",
    "Proof",
    "WayOut",
    "accelerator_of",
]

# What a build can be made for; `same` is the variant of the folder or of the local version that it lies under.
ACCELERATORS = ("cpu", "cuda11", "cuda12", "cuda13", "rocm", "xpu", "same")

Tie = Literal["metadata", "local-version", "file-name", "linked-libraries", "loose", "none"]
Place = Literal["pypi", "pytorch", "index", "find-links", "file", "release-page"]
Answer = Literal["yes", "no", "unknown"]


def accelerator_of(variant: str) -> str | None:
    """Return what a variant's builds are linked against: `cu126` is `cuda12`, `rocm6.4` is `rocm`.

    >>> accelerator_of("cu130"), accelerator_of("cpu"), accelerator_of("nightly")
    ('cuda13', 'cpu', None)
    """
    try:
        known = variant_named(variant)
    except UnknownVariant:
        return None
    return f"cuda{known.toolkit[0]}" if known.kind == "cuda" and known.toolkit else known.kind


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildPlace:
    """One place where builds lie.

    `url` can hold `{torch}` (`2.8.0`), `{torch_minor}` (`2.8`), `{torch_zero}` (`2.8.0` for 2.8.1 too), `{variant}`
    and `{version}` (the extension's own). `kinds` are kinds of variants (`cuda`, `cpu`, ...). `torch` is a specifier
    of the torch versions for which the place has builds. `wheels` is False where there is only source.
    """

    place: Place
    url: str | None
    platforms: tuple[str, ...]
    kinds: tuple[str, ...] | None
    torch: str | None
    wheels: bool
    source: str
    date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPair:
    """Versions of the extension (a specifier) and the torch (a specifier) that their builds in a place go with.

    `accelerators` are what the builds can run with, `variants` the only ones where a build is for exactly one.
    `platforms` None stands for all that the place has.
    """

    versions: str
    torch: str | None
    accelerators: tuple[str, ...] | None
    variants: tuple[str, ...] | None
    place: Place
    platforms: tuple[str, ...] | None
    source: str
    date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WayOut:
    """What to do where there is no build: on some platforms, for some kinds of variants (None stands for all)."""

    platforms: tuple[str, ...] | None
    kinds: tuple[str, ...] | None
    text: str
    source: str
    date: str
    instead: str | None = None  # the project that has the same module there


@dataclass(frozen=True, kw_only=True, slots=True)
class OutsidePip:
    """What must be on the machine and cannot come from an index: `name` is one word or two, `text` a sentence."""

    name: str
    platforms: tuple[str, ...] | None
    text: str
    source: str
    date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """The small operation that proves an extension: the id of a check, and what it does in one line."""

    operation: str
    about: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FromSource:
    """What a build from source needs: a C++ compiler, `nvcc`, and torch at build time (no build isolation)."""

    compiler: bool | None
    nvcc: bool | None
    torch_at_build: bool | None
    source: str
    date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtraSource:
    """An index (`index`) or a page of links (`find-links`) to look for an extension's builds in."""

    kind: Literal["index", "find-links"]
    url: str
    project: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """Whether a build goes with a torch, and why.

    `because` is `known-pair`, `torch`, `variant` or `platform`, or says why the answer is unknown: `no-pair-known`,
    `not-an-extension`. `needs` are what would fit: torch specifiers (`torch`), accelerators or variants (`variant`).
    """

    answer: Answer
    because: str
    needs: tuple[str, ...]
    source: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """One extension.

    `ties` say how a build is tied to torch and CUDA, the strongest first. `on_mismatch` is what happens beside another
    torch: `import-fails`, `kernels-skipped` (the Python part works), `no-gpu` (the CPU part works), or None.
    """

    project: str
    about: str
    imports: tuple[str, ...]
    ties: tuple[Tie, ...]
    on_mismatch: Literal["import-fails", "kernels-skipped", "no-gpu"] | None
    builds: tuple[BuildPlace, ...]
    pairs: tuple[KnownPair, ...]
    ways_out: tuple[WayOut, ...]
    outside_pip: tuple[OutsidePip, ...]
    proof: Proof | None
    from_source: FromSource | None
    note: str | None
    as_of: str

    def builds_for(self, platform: str, kind: str | None = None) -> tuple[BuildPlace, ...]:
        """Return the places with wheels for a platform, and for a kind of variant where one is given."""
        return tuple(
            build
            for build in self.builds
            if build.wheels
            and platform in build.platforms
            and (kind is None or build.kinds is None or kind in build.kinds)
        )

    def way_out(self, platform: str, kind: str | None = None) -> str | None:
        """Return what to do on a platform that has no build for a kind of variant, or None where nothing is known."""
        way = self._way(platform, kind)
        return way.text if way is not None else None

    def stands_in(self, platform: str, kind: str | None = None) -> str | None:
        """Return the project that has the same module where there is no build, or None."""
        way = self._way(platform, kind)
        return way.instead if way is not None else None

    def _way(self, platform: str, kind: str | None) -> WayOut | None:
        return next(
            (
                way
                for way in self.ways_out
                if (way.platforms is None or platform in way.platforms)
                and (way.kinds is None or kind is None or kind in way.kinds)
            ),
            None,
        )

    def needs_outside_pip(self, platform: str) -> tuple[OutsidePip, ...]:
        """Return what a platform must have besides packages."""
        return tuple(row for row in self.outside_pip if row.platforms is None or platform in row.platforms)

    def extra_sources(self, *, torch: Version | str, variant: str, platform: str) -> tuple[ExtraSource, ...]:
        """Return the indexes and pages of its own that have wheels for one torch, variant and platform."""
        from packaging.specifiers import SpecifierSet
        from packaging.version import Version

        release = Version(str(torch))
        try:
            kind = variant_named(variant).kind
        except UnknownVariant:
            return ()
        found = []
        for build in self.builds_for(platform, kind):
            if build.place not in ("index", "find-links") or build.url is None or "{version}" in build.url:
                continue
            if build.torch is None or SpecifierSet(build.torch).contains(release.public, prereleases=True):
                found.append(_extra_source(self.project, build, release, variant))
        return tuple(found)


def _extra_source(project: str, build: BuildPlace, torch: Version, variant: str) -> ExtraSource:
    minor = f"{torch.major}.{torch.minor}"
    return ExtraSource(
        kind="index" if build.place == "index" else "find-links",
        url=(build.url or "").format(
            torch=f"{minor}.{torch.micro}", torch_minor=minor, torch_zero=f"{minor}.0", variant=variant
        ),
        project=project,
    )
