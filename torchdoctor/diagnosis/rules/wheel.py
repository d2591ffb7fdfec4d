"""The torch that is installed is the wrong build: CPU only, replaced, of another index, vendor or GPU generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnosis.knowledge import arch_list_of, capabilities, cuda_of_build, torch_build
from torchdoctor.diagnosis.rule import Layer, Rule, Step
from torchdoctor.diagnosis.rules.symptoms import (
    CUDA_UNAVAILABLE,
    CUDA_WORKS,
    NO_DRIVER,
    NO_KERNEL_IMAGE,
    NO_MATCHING,
    ON_AMD,
    ON_MACOS,
    ON_NVIDIA,
)
from torchdoctor.diagnosis.signs import (
    Seen,
    all_of,
    any_of,
    fact,
    hint,
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

__all__ = ["RULES"]

NOT_COMPILED = says(
    "torch not compiled with cuda enabled", "not compiled with cuda", "torch not linked with cuda"
)
CPU_TAG = says("+cpu", matching=r"\btorch\S{0,12}\d\.\d+\.\d+\S{0,10}\+cpu|\+cpu\b")
# collect_env writes so where it found no nvidia-smi: nothing says that there is a GPU.
NO_GPU_SEEN = all_of(
    says(
        "nvidia driver version: no cuda",
        "gpu models and configuration: no cuda",
        "nvidia driver version : no cuda",
    ),
    no(ON_NVIDIA),
    no(ON_AMD),
)
TORCH_GONE = any_of(
    fact("torch.removed"),
    says(
        "replac",
        "overwr",
        "downgrad",
        "uninstall",
        "pulled in",
        "pulls in",
        "reinstall",
        "upgraded torch",
        matching=(
            r"(?:replac|overwr|downgrad|uninstall|upgrad|pull)\w*[^.]{0,60}\b(?:torch|pytorch)\b"
            r"|\b(?:torch|pytorch)\b[^.]{0,40}(?:was|got|is|gets|being) (?:replaced|overwritten"
            r"|downgraded|uninstalled|reinstalled|upgraded)"
        ),
    ),
)
JETSON = fact("jetson")
ANY_NVIDIA = ON_NVIDIA
TOO_NEW_TEXT = says("is not compatible with the current pytorch installation")


def _gpu_beside_cpu_build(case: CaseFile) -> Seen | None:
    """The build has no GPU code, and there is a GPU that could be used."""
    if (
        torch_build(case) != "cpu"
        or case.value("os.system") == "macos"
        or case.value("cuda.available") == "true"
    ):
        return None
    gpus = [
        row
        for name in ("nvidia.gpu", "nvidia.driver", "amd.gpu", "amd.gfx", "gpu.vendor")
        for row in case.of(name)
    ]
    build = next((row for name in ("torch.build", "torch.cuda") for row in case.of(name)), None)
    if build is None or not gpus:
        return None
    return Seen(evidence=(source(build), source(gpus[0])))


def _replaced(case: CaseFile) -> Seen | None:
    """A log in which torch is taken out and another build of it put in."""
    removed, came = case.of("torch.removed"), case.of("torch.installed")
    if not removed:
        return None
    rows = [row for row in came if row.value != removed[0].value]
    if not rows and came:
        return None
    return Seen(evidence=tuple(source(row) for row in (removed[0], *rows[:1])))


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
                    any_of(CUDA_UNAVAILABLE, says("is_available")),
                    says(
                        "cpu version",
                        "cpu-only",
                        "cpu only",
                        "cpu build",
                        "cpu wheel",
                        "cpu版",
                        "cpu 版",
                        "version for cpu",
                        "without cuda support",
                    ),
                )
            ),
            likely(all_of(NOT_COMPILED, no(ON_MACOS))),
            sure(test(_gpu_beside_cpu_build)),
            likely(
                all_of(CPU_TAG, any_of(CUDA_UNAVAILABLE, ON_NVIDIA, says("gpu", "cuda")), no(NO_MATCHING))
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
                says(
                    "torch.xpu._is_compiled",
                    "not compiled with xpu",
                    matching=r"_is_compiled\W{0,20}false|not compiled with xpu",
                )
            ),
            likely(
                says(
                    "cuda.is_available",
                    "version.cuda",
                    matching=r"version\.cuda\W{0,24}(?:is |returns |prints )?none",
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
    Rule(
        id="torch-replaced-by-other-package",
        layer=Layer.WHEEL,
        severity="error",
        title="Another package's installation replaced torch",
        explanation=(
            "A requirement on torch was resolved from PyPI, which does not know the local "
            "version (+cuXXX): pip took out the build that worked and put the default one in."
        ),
        signs=(
            likely(test(_replaced)),
            likely(
                all_of(
                    says("install", matching=r"install\w*"),
                    TORCH_GONE,
                    any_of(
                        NOT_COMPILED,
                        CUDA_UNAVAILABLE,
                        says(
                            "+cpu",
                            "cpu version",
                            "cpu-only",
                            "cpu only",
                            "different version",
                            "another version",
                            "wrong version",
                            "no longer",
                            "requirements",
                        ),
                    ),
                )
            ),
            likely(
                says(
                    "after installing",
                    "after i install",
                    "after pip install",
                    "once i install",
                    "when installing",
                    "installing",
                    matching=(
                        r"(?:after|once|when) (?:i )?(?:pip )?install\w*[^.]{0,80}(?:torch"
                        r"|cuda)[^.]{0,60}(?:cpu|replac|false|gone|overw|downgrad|chang|uninstall"
                        r"|no longer)"
                    ),
                )
            ),
            hint(says("attempting uninstall: torch")),
        ),
        unless=(says("error: no matching distribution found for torch"), says("winerror 5")),
        steps=(
            Step(
                text="Put the planned build back:",
                command="{right_install}",
                otherwise=Step(text="Put the build for this machine back:", command="torchdoctor install"),
            ),
            Step(
                text=(
                    "Hold torch while you install other packages: write what is installed into a "
                    "file, and name it each time."
                ),
                command=(
                    "python -m pip freeze | grep -E '^(torch|torchvision|torchaudio)==' > "
                    "constraints.txt && python -m pip install -c constraints.txt PACKAGE"
                ),
                os=("linux", "macos"),
            ),
            Step(
                text=(
                    "Hold torch while you install other packages: write its exact version into "
                    "constraints.txt and use `pip install -c constraints.txt PACKAGE`."
                ),
                os=("windows",),
            ),
        ),
        explains=(
            "cpu-only-wheel",
            "torchvision-mismatch",
            "torchaudio-mismatch",
            "xformers-mismatch",
            "flash-attn-abi-mismatch",
            "torchvision-cpu-with-cuda-torch",
            "nvidia-wheels-mixed",
            "gpu-arch-too-new",
        ),
        os=("linux", "windows", "macos"),
        find=(
            "In the log: `Found existing installation: torch` and `Successfully uninstalled "
            "torch`; in the environment: torch's dist-info is newer than torchvision's."
        ),
    ),
    Rule(
        id="conda-solver-chose-cpu",
        layer=Layer.WHEEL,
        severity="error",
        title="conda chose a CPU build",
        explanation=(
            "A mutex package (cpuonly), no driver seen while solving (the virtual package "
            "__cuda), or a channel without a CUDA build for this Python: then the solver takes "
            "what is left, a CPU build."
        ),
        signs=(
            sure(fact("conda.torch", r".*cpu.*")),
            sure(fact("package.cpuonly")),
            likely(
                says(
                    "cpuonly",
                    "_cpu_0",
                    "cpu_generic",
                    "cpu_mkl",
                    "cpu_openblas",
                    "py3.",
                    matching=r"cpuonly|py\d\.?\d+_cpu_\d|cpu_(?:generic|mkl|openblas)",
                )
            ),
            likely(
                all_of(
                    says(
                        "conda install",
                        "conda create",
                        "mamba install",
                        "conda env",
                        "conda",
                        matching=r"\b(?:conda|mamba)\b",
                    ),
                    any_of(NOT_COMPILED, says("cpu version", "cpu build", "cpu-only", "cpu only", "cpuonly")),
                    no(says("pip install")),
                )
            ),
            possible(says("__cuda", matching=r"__cuda")),
        ),
        unless=(CUDA_WORKS,),
        steps=(
            Step(text="Take the CPU mutex out:", command="conda remove cpuonly pytorch-mutex"),
            Step(
                text="Ask for a CUDA build by name, also on a node without a GPU (give your driver's CUDA):",
                command="CONDA_OVERRIDE_CUDA=12.6 conda install -c conda-forge 'pytorch=*=*cuda*'",
                os=("linux",),
            ),
            Step(text="Or use pip's wheels in the conda environment:", command="{right_install}"),
        ),
        explains=("cpu-only-wheel", "conda-pip-mix"),
        os=("linux", "windows"),
        find=(
            "`conda list pytorch` shows cpu in the build; `conda info` must list __cuda among "
            "the virtual packages."
        ),
    ),
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
                    any_of(NOT_COMPILED, CUDA_UNAVAILABLE, says("nvidia-"), fact("torch.build", "cpu")),
                )
            ),
            likely(
                all_of(
                    fact("arch", "aarch64|arm64"),
                    no(ON_MACOS),
                    no(JETSON),
                    any_of(
                        NOT_COMPILED,
                        CUDA_UNAVAILABLE,
                        CPU_TAG,
                        fact("torch.build", "cpu"),
                        says(
                            "cpu version",
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
                        says("gh200", "grace", "gb200", "sbsa", "t4g", "g5g", "h100", "gb10", "dgx spark"),
                    ),
                )
            ),
            hint(
                all_of(
                    fact("arch", "aarch64|arm64"),
                    says("gh200", "gb200", "grace", "sbsa", "graviton", "gb10", "dgx spark"),
                )
            ),
        ),
        unless=(
            fact("cuda.available", "true"),
            ON_MACOS,
            says("no kernel image"),
            says("not compatible with the current pytorch"),
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
                        NO_KERNEL_IMAGE,
                        CPU_TAG,
                        says("false", "no cuda", "not available", "libcudart", "cpu"),
                    ),
                )
            ),
            hint(JETSON),
            likely(
                all_of(
                    any_of(JETSON, fact("arch", "aarch64")), fact("nvidia.capability", r"7\.2|8\.7|5\.3|6\.2")
                )
            ),
            likely(says("nvrm: gpumgr", "sm_87", "sm_72", matching=r"capability sm_(?:87|72|53|62)")),
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
                        says("torch is not able to use gpu"),
                        CUDA_UNAVAILABLE,
                        says("no cuda gpus are available"),
                    ),
                    ON_AMD,
                    no(ON_NVIDIA),
                    no(fact("torch.hip", r"\d.*")),
                    no(fact("torch.build", "rocm.*")),
                )
            ),
            likely(
                all_of(
                    any_of(NO_DRIVER, says("torch is not able to use gpu"), CUDA_UNAVAILABLE),
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
            likely(says("torch is not able to use gpu; add --skip-torch-cuda-test")),
            sure(all_of(fact("torch.build", r"cu\d+"), fact("amd.gpu"), no(fact("nvidia.gpu")))),
        ),
        unless=(CUDA_WORKS,),
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
        explains=("driver-missing", "cpu-only-wheel"),
        os=("linux", "windows"),
        find="torch.version.cuda, torch.version.hip and the GPU's maker must go together.",
    ),
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
            likely(all_of(TOO_NEW_TEXT, no(test(_too_old)), no(says("too old")))),
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
            possible(all_of(NO_KERNEL_IMAGE, no(test(_too_old)), no(test(_between)), no(says("too old")))),
        ),
        unless=(says("because it is too old"),),
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
            possible(all_of(NO_KERNEL_IMAGE, no(test(_too_new)), no(test(_between)), no(TOO_NEW_TEXT))),
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
