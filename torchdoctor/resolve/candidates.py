"""What is said of a build that can be chosen: the reasons for it, and what to warn of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.resolve.amd_offers import amd_cards, amd_driver_warnings, amd_offers
from torchdoctor.resolve.evaluation import companions_of, gpu_kinds
from torchdoctor.resolve.jetson_offers import is_jetson, jetson_offers
from torchdoctor.resolve.machine_warnings import machine_warnings
from torchdoctor.resolve.model import Candidate

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.errors import NoSolution
    from torchdoctor.resolve.evaluation import EvaluatedBuild, Evaluation
    from torchdoctor.resolve.model import Request
    from wheels_index import Release

__all__ = ["candidate", "cuda_fallback", "why_this_release"]


def candidate(build: EvaluatedBuild, evaluation: Evaluation, *, forced: bool) -> Candidate:
    """Return a build as a candidate; `forced` where the request names its variant."""
    fits = build.compatibility
    reasons: list[str] = []
    warnings: list[str] = []
    if forced:
        reasons.append(message("{name} was asked for", name=build.name))
        if fits.coverage == "none":
            warnings.append(message("this machine does not fit it: {reason}", reason=fits.reason))
            if build.kind == "rocm":
                warnings.extend(amd_offers(evaluation.machine))
        elif fits.limits != "known":
            reasons.append(fits.reason)
    elif build.kind == "cpu":
        reasons.append(_why_cpu(evaluation))
        warnings.extend(_unused_gpu_warnings(evaluation))
    else:
        reasons.append(fits.reason)
    if fits.coverage == "some":
        warnings.append(
            message(
                "no build serves every GPU: {reason}; left out: {left_out}",
                reason=fits.reason,
                left_out=joined(fits.left_out),
            )
        )
    warnings.extend(machine_warnings(evaluation.machine))
    if build.kind == "rocm":
        warnings.extend(amd_driver_warnings(evaluation.machine, build.name))
    if fits.ptx:
        reasons.append(message("{ptx} runs it through PTX, compiled at the first use", ptx=joined(fits.ptx)))
    return Candidate(
        torch=build.release.version,
        variant=build.name,
        companions=companions_of(evaluation.machine, build.release),
        reasons=tuple(reasons),
        warnings=tuple(warnings),
        doubt=build.doubt,
    )


def cuda_fallback(machine: Machine, release: Release, name: str) -> Candidate:
    """Return PyPI's CUDA default as a candidate: a machine without a GPU gets it from a plain pip install."""
    return Candidate(
        torch=release.version,
        variant=name,
        companions=companions_of(machine, release),
        reasons=(
            message(
                "no reachable source has a CPU build; PyPI's torch {version} is a {default} build",
                version=release.version,
                default=name,
            ),
        ),
        warnings=(
            message(
                "this is a {default} build on a machine that cannot use it: several GB for nothing",
                default=name,
            ),
        ),
    )


def why_this_release(
    candidate: Candidate, best: Candidate, request: Request, *, missing: NoSolution | None = None
) -> str:
    """Return why the candidate's release was taken: it is the newest that fits, or the newest that can be had.

    `missing` is the error of a newer one that has no build of a companion asked for.
    """
    asked = message(" asked for") if request.torch is not None else ""
    if candidate is best and request.variant != "auto":
        return message(
            "torch {torch} is the newest release{asked} with a {variant} build for this system and Python",
            torch=candidate.torch,
            asked=asked,
            variant=candidate.variant,
        )
    if candidate is best:
        return message(
            "torch {torch} is the newest release{asked} that fits this machine",
            torch=candidate.torch,
            asked=asked,
        )
    if missing is not None:
        return message(
            "torch {torch}+{variant} is the newest with a build of each companion asked for",
            torch=candidate.torch,
            variant=candidate.variant,
        )
    return message(
        "torch {torch}+{variant} would be the first choice, but no reachable source has it; torch "
        "{torch2} is the newest{asked} that a source has",
        torch=best.torch,
        variant=best.variant,
        torch2=candidate.torch,
        asked=asked,
    )


def _why_cpu(evaluation: Evaluation) -> str:
    machine = evaluation.machine
    if machine.os == "macos" and machine.arch == "arm64":
        gpu = machine.apple.chip if machine.apple is not None else message("Apple chip")
        return message("the build for macOS uses the GPU of the {gpu} through MPS", gpu=gpu)
    closest = _closest_gpu_build(evaluation)
    if closest is None and amd_cards(machine):
        return message(
            "the CPU build: PyTorch's index has no ROCm build for {os} {arch}",
            os=machine.os,
            arch=machine.arch,
        )
    if closest is None:
        return message("no GPU that PyTorch can use was found, so the CPU build")
    return message("the CPU build, since no GPU build fits: {reason}", reason=closest.compatibility.reason)


def _closest_gpu_build(evaluation: Evaluation) -> EvaluatedBuild | None:
    """The GPU build that is nearest to fitting; None when the machine has no GPU at all."""
    builds = [
        build for build in evaluation.builds if build.kind != "cpu" and build.compatibility.code != "no-gpu"
    ]
    by_driver = [build for build in builds if build.compatibility.needs_driver]
    return next(iter(by_driver or builds), None)


def _unused_gpu_warnings(evaluation: Evaluation) -> list[str]:
    """Why the machine's GPU stays unused under a CPU build, and what would change that."""
    machine = evaluation.machine
    return [*_why_unused(evaluation), *amd_offers(machine), *jetson_offers(machine)]


def _why_unused(evaluation: Evaluation) -> list[str]:
    drivers = [
        build.compatibility.needs_driver for build in evaluation.builds if build.compatibility.needs_driver
    ]
    if drivers:
        oldest = drivers[-1]
        if is_jetson(evaluation.machine):
            return [
                message(
                    "the GPU stays unused: PyTorch's builds need driver {drivers} or newer, and the driver of a Jetson "
                    "comes with its JetPack alone",
                    drivers=oldest,
                )
            ]
        least = "" if oldest == drivers[0] else message(" (at least {drivers})", drivers=oldest)
        update = message(
            "update the NVIDIA driver to {drivers} or newer{least}", drivers=drivers[0], least=least
        )
        return [message("the GPU stays unused: {update}, then install again", update=update)]
    closest = _closest_gpu_build(evaluation)
    if closest is not None:
        return [message("the GPU stays unused: {reason}", reason=closest.compatibility.reason)]
    machine, kinds = evaluation.machine, {build.kind for build in evaluation.builds}
    return [
        message(
            "the GPU stays unused: no release that fits has a {kind} build for {os} {arch} and "
            "Python {python_label}",
            kind=kind,
            os=machine.os,
            arch=machine.arch,
            python_label=machine.python_label,
        )
        for kind, present in gpu_kinds(machine)
        if present and kind not in kinds
    ]
