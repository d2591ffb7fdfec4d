"""The GPU's generation is newer or older than the build."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import (
    all_of,
    any_of,
    certain,
    contains,
    fact,
    likely,
    no,
    possible,
    predicate,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.arch_compare import between, covered, dropped, of_generation, too_new, too_old
from torchdoctor.diagnose.rules.symptoms import FLASH, NO_KERNEL_IMAGE

__all__ = ["RULES"]

ARCH_MISSING = all_of(fact("told.arch_missing"), contains("torch"))
TOO_NEW_TEXT = contains("is not compatible with the current pytorch installation")

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
                contains(
                    "is not a recognized processor",
                    matching=r"sm_(?:1[0-2]\d|9\d|8[6-9])a?'? is not a recognized processor",
                )
            ),
            likely(
                all_of(
                    NO_KERNEL_IMAGE,
                    contains(
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
            likely(
                contains(
                    "cuda 11",
                    "cuda 12.",
                    "cuda11",
                    "cuda12.",
                    matching=(
                        r"(?:rtx ?50\d\d|50[- ]series|\b50[5-9]0(?: ?ti)?|50系)[^.\n]{0,60}"
                        r"(?:can ?not|n't|\bnot\b|fail|不支持|不能|无法)[^.\n]{0,30}cuda ?(?:11|12\.[0-6])"
                    ),
                )
            ),
            certain(all_of(TOO_NEW_TEXT, predicate(too_new))),
            certain(predicate(too_new)),
            likely(
                all_of(TOO_NEW_TEXT, no(predicate(too_old)), no(predicate(dropped)), no(contains("too old")))
            ),
            likely(
                all_of(
                    ARCH_MISSING, predicate(of_generation(old=False)), no(predicate(of_generation(old=True)))
                )
            ),
            likely(
                all_of(
                    any_of(NO_KERNEL_IMAGE, TOO_NEW_TEXT, contains("is not compatible")),
                    predicate(of_generation(old=False)),
                )
            ),
            likely(
                contains(
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
                contains(
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
                    NO_KERNEL_IMAGE,
                    no(predicate(too_old)),
                    no(predicate(between)),
                    no(predicate(of_generation(old=True))),
                    no(contains("too old")),
                    no(FLASH),
                )
            ),
        ),
        unless=(predicate(covered), contains("because it is too old")),
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
                    any_of(NO_KERNEL_IMAGE, contains("drop", "removed", "no longer")),
                    contains(
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
            certain(
                contains(
                    "no longer supports this gpu because it is too old",
                    "because it is too old",
                    "too old to be supported by",
                )
            ),
            certain(
                contains(
                    "minimum cuda capability supported by this library",
                    "minimum cuda capability that we support",
                )
            ),
            certain(
                contains(
                    "required maxwell or pascal",
                    "maxwell or pascal support",
                    "older gpus are no longer supported",
                )
            ),
            certain(predicate(too_old)),
            certain(all_of(TOO_NEW_TEXT, predicate(dropped))),
            likely(all_of(ARCH_MISSING, predicate(of_generation(old=True)))),
            likely(
                all_of(
                    contains(
                        "support",
                        "unterstütz",
                        "支持",
                        matching=(
                            r"no longer support|not support\w* any ?more|drop\w* support"
                            r"|unterstützt?[^.\n]{0,30} nicht mehr"
                            r"|keine unterstützung mehr|不再支持"
                        ),
                    ),
                    contains("torch"),
                    any_of(predicate(of_generation(old=True)), contains("gtx", matching=r"gtx ?[4-7]\d0")),
                )
            ),
            likely(all_of(any_of(NO_KERNEL_IMAGE, TOO_NEW_TEXT), predicate(of_generation(old=True)))),
            likely(
                contains(
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
                all_of(
                    NO_KERNEL_IMAGE,
                    no(predicate(too_new)),
                    no(predicate(between)),
                    no(TOO_NEW_TEXT),
                    no(FLASH),
                )
            ),
        ),
        unless=(
            all_of(
                predicate(covered),
                no(contains("too old"), contains("capability >="), contains("ampere gpus")),
            ),
        ),
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
