"""A pin that leaves the GPU unused: the nearest release that works is offered, the CPU build only where it is named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import NoSolution
from torchdoctor.resolve.evaluation import gpu_kinds
from wheels_index import variant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from packaging.version import Version

    from torchdoctor.core.i18n import Message
    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Candidate, Request
    from torchdoctor.resolve.model import Ranking

__all__ = [
    "GpuPin",
    "companions_freed",
    "nearest_gpu_build",
    "pin_by_request",
    "request_on_the_gpu",
    "take_nearest",
    "who_pins",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuPin:
    """What keeps the GPU unused, and the release nearest to it with a build for the GPU."""

    why: Message  # who wants which torch, and why no build of it runs on the GPU
    nearest: Candidate

    @property
    def override(self) -> str:
        """The value of `--override`."""
        release = self.nearest.torch
        return f"torch=={release.major}.{release.minor}.*"


def pin_by_request(
    ranking: Ranking, request: Request, machine: Machine, rank: Callable[[Request], Ranking]
) -> GpuPin | None:
    """Return the pin of torch or of a companion that leaves only the CPU build to a machine with a GPU."""
    best = ranking.candidates[0]
    pinned = [
        f"{name} {wanted}"
        for name, wanted in (("torch", request.torch), *request.required.items())
        if wanted is not None and str(wanted)
    ]
    if request.variant != "auto" or not pinned or not _is_cpu(best) or not _has_gpu(machine):
        return None
    nearest = nearest_gpu_build(best.torch, request, rank)
    if nearest is None:
        return None
    reason = joined(best.warnings, "; ") or message("no build of it runs on the GPU")
    why = message("you asked for {pins}: {reason}", pins=joined(pinned, " and "), reason=reason)
    return GpuPin(why=why, nearest=nearest)


def request_on_the_gpu(
    request: Request, machine: Machine, rank: Callable[[Request], Ranking], report: Reporter
) -> Request:
    """Return the request, with the nearest release where its pin leaves the GPU unused and the user agrees.

    Raises `NoSolution` where nobody does.
    """
    pin = pin_by_request(rank(request), request, machine, rank)
    if pin is None:
        return request
    nearest = take_nearest(pin, report)
    return replace(_without_pins(request), torch=SpecifierSet(f"=={nearest.torch}"), variant=nearest.variant)


def nearest_gpu_build(
    release: Version, request: Request, rank: Callable[[Request], Ranking]
) -> Candidate | None:
    """Return the build for the GPU of the lowest newer release, else of the newest older one; None where none fits."""
    try:
        candidates = rank(_without_pins(request)).candidates
    except NoSolution:
        return None
    if _is_cpu(candidates[0]):
        return None
    newer = [candidate for candidate in candidates if candidate.torch > release]
    if not newer:
        return candidates[0]
    lowest = min(candidate.torch for candidate in newer)
    minor = [c for c in newer if (c.torch.major, c.torch.minor) == (lowest.major, lowest.minor)]
    return minor[0]  # the newest bug fix of that release, in its best build


def take_nearest(pin: GpuPin, report: Reporter) -> Candidate:
    """Return the nearest build where the user agrees to override the pin; raise `NoSolution` else."""
    build = f"{pin.nearest.torch}+{pin.nearest.variant}"
    question = message("{why}. Override it and take torch {build}?", why=pin.why, build=build)
    if report.can_ask and report.ask(question, default=True):
        return pin.nearest
    raise NoSolution(
        pin.why,
        fix=message(
            "take the nearest release that works: --override '{override}' gives torch {build}; or the CPU build: "
            "--variant cpu",
            override=pin.override,
            build=build,
        ),
        code="pin-excludes-gpu",
    )


def companions_freed(request: Request, rank: Callable[[Request], Ranking]) -> tuple[Request, tuple[str, ...]]:
    """Return the request without versions of companions that do not go with an overridden torch, and their names."""
    pinned = tuple(name for name, wanted in request.required.items() if str(wanted))
    if not pinned:
        return request, ()
    try:
        rank(request)
    except NoSolution:
        freed = {name: SpecifierSet() for name in request.required}
        return replace(request, required=freed), pinned
    return request, ()


def _has_gpu(machine: Machine) -> bool:
    """Whether the machine has a GPU of a kind that torch has builds for."""
    return any(present for _, present in gpu_kinds(machine))


def _without_pins(request: Request) -> Request:
    return replace(request, torch=None, required={name: SpecifierSet() for name in request.required})


def _is_cpu(candidate: Candidate) -> bool:
    return variant(candidate.variant).kind == "cpu"


def who_pins(limits: Sequence[str], nearest: Candidate) -> GpuPin:
    """Return the pin of packages that want a torch without a build for the GPU."""
    return GpuPin(
        why=message(
            "{limits}, and no build of it has code for the GPU of this machine",
            limits=joined(limits, " and "),
        ),
        nearest=nearest,
    )
