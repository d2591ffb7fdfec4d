"""Whether a ROCm build has code for the machine's AMD GPUs, and whether PyTorch supports its Intel GPUs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from torchdoctor.core.i18n import joined, message
from torchdoctor.resolve.model import Compatibility
from torchdoctor.resolve.stand_in_rules import stand_in_rules
from wheels_index import nearest_gfx

if TYPE_CHECKING:
    from torchdoctor.detect import AmdGpu, Machine
    from wheels_index import Release, Variant

__all__ = ["check_rocm", "check_xpu", "is_supported_intel_gpu"]

# Older integrated graphics (UHD, Iris Xe) start and are not supported:
# https://docs.pytorch.org/docs/2.15/notes/get_start_xpu.html
_SUPPORTED_INTEL_GPU = re.compile(r"\bArc\b|Data Center GPU Max")


def check_rocm(machine: Machine, release: Release, build: Variant) -> Compatibility:
    """Return how a ROCm build fits the machine's AMD GPUs."""
    cards = machine.amd.gpus if machine.amd else ()
    if not cards:
        return Compatibility(
            coverage="none",
            code="no-gpu",
            reason=message("{name} needs an AMD GPU; none was found", name=build.name),
        )
    from wheels_index.amd import wrong_results  # few machines have AMD GPUs

    own = release.gpu_code.get(build.name)
    targets, rule = (
        (own, None) if own is not None else nearest_gfx(build.name, str(release.version)) or ((), None)
    )
    # A vendor's own build brings the libraries for each GPU that it names; of PyTorch's, rocBLAS has fewer.
    usable = set(targets) - (set(build.blas_unusable_gfx) if own is None else wrong_results())
    left_out = tuple(card.name or card.gfx or "AMD GPU" for card in cards if card.gfx not in usable)
    limits: Literal["known", "rule"] = "rule" if rule else "known"
    if left_out:
        coverage: Literal["some", "none"] = "some" if len(left_out) < len(cards) else "none"
        return Compatibility(
            coverage=coverage,
            code="some-gpus" if coverage == "some" else "no-code",
            reason=_why_left_out(cards, left_out, rule, release, build),
            left_out=left_out,
            limits=limits,
        )
    reason = message(
        "{name} has code for {gfx}{by_rule}",
        name=build.name,
        gfx=joined(sorted({str(card.gfx) for card in cards})),
        by_rule=stand_in_rules(rule, build.rule if own is None else None),
    )
    return Compatibility(coverage="all", code="all-gpus", reason=reason, limits=limits)


def _why_left_out(
    cards: tuple[AmdGpu, ...], left_out: tuple[str, ...], rule: str | None, release: Release, build: Variant
) -> str:
    from wheels_index.amd import wrong_results

    is_own = build.name in release.gpu_code
    without_blas = [card for card in cards if card.gfx in build.blas_unusable_gfx]
    if without_blas and not is_own:
        names = joined(f"{card.name or 'AMD GPU'} ({card.gfx})" for card in without_blas)
        return message("rocBLAS in {name} has no kernels for {names}", name=build.name, names=names)
    wrong = [card for card in cards if card.gfx in wrong_results()]
    if wrong and is_own:
        return message(
            "{name} computes wrong results on {names}",
            name=build.name,
            names=joined(f"{card.name or 'AMD GPU'} ({card.gfx})" for card in wrong),
        )
    if rule is not None:
        return message(
            "{name} is not known to have code for {left}{by_rule}",
            name=build.name,
            left=joined(left_out),
            by_rule=stand_in_rules(rule),
        )
    return message(
        "torch {version}+{name} has no code for {left}",
        version=release.version,
        name=build.name,
        left=joined(left_out),
    )


def is_supported_intel_gpu(name: str) -> bool:
    """Return whether PyTorch supports an Intel GPU of this name."""
    return _SUPPORTED_INTEL_GPU.search(name) is not None


def check_xpu(machine: Machine, release: Release, build: Variant) -> Compatibility:
    """Return how an XPU build fits the machine's Intel GPUs."""
    names = [card.name for card in machine.intel.gpus] if machine.intel else []
    if not names:
        return Compatibility(
            coverage="none",
            code="no-gpu",
            reason=message("{name} needs an Intel GPU; none was found", name=build.name),
        )
    supported = [name for name in names if is_supported_intel_gpu(name)]
    if not supported:
        reason = message(
            "PyTorch's {name} build does not support {names}", name=build.name, names=joined(names)
        )
        return Compatibility(coverage="none", code="not-supported", reason=reason)
    reason = message("torch {version} supports {good}", version=release.version, good=joined(supported))
    return Compatibility(coverage="all", code="all-gpus", reason=reason)
