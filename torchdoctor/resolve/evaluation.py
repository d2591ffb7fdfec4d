"""Every build of every release that the request admits, each checked against the machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.resolve.amd_intel import is_supported_intel_gpu
from torchdoctor.resolve.compatibility import check_compatibility
from torchdoctor.resolve.model import CompanionVersions, Refusal
from torchdoctor.resolve.platform_support import python_satisfies, refuse_platform
from wheels_index import newest_first, variant

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.resolve.model import Compatibility, Request
    from wheels_index import Release, Snapshot

__all__ = ["EvaluatedBuild", "Evaluation", "companions_of", "evaluate_builds", "gpu_kinds"]

# The same build with another C++ ABI, for those who link against it: taken only where it is asked for by name.
_ONLY_BY_NAME = frozenset({"cpu-cxx11-abi"})


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluatedBuild:
    """One build of a release and how it fits the machine."""

    release: Release
    name: str  # the variant
    kind: str  # cpu, cuda, rocm or xpu
    compatibility: Compatibility
    doubt: str | None = None  # why it may not be published

    @property
    def preference(self) -> tuple[bool, bool, bool, tuple[int, int]]:
        """A key that is less for a better build.

        Code in the build comes before PTX, all GPUs before some (the most capable first), and limits that are
        known or follow from a rule before unknown ones.
        """
        partial = self.compatibility.coverage == "some"
        major, minor = self.compatibility.reach if partial else (0, 0)
        unknown = self.compatibility.limits == "unknown"
        return bool(self.compatibility.ptx), partial, unknown, (-major, -minor)


# All GPUs served by code that is in the build, and limits that are known.
_BEST_PREFERENCE = (False, False, False, (0, 0))


@dataclass(kw_only=True, slots=True)
class Evaluation:
    """The builds that can be loaded on a machine, the newest release first, and what was passed over."""

    machine: Machine
    builds: list[EvaluatedBuild] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    # The release and variant of each CUDA build that PyPI serves by default.
    cuda_defaults: list[tuple[Release, str]] = field(default_factory=list)

    def is_decided(self, request: Request) -> bool:
        """Return whether no older release can lead: one fits perfectly by the machine's first kind of build."""
        if request.variant != "auto":
            return bool(self.builds)
        first = next((kind for kind, present in gpu_kinds(self.machine) if present), "cpu")
        return any(
            build.kind == first
            and build.compatibility.coverage == "all"
            and build.preference == _BEST_PREFERENCE
            for build in self.builds
        )

    def add(self, request: Request, release: Release) -> None:
        """Check the builds of a release that the request admits."""
        builds = release.platforms[self.machine.platform or ""]
        for name in newest_first(builds.variants):
            if request.variant != name and (request.variant != "auto" or name in _ONLY_BY_NAME):
                continue
            fits = check_compatibility(self.machine, release, name)
            if fits.installable:
                kind = variant(name).kind
                self.builds.append(
                    EvaluatedBuild(
                        release=release,
                        name=name,
                        kind=kind,
                        compatibility=fits,
                        doubt=builds.unconfirmed.get(name),
                    )
                )
            else:
                self.refusals.append(Refusal(code="glibc-too-old", message=fits.reason))
        if builds.pypi_default not in (None, "cpu"):
            self.cuda_defaults.append((release, builds.pypi_default or ""))


def evaluate_builds(
    machine: Machine, request: Request, snapshot: Snapshot, *, best_only: bool = False
) -> Evaluation:
    """Check the releases from the newest on; `best_only` stops at the one that is sure to lead."""
    evaluation = Evaluation(machine=machine)
    for version in snapshot.versions():
        if request.torch is not None and not request.torch.contains(version):
            continue
        release = snapshot.release(version)
        refusal = refuse_platform(machine, release) or _refuse_companions(machine, request, release)
        if refusal is None:
            evaluation.add(request, release)
        else:
            evaluation.refusals.append(refusal)
        if best_only and evaluation.is_decided(request):
            break
    return evaluation


def _refuse_companions(machine: Machine, request: Request, release: Release) -> Refusal | None:
    """Why a companion asked for by version does not go with this release; None when all do."""
    versions_of = {companion.project: companion.versions for companion in companions_of(machine, release)}
    for project, wanted in request.required.items():
        versions = versions_of.get(project, ())
        if any(wanted.contains(version) for version in versions):
            continue
        belong = joined(versions) or message("no version")
        what = (
            message("not {wanted}", wanted=wanted)
            if str(wanted)
            else message("none for Python {version}", version=machine.python.version)
        )
        return Refusal(
            code="companion-version" if str(wanted) else "companion-python",
            project=project,
            message=message(
                "{name} {belong} belongs to torch {version}, {what}",
                name=project,
                belong=belong,
                version=release.version,
                what=what,
            ),
        )
    return None


def gpu_kinds(machine: Machine) -> tuple[tuple[str, bool], ...]:
    """Return for each kind of GPU build whether the machine has such a GPU; Intel ones that PyTorch supports."""
    intel = machine.intel.gpus if machine.intel is not None else ()
    return (
        ("cuda", machine.nvidia is not None),
        ("rocm", machine.amd is not None and bool(machine.amd.gpus)),
        ("xpu", any(is_supported_intel_gpu(card.name) for card in intel)),
    )


def companions_of(machine: Machine, release: Release) -> tuple[CompanionVersions, ...]:
    """Return the companions of a release, without versions that declare another Python."""
    return tuple(
        CompanionVersions(
            project=project,
            versions=tuple(
                version
                for version in companion.versions
                if python_satisfies(companion.requires_python.get(version.public), machine.python.version)
            ),
        )
        for project, companion in release.companions.items()
    )
