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


def integrated_gpu_beside_card(case: Evidence) -> Match | None:
    """Two AMD targets, one of them integrated graphics."""
    rows = case.observations("amd.gfx")
    inside = [row for row in rows if _INTEGRATED.fullmatch(row.value)]
    return Match(evidence=(source(inside[0]),)) if inside and len(rows) > len(inside) else None


def gfx_target_not_in_build(case: Evidence) -> Match | None:
    """The GPU's target is not among those of the ROCm build."""
    from wheels_index import UnknownVariant, nearest_gfx, variant

    build = case.first("torch.build") or ""
    if not build.startswith("rocm") or case.first("cuda.available") == "false":
        return None
    try:
        targets = nearest_gfx(build)
        unusable = variant(build).blas_unusable_gfx
    except UnknownVariant:
        return None
    if targets is None or targets[1] is not None:
        return None
    return next(
        (
            Match(evidence=(source(row),))
            for row in case.observations("amd.gfx")
            if row.value not in targets[0] or row.value in unusable
        ),
        None,
    )
