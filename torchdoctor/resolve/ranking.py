"""The builds that fit, in the order of preference, and the variants that were turned down for the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torchdoctor.resolve.candidates import candidate, cuda_fallback
from torchdoctor.resolve.evaluation import evaluate_builds
from torchdoctor.resolve.model import Ranking, Rejected, why_outranked

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.resolve.evaluation import EvaluatedBuild, Evaluation
    from torchdoctor.resolve.model import Candidate, Refusal, Request
    from wheels_index import Snapshot

__all__ = ["NothingFits", "preferred_builds", "rank_builds"]

# NVIDIA before AMD before Intel: a laptop's integrated GPU never decides over its discrete one.
_GPU_KINDS = ("cuda", "rocm", "xpu")


@dataclass(frozen=True, kw_only=True, slots=True)
class NothingFits:
    """No build is left; why the releases were passed over, the newest first."""

    refusals: tuple[Refusal, ...]


def rank_builds(
    machine: Machine, request: Request, snapshot: Snapshot, *, best_only: bool = False
) -> Ranking | NothingFits:
    """Return every release and variant that fits the machine and the request, the best first.

    The newest release that fits leads, and within it the newest variant. Builds with code for every GPU come
    before builds that leave some out, and CPU builds count only when no other fits. `best_only` stops at the
    release of the best one, which reads fewer releases.
    """
    evaluation = evaluate_builds(machine, request, snapshot, best_only=best_only)
    builds = preferred_builds(evaluation, request)
    if not builds:
        return NothingFits(refusals=tuple(evaluation.refusals))
    forced = request.variant != "auto"
    candidates = tuple(candidate(build, evaluation, forced=forced) for build in builds)
    fallbacks = [] if forced else evaluation.cuda_defaults
    return Ranking(
        candidates=candidates,
        rejected=_rejected(evaluation, candidates[0]),
        last_resort=tuple(cuda_fallback(machine, release, name) for release, name in fallbacks),
    )


def preferred_builds(evaluation: Evaluation, request: Request) -> tuple[EvaluatedBuild, ...]:
    """Return the builds that can be chosen, the best first.

    They are of one kind of accelerator, and serve the same GPUs equally well: the newest release leads, and within
    it the newest variant.
    """
    if request.variant != "auto":
        return tuple(evaluation.builds)
    for kind in _GPU_KINDS:
        builds = [
            build
            for build in evaluation.builds
            if build.kind == kind and build.compatibility.coverage != "none"
        ]
        if builds:
            builds.sort(key=lambda build: (build.doubt is not None, build.compatibility.limits == "rule"))
            builds.sort(key=lambda build: build.release.version, reverse=True)
            best = min(build.preference for build in builds)
            # Among builds that leave GPUs out, only those that serve the same ones can replace each other.
            return tuple(build for build in builds if build.preference == best)
    return tuple(build for build in evaluation.builds if build.compatibility.coverage == "all")


def _rejected(evaluation: Evaluation, best: Candidate) -> tuple[Rejected, ...]:
    """Each other variant once, of the newest release that has it and is not older than the best one's."""
    rejected: dict[str, Rejected] = {}
    for build in evaluation.builds:
        version = build.release.version
        if (
            build.name in rejected
            or version < best.torch
            or (build.name, version) == (best.variant, best.torch)
        ):
            continue
        rejected[build.name] = _rejected_build(build, best, str(version))
    rejected.pop(best.variant, None)
    return tuple(rejected.values())


def _rejected_build(build: EvaluatedBuild, best: Candidate, version: str) -> Rejected:
    if build.compatibility.coverage == "none":
        return Rejected(variant=build.name, reason=build.compatibility.reason, torch=version)
    if build.compatibility.limits == "unknown":
        return Rejected(variant=build.name, reason=build.compatibility.reason, torch=version)
    kind: Literal["gpu", "cpu"] = "cpu" if build.kind == "cpu" else "gpu"
    reason = why_outranked(kind, best.variant)
    return Rejected(variant=build.name, reason=reason, torch=version, outranked=kind)
