"""The build is for other hardware: another maker's GPU, a PC instead of a Jetson or an ARM server."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, any_of, certain, contains, fact, hint, likely, no, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import (
    ASKS,
    CPU_TAG,
    CUDA_UNAVAILABLE,
    CUDA_WORKS,
    EXTENSIONS,
    GPU_UNUSED,
    NO_DRIVER,
    NO_KERNEL_IMAGE,
    NOT_COMPILED,
    ON_AMD,
    ON_MACOS,
    ON_NVIDIA,
)

__all__ = ["RULES"]

JETSON = fact("jetson")

RULES = (
    Rule(
        id="aarch64-cpu-wheel",
        layer=Layer.WHEEL,
        severity="error",
        title="An ARM server got the CPU wheel",
        explanation=(
            "For aarch64 PyPI's wheel was CPU only up to torch 2.10; from 2.11 it is a CUDA 13 "
            "build. CUDA builds of older versions are on the project's own index."
        ),
        signs=(
            possible(
                all_of(
                    fact("arch", "aarch64"),
                    no(ON_MACOS),
                    no(JETSON),
                    any_of(NOT_COMPILED, CUDA_UNAVAILABLE, contains("nvidia-"), fact("torch.build", "cpu")),
                )
            ),
            likely(
                all_of(
                    fact("arch", "aarch64|arm64"),
                    no(ON_MACOS),
                    no(JETSON),
                    any_of(
                        NOT_COMPILED,
                        GPU_UNUSED,
                        CPU_TAG,
                        fact("torch.build", "cpu"),
                        fact("told.cpu_build"),
                        contains(
                            "cpu version",
                            "cpu build",
                            "cpu only",
                            "cpu-only",
                            "cpu wheel",
                            "no cuda",
                            "not compiled",
                            "no nvidia",
                        ),
                    ),
                    any_of(
                        ON_NVIDIA,
                        contains(
                            "gh200", "grace", "gb200", "sbsa", "t4g", "g5g", "h100", "gb10", "dgx spark"
                        ),
                    ),
                )
            ),
            hint(
                all_of(
                    fact("arch", "aarch64|arm64"),
                    ASKS,
                    contains("gh200", "gb200", "grace", "sbsa", "graviton", "gb10", "dgx spark"),
                )
            ),
        ),
        unless=(
            fact("cuda.available", "true"),
            ON_MACOS,
            contains("no kernel image"),
            contains("not compatible with the current pytorch"),
        ),
        steps=(
            Step(
                text="Install the CUDA build for ARM servers:",
                command="{right_install}",
                otherwise=Step(
                    text="Install the CUDA build for ARM servers:",
                    command=(
                        "python -m pip install --force-reinstall torch --index-url "
                        "https://download.pytorch.org/whl/cu128"
                    ),
                ),
            ),
        ),
        explains=("cpu-only-wheel",),
        os=("linux",),
        find="`uname -m` says aarch64, and torch.version.cuda is None.",
    ),
    Rule(
        id="jetson-generic-wheel",
        layer=Layer.WHEEL,
        severity="error",
        title="A generic wheel on a Jetson",
        explanation=(
            "A Jetson's GPU is part of the chip and has its own driver stack (L4T). Generic "
            "aarch64 wheels are CPU only, or have no code for it (sm_72, sm_87)."
        ),
        signs=(
            likely(
                all_of(
                    JETSON,
                    any_of(
                        CUDA_UNAVAILABLE,
                        NOT_COMPILED,
                        all_of(NO_KERNEL_IMAGE, no(EXTENSIONS)),
                        CPU_TAG,
                        contains("false", "no cuda", "not available", "libcudart", "cpu"),
                    ),
                )
            ),
            hint(JETSON),
            likely(
                all_of(
                    any_of(JETSON, fact("arch", "aarch64")), fact("nvidia.capability", r"7\.2|8\.7|5\.3|6\.2")
                )
            ),
            likely(contains("nvrm: gpumgr", "sm_87", "sm_72", matching=r"capability sm_(?:87|72|53|62)")),
        ),
        unless=(CUDA_WORKS,),
        steps=(
            Step(text="See which JetPack runs:", command="cat /etc/nv_tegra_release"),
            Step(
                text=(
                    "Install the torch that NVIDIA builds for this JetPack and Python, or use "
                    "its l4t-pytorch container."
                )
            ),
        ),
        explains=(
            "cpu-only-wheel",
            "aarch64-cpu-wheel",
            "gpu-arch-too-new",
            "gpu-arch-too-old",
            "extension-built-for-other-arch",
            "driver-missing",
        ),
        os=("linux",),
        find="/etc/nv_tegra_release is there; torch.cuda.get_arch_list() has neither sm_72 nor sm_87.",
    ),
    Rule(
        id="wrong-vendor-build",
        layer=Layer.WHEEL,
        severity="error",
        title="The build is for another maker's GPUs",
        explanation="A CUDA build sees NVIDIA GPUs only, a ROCm build AMD's, an XPU build Intel's.",
        signs=(
            likely(
                all_of(
                    any_of(
                        NO_DRIVER,
                        contains("torch is not able to use gpu"),
                        GPU_UNUSED,
                        contains("no cuda gpus are available"),
                        contains("cuda driver version is insufficient"),
                    ),
                    ON_AMD,
                    no(ON_NVIDIA),
                    no(fact("torch.hip", r"\d.*")),
                    no(fact("torch.build", "rocm.*")),
                )
            ),
            likely(
                all_of(
                    any_of(NO_DRIVER, contains("torch is not able to use gpu"), CUDA_UNAVAILABLE),
                    any_of(fact("gpu.vendor", "intel"), fact("intel.gpu")),
                    no(ON_NVIDIA),
                    no(fact("torch.build", "xpu")),
                )
            ),
            likely(
                all_of(
                    any_of(fact("torch.build", "rocm.*"), fact("torch.hip", r"\d.*")),
                    ON_NVIDIA,
                    no(fact("amd.gfx")),
                    no(fact("amd.gpu")),
                )
            ),
            likely(
                contains(
                    "not linked with support for",
                    matching=r"not linked with support for (?:xpu|hip|cuda) devices",
                )
            ),
            likely(contains("torch is not able to use gpu; add --skip-torch-cuda-test")),
            # DirectML and ZLUDA are for other makers' cards.
            likely(all_of(NO_DRIVER, contains("directml", "zluda"), no(ON_NVIDIA))),
            certain(all_of(fact("torch.build", r"cu\d+"), fact("amd.gpu"), no(fact("nvidia.gpu")))),
            possible(
                all_of(
                    any_of(fact("gpu.vendor", "intel"), fact("intel.gpu")),
                    contains("+cu"),
                    contains("xpu"),
                    no(ON_NVIDIA),
                )
            ),
        ),
        unless=(CUDA_WORKS, fact("xpu.available", "true")),
        steps=(
            Step(
                text="Install the build for the GPU that is there:",
                command="{right_install}",
                otherwise=Step(
                    text="Let torchdoctor choose the build for the GPU that is there:",
                    command="torchdoctor install",
                ),
            ),
            Step(
                text=(
                    "Where no build exists for it (AMD on Windows: the maker's own wheels), the "
                    "CPU build is the one that works."
                ),
                os=("windows",),
            ),
        ),
        explains=("driver-missing", "driver-too-old", "cpu-only-wheel"),
        os=("linux", "windows"),
        find="torch.version.cuda, torch.version.hip and the GPU's maker must go together.",
    ),
)
