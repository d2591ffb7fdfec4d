"""The torch that is installed is a CPU build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.derived import torch_build
from torchdoctor.diagnose.matchers import (
    Match,
    all_of,
    any_of,
    certain,
    contains,
    fact,
    hint,
    likely,
    no,
    possible,
    predicate,
    source,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import (
    ASKS,
    CPU_TAG,
    CUDA_UNAVAILABLE,
    CUDA_WORKS,
    GPU_UNUSED,
    IN_CONTAINER,
    IN_WSL,
    NO_DRIVER,
    NO_MATCHING,
    NOT_COMPILED,
    NOT_OF_TORCH,
    ON_AMD,
    ON_MACOS,
    ON_NVIDIA,
    SMI_ANSWERS,
    SMI_WORKS,
)

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]


# collect_env writes so where it found no nvidia-smi: nothing says that there is a GPU.
NO_GPU_SEEN = all_of(
    contains(
        "nvidia driver version: no cuda",
        "gpu models and configuration: no cuda",
        "nvidia driver version : no cuda",
    ),
    no(ON_NVIDIA),
    no(ON_AMD),
)


# With a report of the machine there is more to go by than a post's words.
COLLECTED = any_of(fact("python.platform"), contains("is debug build"))


MORE_TO_GO_BY = any_of(
    COLLECTED,
    ON_MACOS,
    IN_CONTAINER,
    IN_WSL,
    all_of(ON_AMD, no(ON_NVIDIA)),
    NOT_OF_TORCH,
    fact("chip", "apple"),
    fact("gpu.vendor", "intel"),
    fact("told.gpu_works"),
    fact("told.wish"),
    fact("told.no_gpu"),
    contains("mps", matching=r"\bmps\b"),
)


CONTAINED = any_of(ON_MACOS, IN_CONTAINER, IN_WSL, NOT_OF_TORCH, fact("told.wish"), fact("told.no_gpu"))


def _gpu_beside_cpu_build(case: Evidence) -> Match | None:
    """The build has no GPU code, and there is a GPU that could be used."""
    if (
        torch_build(case) != "cpu"
        or case.first("os.system") == "macos"
        or case.first("cuda.available") == "true"
    ):
        return None
    gpus = [
        row
        for name in ("nvidia.gpu", "nvidia.driver", "amd.gpu", "amd.gfx", "gpu.vendor")
        for row in case.observations(name)
    ]
    build = next((row for name in ("torch.build", "torch.cuda") for row in case.observations(name)), None)
    if build is None or not gpus:
        return None
    return Match(evidence=(source(build), source(gpus[0])))


RULES = (
    Rule(
        id="cpu-only-wheel",
        layer=Layer.WHEEL,
        severity="error",
        title="CPU-only torch on a machine with a GPU",
        explanation=(
            "A CPU build has no code for any GPU, so torch.cuda.is_available() is False whatever "
            "the driver. PyPI's wheel for Windows is such a build; so is what the cpu index, an "
            "index copy without local versions or a lock file gives."
        ),
        details=("The build that fits here is {right_variant}.",),
        signs=(
            likely(
                all_of(
                    any_of(CUDA_UNAVAILABLE, contains("is_available")),
                    contains(
                        "cpu version",
                        "cpu-only",
                        "cpu only",
                        "cpu build",
                        "cpu wheel",
                        "cpu torch",
                        "cpu pytorch",
                        "cpu版",
                        "cpu 版",
                        "version for cpu",
                        "without cuda support",
                    ),
                )
            ),
            likely(all_of(NOT_COMPILED, no(ON_MACOS))),
            certain(predicate(_gpu_beside_cpu_build)),
            likely(
                all_of(CPU_TAG, any_of(CUDA_UNAVAILABLE, ON_NVIDIA, contains("gpu", "cuda")), no(NO_MATCHING))
            ),
            possible(
                all_of(
                    fact("torch.cuda", "none"),
                    fact("cuda.available", "false"),
                    no(ON_MACOS),
                    no(fact("torch.hip", r"\d.*")),
                )
            ),
            likely(
                contains(
                    "torch.xpu._is_compiled",
                    "not compiled with xpu",
                    matching=r"_is_compiled\W{0,20}false|not compiled with xpu",
                )
            ),
            likely(
                contains(
                    "cuda.is_available",
                    "version.cuda",
                    "cuda.version",
                    matching=r"(?:version\.cuda|cuda\.version)\W{0,24}(?:is |returns? |prints? )?none",
                )
            ),
            # The driver is there and answers, and torch uses the processor all the same.
            possible(
                all_of(
                    any_of(SMI_WORKS, fact("nvidia.driver"), SMI_ANSWERS),
                    GPU_UNUSED,
                    no(fact("torch.build", r"cu\d.*")),
                    no(IN_WSL),
                    no(NO_DRIVER),
                    no(ON_MACOS),
                )
            ),
            # Another program on the same machine uses the GPU: the fault is in this environment.
            possible(
                all_of(
                    GPU_UNUSED,
                    contains(
                        "works",
                        "working",
                        "fine",
                        matching=(
                            r"\b(?:same (?:machine|computer|pc|system)"
                            r"|other (?:programs?|apps?|projects?|uis?|tools?))\b"
                            r"[^\n]{0,120}\b(?:works?|working|fine|uses? (?:the |my )?gpu)\b"
                            r"|\bworks?[^\n]{0,60}\bin (?:an)?other (?:programs?|apps?|projects?|uis?|tools?)\b"
                        ),
                    ),
                    no(fact("torch.build", r"cu\d.*|rocm.*")),
                    no(CONTAINED),
                )
            ),
            # What is behind it most often, where a post says nothing more.
            hint(all_of(GPU_UNUSED, ASKS, no(MORE_TO_GO_BY))),
            possible(
                all_of(
                    fact("told.cpu_build"),
                    any_of(ASKS, GPU_UNUSED),
                    contains("gpu", "cuda", "显卡"),
                    no(fact("told.wish")),
                    no(fact("told.no_gpu")),
                )
            ),
            hint(all_of(NOT_COMPILED, ON_MACOS)),
        ),
        unless=(all_of(NO_GPU_SEEN, no(NOT_COMPILED)), CUDA_WORKS),
        steps=(
            Step(
                text="Install the build for this machine:",
                command="{right_install}",
                otherwise=Step(
                    text="Let torchdoctor choose the build for this machine and install it:",
                    command="torchdoctor install",
                ),
            ),
        ),
        os=("linux", "windows"),
        find=(
            '`python -c "import torch; print(torch.__version__, torch.version.cuda)"`: +cpu or '
            "None is a CPU build."
        ),
    ),
)
