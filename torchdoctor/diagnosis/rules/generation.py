"""The GPU's generation is newer or older than the build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnosis.knowledge import arch_list_of, capabilities, cuda_of_build
from torchdoctor.diagnosis.rule import Layer, Rule, Step
from torchdoctor.diagnosis.rules.symptoms import FLASH, NO_KERNEL_IMAGE
from torchdoctor.diagnosis.signs import (
    Seen,
    all_of,
    any_of,
    fact,
    likely,
    no,
    possible,
    says,
    source,
    sure,
    test,
)

if TYPE_CHECKING:
    from torchdoctor.diagnosis.case_file import CaseFile
    from torchdoctor.diagnosis.signs import Test

__all__ = ["RULES", "TOO_NEW", "covered"]

_JETSONS = {(5, 3), (6, 2), (7, 2), (8, 7)}
ARCH_MISSING = all_of(fact("told.arch_missing"), says("torch"))
TOO_NEW_TEXT = says("is not compatible with the current pytorch installation")


def _runs(code: tuple[int, int], device: tuple[int, int]) -> bool:
    return code[0] == device[0] and code[1] <= device[1]


def _gpu_against_archs(case: CaseFile) -> list[tuple[tuple[int, int], tuple[tuple[int, int], ...], str]]:
    archs = arch_list_of(case)
    if not archs:
        return []
    return [
        (device, archs, source(row))
        for device, row in capabilities(case)
        if not any(_runs(code, device) for code in archs)
    ]


def covered(case: CaseFile) -> Seen | None:
    """The build has code for every GPU that is named: what lacks it is something else."""
    archs, found = arch_list_of(case), capabilities(case)
    if not archs or not found:
        return None
    runs = all(any(_runs(code, device) for code in archs) for device, _ in found)
    return Seen(evidence=(source(found[0][1]),)) if runs else None


def _too_new(case: CaseFile) -> Seen | None:
    """A GPU above everything that the build has code for."""
    return next(
        (Seen(evidence=(line,)) for device, archs, line in _gpu_against_archs(case) if device > max(archs)),
        None,
    )


def _too_old(case: CaseFile) -> Seen | None:
    """A GPU below everything that the build has code for."""
    return next(
        (Seen(evidence=(line,)) for device, archs, line in _gpu_against_archs(case) if device < min(archs)),
        None,
    )


def _between(case: CaseFile) -> Seen | None:
    """A GPU between two generations that the build has code for, such as a Jetson's."""
    return next(
        (
            Seen(evidence=(line,))
            for device, archs, line in _gpu_against_archs(case)
            if min(archs) <= device <= max(archs)
        ),
        None,
    )


def _dropped(case: CaseFile) -> Seen | None:
    """A card between two generations of the build: its own was taken out. A Jetson's never was in."""
    return next(
        (
            Seen(evidence=(line,))
            for device, archs, line in _gpu_against_archs(case)
            if min(archs) < device < max(archs) and device not in _JETSONS and device < (7, 5)
        ),
        None,
    )


def _generation(*, old: bool) -> Test:
    def look(case: CaseFile) -> Seen | None:
        """The GPU's generation alone: Blackwell with CUDA before 12.8, Pascal and older with CUDA 12.8 or later."""
        cuda = cuda_of_build(case)
        for device, row in capabilities(case):
            new_gpu = device >= (10, 0) and (cuda is None or cuda < (12, 8))
            new_gpu = new_gpu or (
                (8, 0) <= device < (9, 0) and cuda is not None and cuda < (11, 1 if device >= (8, 6) else 0)
            )
            old_gpu = (
                (device < (7, 0) and (cuda is None or cuda >= (12, 8)))
                or (device < (7, 5) and cuda is not None and cuda >= (13, 0))
                or device < (3, 7)
            )
            if old_gpu if old else new_gpu:
                return Seen(evidence=(source(row),))
        return None

    return look


TOO_NEW = any_of(test(_too_new), test(_generation(old=False)))

RULES = (
    Rule(
        id="gpu-arch-too-new",
        layer=Layer.WHEEL,
        severity="error",
        title="The GPU is newer than this build of torch",
        explanation=(
            "The build has no code for this GPU's compute capability, neither compiled nor as "
            "PTX. RTX 50 (12.0) needs CUDA 12.8 and torch 2.7 or newer, RTX 30 (8.6) CUDA 11.1."
        ),
        details=(
            "The GPU has compute capability {capability}; the build is torch {torch} with CUDA {cuda}.",
        ),
        signs=(
            likely(
                says(
                    "is not a recognized processor",
                    matching=r"sm_(?:1[0-2]\d|9\d|8[6-9])a?'? is not a recognized processor",
                )
            ),
            likely(
                all_of(
                    NO_KERNEL_IMAGE,
                    says(
                        "latest",
                        "newest",
                        "new gpu",
                        "brand new",
                        "blackwell",
                        "50 series",
                        "50-series",
                        "rtx 50",
                        "rtx50",
                        matching=r"blackwell|rtx ?50|50[- ]series|new gpu",
                    ),
                )
            ),
            sure(all_of(TOO_NEW_TEXT, test(_too_new))),
            sure(test(_too_new)),
            likely(all_of(TOO_NEW_TEXT, no(test(_too_old)), no(test(_dropped)), no(says("too old")))),
            likely(all_of(ARCH_MISSING, test(_generation(old=False)), no(test(_generation(old=True))))),
            likely(
                all_of(
                    any_of(NO_KERNEL_IMAGE, TOO_NEW_TEXT, says("is not compatible")),
                    test(_generation(old=False)),
                )
            ),
            likely(
                says(
                    "sm_120",
                    "sm_121",
                    "sm_100",
                    "sm_103",
                    "sm_110",
                    matching=(
                        r"(?:not defined for option 'gpu-name'|unsupported gpu architecture"
                        r"|invalid value for --gpu-architecture|no kernel|not compatible|not "
                        r"support|unsupported|isn't supported)[^.]{0,100}sm_1[0-2]\d"
                        r"|sm_1[0-2]\da?\W[^.]{0,100}(?:not defined|unsupported|not compatible"
                        r"|not support|isn't supported|no kernel)"
                    ),
                )
            ),
            likely(
                says(
                    "invalid value for --gpu-architecture",
                    "value 'sm_",
                    "unsupported gpu architecture 'compute_",
                    matching=(
                        r"invalid value for --gpu-architecture|value 'sm_\d+a?' is not defined"
                        r"|unsupported gpu architecture 'compute_(?:8[69]|9\d|1\d\d)"
                    ),
                )
            ),
            possible(
                all_of(
                    NO_KERNEL_IMAGE, no(test(_too_old)), no(test(_between)), no(says("too old")), no(FLASH)
                )
            ),
        ),
        unless=(test(covered), says("because it is too old")),
        steps=(
            Step(
                text="Install a build that has code for it:",
                command="{right_install}",
                otherwise=Step(
                    text=(
                        "Install the newest torch of the newest CUDA that the driver can run; "
                        "for RTX 50 that is cu128 or newer with driver 570 or newer:"
                    ),
                    command="torchdoctor install",
                ),
            ),
            Step(
                text=(
                    "Extensions that were compiled for the old build (xformers, flash-attn, "
                    "bitsandbytes) have to be of the new one too."
                )
            ),
        ),
        explains=("extension-built-for-other-arch",),
        os=("linux", "windows"),
        find=(
            "`torch.cuda.get_arch_list()` against `torch.cuda.get_device_capability()`; "
            "is_available() says True all the same."
        ),
    ),
    Rule(
        id="gpu-arch-too-old",
        layer=Layer.WHEEL,
        severity="error",
        title="The GPU is older than what this build of torch supports",
        explanation=(
            "Newer builds drop old GPUs: CUDA 12.8 and later have nothing for Maxwell and Pascal,"
            " CUDA 13 nothing for Volta either. The same torch may exist in an older CUDA "
            "(cu126) that still has the code; a driver that is new does not help."
        ),
        details=(
            "The GPU has compute capability {capability}; the build is torch {torch} with CUDA {cuda}.",
        ),
        signs=(
            likely(
                all_of(
                    any_of(NO_KERNEL_IMAGE, says("drop", "removed", "no longer")),
                    says(
                        "pascal",
                        "maxwell",
                        "volta",
                        "kepler",
                        "gtx 10",
                        "gtx 9",
                        "old gpu",
                        "older gpu",
                        matching=(
                            r"\b(?:pascal|maxwell|volta|kepler|fermi)\b|gtx ?(?:10|9|7|6)\d0"
                            r"|old(?:er)? gpus?"
                        ),
                    ),
                )
            ),
            sure(
                says(
                    "no longer supports this gpu because it is too old",
                    "because it is too old",
                    "too old to be supported by",
                )
            ),
            sure(
                says(
                    "minimum cuda capability supported by this library",
                    "minimum cuda capability that we support",
                )
            ),
            sure(
                says(
                    "required maxwell or pascal",
                    "maxwell or pascal support",
                    "older gpus are no longer supported",
                )
            ),
            sure(test(_too_old)),
            sure(all_of(TOO_NEW_TEXT, test(_dropped))),
            likely(all_of(ARCH_MISSING, test(_generation(old=True)))),
            likely(
                all_of(
                    says(
                        "support",
                        "unterstütz",
                        "支持",
                        matching=(
                            r"no longer support|not support\w* any ?more|drop\w* support"
                            r"|unterstützt?[^.\n]{0,30} nicht mehr"
                            r"|keine unterstützung mehr|不再支持"
                        ),
                    ),
                    says("torch"),
                    any_of(test(_generation(old=True)), says("gtx", matching=r"gtx ?[4-7]\d0")),
                )
            ),
            likely(all_of(any_of(NO_KERNEL_IMAGE, TOO_NEW_TEXT), test(_generation(old=True)))),
            likely(
                says(
                    "only supports devices of cuda capability",
                    "requires cuda capability >=",
                    "compute capability >=",
                    "capability of at least",
                    "only supports ampere gpus",
                    "ampere gpus or newer",
                    "is only supported on gpus with compute capability",
                    matching=(
                        r"cuda capability >= ?\d|compute capability (?:>=|of at least) ?\d|ampere "
                        r"gpus or newer"
                    ),
                )
            ),
            possible(
                all_of(NO_KERNEL_IMAGE, no(test(_too_new)), no(test(_between)), no(TOO_NEW_TEXT), no(FLASH))
            ),
        ),
        unless=(all_of(test(covered), no(says("too old"), says("capability >="), says("ampere gpus"))),),
        steps=(
            Step(
                text="Install a build that still has code for it:",
                command="{right_install}",
                otherwise=Step(
                    text=(
                        "Install the same torch with CUDA 12.6, the last that has code for "
                        "Maxwell, Pascal and Volta (up to torch 2.14):"
                    ),
                    command=(
                        "python -m pip install --force-reinstall torch --index-url "
                        "https://download.pytorch.org/whl/cu126"
                    ),
                ),
            ),
            Step(
                text=(
                    "What asks for a capability by itself (Triton from 7.0, FlashAttention from "
                    "8.0) cannot run on it: turn that part off."
                )
            ),
        ),
        explains=("extension-built-for-other-arch",),
        os=("linux", "windows"),
        find=(
            "`torch.cuda.get_arch_list()` against `torch.cuda.get_device_capability()`; "
            "is_available() says True all the same."
        ),
    ),
)
