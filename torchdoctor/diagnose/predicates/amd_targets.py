"""An AMD GPU's gfx target against a ROCm build, and integrated graphics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["gfx_target_not_in_build", "integrated_gpu_beside_card"]

# Graphics inside Ryzen processors: Cezanne and Renoir, Rembrandt, Raphael, Phoenix.
_INTEGRATED = re.compile(r"gfx(?:90c|902|909|1035|1036|1033|1037|1103)")


def integrated_gpu_beside_card(evidence: Evidence) -> Match | None:
    """Two AMD targets, one of them integrated graphics."""
    targets_here = evidence.observations("amd.gfx")
    inside = [target for target in targets_here if _INTEGRATED.fullmatch(target.value)]
    return Match(evidence=(source(inside[0]),)) if inside and len(targets_here) > len(inside) else None


def gfx_target_not_in_build(evidence: Evidence) -> Match | None:
    """The GPU's target is not among those of the ROCm build."""
    from wheels_index import UnknownVariant, nearest_gfx, variant

    build = evidence.first("torch.build") or ""
    if not build.startswith("rocm") or evidence.first("cuda.available") == "false":
        return None
    try:
        targets = nearest_gfx(build, (evidence.first("torch.version") or "").partition("+")[0])
        unusable = variant(build).blas_unusable_gfx
    except UnknownVariant:
        return None
    if targets is None or targets[1] is not None:
        return None
    return next(
        (
            Match(evidence=(source(target),))
            for target in evidence.observations("amd.gfx")
            if target.value not in targets[0] or target.value in unusable
        ),
        None,
    )
