"""AMD GPUs for which a build has no code, and integrated ones in front."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import (
    Match,
    all_of,
    contains,
    hint,
    likely,
    no,
    possible,
    predicate,
    source,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import ON_AMD, ON_NVIDIA, ON_ROCM

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]


# Graphics inside Ryzen processors: Cezanne and Renoir, Rembrandt, Raphael, Phoenix.
INTEGRATED = re.compile(r"gfx(?:90c|902|909|1035|1036|1033|1037|1103)")


INVALID = contains(
    "invalid device function",
    "hsa_status_error_invalid_isa",
    "instruction set architecture is invalid",
    "hiperrornobinaryforgpu",
    "unable to find code object",
    "no kernel image is available",
    "tensilelibrary",
    "hip error: shared object initialization failed",
    "could not initialize tensile",
    "rocblas error",
)


def _integrated_beside(case: Evidence) -> Match | None:
    """Two AMD targets, one of them integrated graphics."""
    rows = case.observations("amd.gfx")
    inside = [row for row in rows if INTEGRATED.fullmatch(row.value)]
    return Match(evidence=(source(inside[0]),)) if inside and len(rows) > len(inside) else None


def _not_in_build(case: Evidence) -> Match | None:
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


RULES = (
    Rule(
        id="rocm-igpu-first",
        layer=Layer.ENVIRONMENT,
        severity="warning",
        title="The processor's integrated AMD GPU is taken first",
        explanation=(
            "The graphics inside a Ryzen are a GPU too. They become device 0, or break the start,"
            " because no build has code for them."
        ),
        signs=(
            likely(predicate(_integrated_beside)),
            likely(
                all_of(
                    ON_ROCM,
                    no(all_of(ON_NVIDIA, no(all_of(ON_AMD, contains("rocm", "hip"))))),
                    contains(
                        "igpu",
                        "integrated gpu",
                        "integrated graphics",
                        "apu",
                        "integrated radeon",
                        "internal gpu",
                        "onboard",
                        matching=(
                            r"\bigpu\b|integrated (?:gpu|graphics|radeon)|\bapu\b|internal gpu"
                            r"|(?<!models )onboard"
                        ),
                    ),
                )
            ),
            hint(contains("memory access fault by gpu node")),
            likely(
                contains(
                    "hip_visible_devices",
                    "rocr_visible_devices",
                    matching=(
                        r"(?:hip|rocr)_visible_devices\s?=\s?\d[^.]{0,120}(?:fix|solv|work|help)"
                        r"|(?:fix|solv|work|help)\w*[^.]{0,120}(?:hip|rocr)_visible_devices"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Leave only the card (its number is in `rocminfo`, without the processor):",
                command="export HIP_VISIBLE_DEVICES=0",
                os=("linux",),
            ),
            Step(
                text=(
                    "If 0 is the integrated one, take 1; or turn the integrated graphics off in the firmware."
                )
            ),
        ),
        explains=(
            "rocm-gfx-unsupported",
            "cuda-visible-devices-wrong",
            "gpu-arch-too-new",
            "gpu-arch-too-old",
        ),
        os=("linux",),
        find=(
            '`python -c "import torch; print([torch.cuda.get_device_name(i) for i in '
            'range(torch.cuda.device_count())])"`.'
        ),
    ),
    Rule(
        id="rocm-gfx-unsupported",
        layer=Layer.WHEEL,
        severity="error",
        title="The ROCm build has no code for this AMD GPU",
        explanation=(
            "A ROCm build holds code for some targets. A neighbour of a supported target can run "
            "its code by an override; others cannot run at all."
        ),
        signs=(
            likely(all_of(INVALID, ON_ROCM)),
            likely(
                contains(
                    "hip error: invalid device function",
                    "hsa_status_error_invalid_isa",
                    "hiperrornobinaryforgpu",
                    "instruction set architecture is invalid",
                )
            ),
            likely(contains("hsa_override_gfx_version")),
            likely(predicate(_not_in_build)),
            likely(
                contains(
                    "rocblas error",
                    "tensilelibrary",
                    matching=(
                        r"(?:cannot read|could not (?:initialize|load|find))[^\n]{0,60}tensile\w*"
                        r"|tensilelibrary[^\n]{0,80}(?:gfx|no such file)|not in list of gpu "
                        r"architectures|unsupported gpu[^.]{0,20}gfx|gfx\w+ (?:is|are) not "
                        r"(?:officially )?supported"
                    ),
                )
            ),
            possible(
                all_of(
                    contains(
                        "segmentation faul",
                        "core dumped",
                        "hang",
                        "memory access fault",
                        "sigsegv",
                        "segfault",
                        "freez",
                        "stuck",
                        matching=(
                            r"segmentation fault?|core dumped|\bhang(?:s|ing|ed)?\b|memory access fault|sigsegv"
                            r"|segfault|\bfreez\w+|\bstuck\b"
                        ),
                    ),
                    ON_ROCM,
                )
            ),
        ),
        steps=(
            Step(
                text=(
                    "RDNA 2 cards (gfx1031 to gfx1036) can run the code of gfx1030; set it "
                    "before Python starts:"
                ),
                command="export HSA_OVERRIDE_GFX_VERSION=10.3.0",
                os=("linux",),
            ),
            Step(
                text="RDNA 3 cards (gfx1101 to gfx1103) that of gfx1100:",
                command="export HSA_OVERRIDE_GFX_VERSION=11.0.0",
                os=("linux",),
            ),
            Step(
                text="Else take a ROCm build that lists the target:",
                command="{right_install}",
                otherwise=Step(
                    text=(
                        "Else take a ROCm build that lists the target; old cards (gfx803) have none any more."
                    )
                ),
            ),
        ),
        explains=("gpu-arch-too-new", "gpu-arch-too-old", "extension-built-for-other-arch"),
        os=("linux",),
        find="The target in `rocminfo | grep gfx` against `torch.cuda.get_arch_list()`.",
    ),
)
