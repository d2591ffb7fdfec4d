"""Packages beside torch that were built for another torch, another CUDA, another C++ or another NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.diagnosis.knowledge import torch_version, version_of
from torchdoctor.diagnosis.rule import Layer, Rule, Step
from torchdoctor.diagnosis.rules.symptoms import NO_KERNEL_IMAGE, UNDEFINED
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
    from collections.abc import Callable

    from torchdoctor.diagnosis.case_file import CaseFile

__all__ = ["RULES"]

FLASH = says("flash_attn", "flash-attn", "flashattention", "flash attention")
EXTENSIONS = says(
    "gsplat",
    "apex",
    "flash",
    "xformers",
    "bitsandbytes",
    "mmcv",
    "detectron2",
    "pytorch3d",
    "exllama",
    "auto_gptq",
    "autogptq",
    "deepspeed",
    "causal_conv1d",
    "causal-conv1d",
    "mamba",
    "diff_gaussian",
    "diff-gaussian",
    "nvdiffrast",
    "tiny-cuda-nn",
    "tinycudann",
    "torch_scatter",
    "torch-scatter",
    "torch_cluster",
    "spconv",
    "custom op",
    "extension",
    "vllm",
    "llama_cpp",
    "llama-cpp",
    "ggml",
    "cupy",
    "dcnv2",
    "sageattention",
    "awq",
    "onnxruntime",
    "ctranslate2",
    "simple_knn",
    "gaussian",
    "rasteriz",
    "minkowski",
    "pointnet",
    "torch_sparse",
    "natten",
    "triton",
    "kaolin",
    "selective_scan",
)
_FIRST_PAIR = 4
C10 = r"_zn(?:k)?(?:3c10|2at|5torch|9torch|3at)\w*"


def _belonging(project: str, torch: Version) -> set[tuple[int, ...]]:
    """The companion's minor versions that go with a torch; empty where none is known, or none is declared.

    torch 1.N went with torchvision 0.(N+1) and torchaudio 0.N, from 1.4 on:
    https://github.com/pytorch/vision#installation, https://github.com/pytorch/audio/releases
    """
    from wheels_index import UnknownRelease, bundled

    if torch.major == 1:
        return {(0, torch.minor + (project == "torchvision"))} if torch.minor >= _FIRST_PAIR else set()
    try:
        row = bundled().release(Version(torch.public)).companions.get(project)
    except UnknownRelease:
        return set()
    if row is None or (project == "torchaudio" and row.constraint is None):
        return set()
    return {version.release[:2] for version in row.versions}


def _pair(project: str) -> Callable[[CaseFile], Seen | None]:
    """The companion's version is one that another torch goes with."""

    def look(case: CaseFile) -> Seen | None:
        torch = torch_version(case)
        rows = case.of(f"package.{project}") or case.of(f"mention.{project}")
        companion = version_of(rows[0].value) if rows else None
        if torch is None or companion is None or "dev" in str(torch) or case.value("torch.removed"):
            return None
        fits = _belonging(project, torch)
        if not fits or companion.release[:2] in fits:
            return None
        return Seen(evidence=tuple(source(one) for one in (*case.of("torch.version")[:1], *rows[:1])))

    return look


def _builds_differ(project: str) -> Callable[[CaseFile], Seen | None]:
    """The local versions of torch and the companion differ, both being said."""

    def look(case: CaseFile) -> Seen | None:
        torch, companion = torch_version(case), version_of(case.value(f"package.{project}"))
        if (
            torch is None
            or companion is None
            or not torch.local
            or not companion.local
            or torch.local == companion.local
        ):
            return None
        return Seen(evidence=(source(case.of("torch.version")[0]), source(case.of(f"package.{project}")[0])))

    return look


def _cpu_vision(case: CaseFile) -> Seen | None:
    """torch is a CUDA build and torchvision is tagged cpu."""
    torch, vision = torch_version(case), version_of(case.value("package.torchvision"))
    if torch is None or vision is None or vision.local != "cpu" or not (torch.local or "").startswith("cu"):
        return None
    return Seen(evidence=(source(case.of("torch.version")[0]), source(case.of("package.torchvision")[0])))


def _numpy(case: CaseFile) -> Seen | None:
    """NumPy 2 beside a torch that was built for NumPy 1."""
    torch, numpy = torch_version(case), version_of(case.value("package.numpy"))
    if torch is None or numpy is None or numpy < Version("2") or torch >= Version("2.3"):
        return None
    return Seen(evidence=(source(case.of("package.numpy")[0]), source(case.of("torch.version")[0])))


def _xformers(case: CaseFile) -> Seen | None:
    """xFormers says for which torch it was built, and another one is there."""
    return says("was built for", matching=r"xformers[^.]{0,60} was built for|was built for:? pytorch")(case)


RULES = (
    Rule(
        id="torchvision-cpu-with-cuda-torch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="A CPU torchvision beside a CUDA torch",
        explanation=(
            "torchvision came from PyPI or another index than torch. Its C++ part has no CUDA "
            "code, and its metadata does not say so."
        ),
        signs=(
            sure(
                says(
                    "torchvision::",
                    matching=r"could not run 'torchvision::\w+' with arguments from the 'cuda' backend",
                )
            ),
            sure(test(_cpu_vision)),
            likely(all_of(says("libc10_cuda.so: cannot open"), no(says("flash", "torchaudio", "mmcv")))),
            likely(
                says(
                    "torchvision",
                    matching=(
                        r"(?:not compiled with gpu support|torchvision[^.]{0,80}(?:cpu[- ]only"
                        r"|cpu version|without cuda|\+cpu))"
                    ),
                )
            ),
        ),
        unless=(says("torchvision::nms does not exist"),),
        steps=(
            Step(
                text="Install the torchvision of torch's own index:",
                command="{pip_reinstall} --no-deps torchvision=={torchvision_for} --index-url {index_url}",
                otherwise=Step(
                    text="Let torchdoctor put the torchvision of this torch in:",
                    command="torchdoctor install --with torchvision",
                ),
            ),
        ),
        explains=("torchvision-mismatch",),
        os=("linux", "windows"),
        find="`python -m pip list | grep torch`: the parts after + must be the same.",
    ),
    Rule(
        id="torchvision-mismatch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="torchvision belongs to another torch",
        explanation=(
            "torchvision's C++ library is made for one torch minor version: torch 2.N goes with "
            "torchvision 0.(N+15). From 0.29.1 on it needs torch 2.14 or newer."
        ),
        details=("torch {torch} goes with torchvision {torchvision_for}.",),
        signs=(
            sure(
                says(
                    "operator torchvision::nms does not exist",
                    "operator torchvision::",
                    matching=r"operator torchvision::\w+ does not exist",
                )
            ),
            sure(says("couldn't load custom c++ ops", "could not load custom c++ ops")),
            likely(
                says(
                    "partially initialized module 'torchvision' has no attribute",
                    "module 'torchvision' has no attribute",
                )
            ),
            likely(
                says(
                    "failed to load image python extension",
                    matching=(
                        r"failed to load image python extension:?\W{0,4}.{0,200}(?:undefined "
                        r"symbol|procedure could not be found|symbol not found|找不到指定的程序"
                        r"|could not find module|cannot open shared)"
                    ),
                )
            ),
            likely(
                says(
                    "torchvision",
                    matching=(
                        r"torchvision[\\/](?:_c|image)\S{0,60}(?:: )?(?:undefined symbol|symbol "
                        r"not found)|(?:undefined symbol|procedure could not be found|entry "
                        r"point)[^\n]{0,120}torchvision"
                    ),
                )
            ),
            sure(test(_pair("torchvision"))),
            likely(test(_builds_differ("torchvision"))),
            likely(
                says(
                    "torchvision",
                    matching=(
                        r"torchvision (?P<tv>\d[\w.+]*) (?:requires|depends on|has requirement) "
                        r"(?:on )?torch ?==|requires torch==\S+, but you have torch|detected that "
                        r"pytorch and torchvision were compiled with different cuda"
                    ),
                )
            ),
            possible(says("failed to load image python extension")),
            possible(
                says(
                    "torchvision.ops",
                    "torchvision.extension",
                    matching=r"_has_ops|extension\._assert_has_ops|no such operator torchvision",
                )
            ),
        ),
        steps=(
            Step(
                text="Install the torchvision that goes with this torch, from the same index:",
                command="{pip_reinstall} --no-deps torchvision=={torchvision_for} --index-url {index_url}",
                otherwise=Step(
                    text=(
                        "Install the torchvision that goes with this torch, from the index that "
                        "torch came from:"
                    ),
                    command="{pip_reinstall} --no-deps torchvision=={torchvision_for}",
                    otherwise=Step(
                        text="Let torchdoctor put the torchvision of this torch in:",
                        command="torchdoctor install --with torchvision",
                    ),
                ),
            ),
        ),
        explains=("cxx11-abi-mismatch",),
        find=(
            "`python -m pip list | grep torch`: compare the pair with the release's table, and "
            "the parts after +."
        ),
    ),
    Rule(
        id="torchaudio-mismatch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="torchaudio belongs to another torch",
        explanation=(
            "torchaudio has torch's own version number and must match it, up to 2.10. 2.11, the "
            "last one, declares no torch, so pip puts it beside any; it works from torch 2.11 "
            "on."
        ),
        details=("torch {torch} goes with torchaudio {torchaudio_for}.",),
        signs=(
            sure(
                says(
                    "_torch_sox",
                    matching=(
                        r"_torch_sox\S{0,60}:? ?(?:undefined symbol|symbol not found)|symbol not "
                        r"found[^$]{0,160}_torch_sox|_torch_sox[^\n]{0,60}symbol not found"
                    ),
                )
            ),
            sure(
                says(
                    "torchaudio",
                    matching=(
                        r"(?:lib)?_?torchaudio\S{0,60}(?:: )?(?:undefined symbol|symbol not "
                        r"found)|torchaudio[\\/]lib[\\/][^\n]{0,120}(?:undefined symbol|cannot "
                        r"open shared object|symbol not found|procedure could not|winerror 127"
                        r"|could not (?:find|load))|(?:undefined symbol|cannot open shared object"
                        r"|could not load this library|symbol not found|winerror 127)[^\n]{0,"
                        r"200}torchaudio"
                    ),
                )
            ),
            sure(says("_torch_library_impl")),
            likely(says("libtorch_cuda_cpp.so: cannot open", "libtorch_cuda_cu.so: cannot open")),
            sure(test(_pair("torchaudio"))),
            likely(test(_builds_differ("torchaudio"))),
            likely(
                says(
                    "torchaudio",
                    matching=(
                        r"torchaudio \S+ (?:requires|depends on|has requirement) (?:on )?torch "
                        r"?==|detected that pytorch and torchaudio were compiled with different "
                        r"cuda|module 'torchaudio' has no attribute"
                    ),
                )
            ),
            likely(
                says(
                    "libtorchaudio",
                    matching=(
                        r"libtorchaudio\S*[^\n]{0,80}(?:could not load|undefined|cannot|error)"
                        r"|could not load this library:[^\n]{0,120}libtorchaudio"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Install the torchaudio that goes with this torch, from the same index:",
                command="{pip_reinstall} --no-deps torchaudio=={torchaudio_for} --index-url {index_url}",
                otherwise=Step(
                    text=(
                        "Install the torchaudio that goes with this torch, from the index that "
                        "torch came from:"
                    ),
                    command="{pip_reinstall} --no-deps torchaudio=={torchaudio_for}",
                    otherwise=Step(
                        text="Let torchdoctor put the torchaudio of this torch in:",
                        command="torchdoctor install --with torchaudio",
                    ),
                ),
            ),
        ),
        explains=("cxx11-abi-mismatch", "nvidia-wheels-missing"),
        find=(
            "`python -m pip list | grep torch`: torch and torchaudio must have one number, and "
            "one part after +."
        ),
    ),
    Rule(
        id="flash-attn-abi-mismatch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="flash-attn was built for another torch",
        explanation=(
            "A prebuilt flash-attn wheel is for one torch minor version, one CUDA major, one "
            "Python and one C++ ABI. After a change of torch it does not load."
        ),
        signs=(
            sure(
                says(
                    "flash_attn_2_cuda",
                    "flash_attn_3_cuda",
                    "flash_attn_cuda",
                    "flash_attn",
                    matching=(
                        r"flash_attn\w*\S{0,60}:? ?(?:undefined symbol|symbol not found)"
                        r"|flash_attn_\w*cuda[^\n]{0,160}(?:undefined symbol|dll load failed"
                        r"|specified (?:procedure|module))|(?:undefined symbol|dll load "
                        r"failed)[^\n]{0,120}flash_attn"
                    ),
                )
            ),
            likely(
                says(
                    "flash_attn_2_cuda",
                    "flash-attn",
                    "flash_attn",
                    matching=(
                        r"(?:libcudart\.so\.\d+|libc10\S*|libtorch\S*): cannot open shared object "
                        r"file[^\n]{0,200}flash|flash_attn_2_cuda[^\n]{0,120}(?:cannot open"
                        r"|importerror)|importerror[^\n]{0,80}flash_attn_2_cuda|no module named "
                        r"'?flash_attn_2_cuda"
                    ),
                )
            ),
            possible(all_of(FLASH, UNDEFINED)),
        ),
        steps=(
            Step(
                text=(
                    "Take the wheel whose name has your torch, CUDA, Python and ABI "
                    "(cu12torch2.8cxx11abiTRUE-cp312), or build it here against this torch:"
                ),
                command=(
                    "python -m pip install flash-attn --no-build-isolation --no-cache-dir "
                    "--force-reinstall --no-deps"
                ),
            ),
            Step(
                text=(
                    "Without it, transformers runs with attn_implementation='sdpa', which torch "
                    "brings itself."
                )
            ),
        ),
        explains=("cxx11-abi-mismatch", "nvidia-wheels-missing"),
        os=("linux", "windows"),
        find='`python -c "import flash_attn_2_cuda"` fails while `import torch` works.',
    ),
    Rule(
        id="cxx11-abi-mismatch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="An extension was compiled for another torch or another C++ ABI",
        explanation=(
            "The compiled extension asks torch for a symbol that this torch does not have. pip "
            "wheels had the old C++ ABI up to 2.6 and have the new one since 2.7; conda's, NGC's "
            "and distributions' builds use the new one. An extension compiled for another torch "
            "version fails in the same way."
        ),
        signs=(
            sure(
                says(
                    "undefined symbol",
                    matching=rf"undefined symbol:? {C10}(?:cxx11|ess\b|rkss\b|ss\b|ssb\b)\w*"
                    r"|undefined symbol:? _zn3c10\w*7__cxx11\w*",
                )
            ),
            likely(
                says(
                    "undefined symbol",
                    "symbol not found",
                    matching=rf"undefined symbol:? {C10}|symbol not found[^\n]{{0,40}}__?zn",
                )
            ),
            likely(
                says(
                    "cxx11_abi",
                    "cxx11 abi",
                    "glibcxx_use_cxx11_abi",
                    "_glibcxx_use_cxx11_abi",
                    "cxx11abi",
                    matching=(
                        r"abi\W{0,3}(?:=|mismatch|differ|false|true|compat|of)|(?:different|wrong"
                        r"|mismatch\w*|incompatible|old|new)[^.]{0,30}cxx11[ _-]?abi"
                    ),
                )
            ),
        ),
        unless=(says("torchvision/_c", "torchvision/image"), says("iji_t", "ijit_notifyevent")),
        steps=(
            Step(
                text="See the ABI of this torch:",
                command=(
                    'python -c "import torch; print(torch.__version__, torch._C._GLIBCXX_USE_CXX11_ABI)"'
                ),
            ),
            Step(
                text=(
                    "Install a build of the extension for exactly this torch and ABI, or compile "
                    "it here, without its cached wheel:"
                ),
                command=(
                    "python -m pip install --force-reinstall --no-deps --no-build-isolation "
                    "--no-cache-dir --no-binary :all: PACKAGE"
                ),
            ),
        ),
        os=("linux", "macos"),
        find="`c++filt` on the symbol: std::__cxx11 in it is the new ABI, without it the old one.",
    ),
    Rule(
        id="xformers-mismatch",
        layer=Layer.COMPANIONS,
        severity="warning",
        title="xFormers was built for another torch",
        explanation=(
            "An xFormers wheel is for one torch. pip with --no-deps, or a later change of torch, "
            "breaks the pair; its kernels are then turned off."
        ),
        signs=(
            sure(
                says(
                    "can't load c++/cuda extensions",
                    "xformers was built for",
                    "cannot load c++/cuda extensions",
                )
            ),
            sure(test(_xformers)),
            likely(
                says(
                    "xformers",
                    matching=(
                        r"xformers \S+ (?:requires|depends on|has requirement) (?:on )?torch ?=="
                        r"|xformers[^\n]{0,80}(?:undefined symbol|incompatible|not compatible"
                        r"|winerror 127)|no operator found for `?memory_efficient_attention"
                    ),
                )
            ),
        ),
        unless=(
            says(
                "(you have", matching=r"built for:? ?pytorch (?P<a>\d\S*) with cuda \d+ \(you have \S*\+cpu\)"
            ),
        ),
        steps=(
            Step(
                text="Install torch and its xFormers in one command, from one index:",
                command="{pip_install} -U xformers torch=={torch} --index-url {index_url}",
                otherwise=Step(
                    text=(
                        "Install torch and its xFormers in one command, from the index that torch came from:"
                    ),
                    command="python -m pip install -U xformers torch",
                ),
            ),
        ),
        os=("linux", "windows"),
        find="`python -m xformers.info` names the torch that it was built for.",
    ),
    Rule(
        id="extension-built-for-other-arch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="A compiled extension has no code for this GPU",
        explanation=(
            "torch itself runs on this GPU; the extension was compiled for other compute "
            "capabilities, often on another machine or with TORCH_CUDA_ARCH_LIST set."
        ),
        signs=(
            likely(all_of(NO_KERNEL_IMAGE, EXTENSIONS)),
            likely(
                all_of(
                    NO_KERNEL_IMAGE,
                    says(
                        "torch_cuda_arch_list",
                        "arch_list",
                        "gencode",
                        "-arch=sm",
                        "compiled",
                        "recompil",
                        "rebuild",
                        "rebuilt",
                        "csrc",
                        "setup.py",
                        ".cu:",
                        '.cu"',
                        ".cu,",
                        "cuda_arch",
                    ),
                )
            ),
            likely(
                says(
                    "torch_cuda_arch_list",
                    matching=(
                        r"torch_cuda_arch_list[^.]{0,200}(?:no kernel|invalid device function"
                        r"|unsupported|wrong|rebuil|recompil)"
                    ),
                )
            ),
            possible(all_of(says("invalid device function"), EXTENSIONS, no(says("hip error", "rocm")))),
        ),
        unless=(
            says("is not compatible with the current pytorch installation"),
            says("because it is too old"),
            says("hip error"),
        ),
        steps=(
            Step(
                text="Compile the extension for this GPU:",
                command=(
                    "TORCH_CUDA_ARCH_LIST={capability} python -m pip install --force-reinstall "
                    "--no-deps --no-build-isolation --no-cache-dir PACKAGE"
                ),
                os=("linux",),
                otherwise=Step(
                    text=(
                        "Compile the extension for this GPU: set TORCH_CUDA_ARCH_LIST to its "
                        "compute capability (`nvidia-smi --query-gpu=compute_cap --format=csv`), "
                        "then install it again without its cached wheel."
                    )
                ),
            ),
        ),
        os=("linux", "windows"),
        find=(
            "`torch.ones(1, device='cuda') @ torch.ones(1, device='cuda')` works and the "
            "extension fails; `cuobjdump --list-elf` on its .so lists its code."
        ),
    ),
    Rule(
        id="cuda-toolkit-mismatch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="nvcc and torch are of different CUDA versions",
        explanation=(
            "An extension is being built with a CUDA toolkit of another major version than the "
            "torch was built with."
        ),
        details=("This torch is built with CUDA {cuda}.",),
        signs=(
            sure(
                says(
                    "mismatches the version that was used to compile",
                    "cuda version mismatch",
                    "does not match the version torch was compiled",
                    matching=(
                        r"mismatches the version that was used to compile|does not match the "
                        r"version torch was compiled"
                    ),
                )
            ),
            likely(
                says(
                    "cuda version",
                    "torch.version.cuda",
                    "nvcc",
                    matching=(
                        r"(?:installed cuda version|nvcc version|cuda_home)[^.]{0,80}(?:does not "
                        r"match|doesn't match|mismatch|differ)|compiled with[^.]{0,40}cuda[^.]{0,"
                        r"60}but[^.]{0,60}(?:nvcc|toolkit|cuda_home)|cuda extensions are being "
                        r"compiled with a version"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Point CUDA_HOME at a toolkit of torch's CUDA {cuda}:",
                command="export CUDA_HOME=/usr/local/cuda-{cuda}",
                os=("linux",),
                otherwise=Step(text="Point CUDA_HOME at a toolkit of the version in torch.version.cuda."),
            ),
            Step(
                text="In a conda environment bring that toolkit in:",
                command="conda install -c conda-forge cuda-nvcc={cuda} cuda-cudart-dev={cuda}",
                installer=("conda",),
            ),
            Step(
                text="Or install a prebuilt wheel of the extension, or a torch whose CUDA is the toolkit's."
            ),
        ),
        explains=("cuda-home-missing",),
        os=("linux", "windows"),
        find='`nvcc --version` against `python -c "import torch; print(torch.version.cuda)"`.',
    ),
    Rule(
        id="cuda-home-missing",
        layer=Layer.COMPANIONS,
        severity="error",
        title="There is no CUDA toolkit to build an extension with",
        explanation=(
            "Building a CUDA extension from source needs nvcc. torch's wheel has the runtime "
            "libraries and no compiler; torch itself does not need one."
        ),
        signs=(
            sure(
                says(
                    "cuda_home environment variable is not set",
                    "cuda_home is not set",
                    "cuda_home does not exist",
                    "cuda_home is undefined",
                )
            ),
            likely(
                says(
                    "nvcc",
                    matching=(
                        r"nvcc\W{0,4}(?:: )?(?:command )?not found|no such file or directory: "
                        r"'?\S*nvcc|unable to find nvcc|nvcc (?:was|is) not found|cannot find "
                        r"nvcc|'nvcc' is not recognized|missingcudaexception|nvcc not found|nvcc "
                        r"is not installed"
                    ),
                )
            ),
            possible(
                says(
                    "cuda_home",
                    matching=(
                        r"cuda_home['\"]?\]?\s?(?:=|is|:)\s?none|keyerror: 'cuda_home'|unset "
                        r"cuda_home|cuda_path['\"]? (?:is )?not (?:set|found)"
                    ),
                )
            ),
        ),
        steps=(
            Step(text="Use a prebuilt wheel of the extension where there is one: then no toolkit is needed."),
            Step(
                text=(
                    "Else install the toolkit of torch's CUDA {cuda} (the toolkit, not the "
                    "driver) and set CUDA_HOME to it."
                ),
                where="admin",
                otherwise=Step(
                    text=(
                        "Else install the toolkit of the version in torch.version.cuda (the "
                        "toolkit, not the driver) and set CUDA_HOME to it."
                    ),
                    where="admin",
                ),
            ),
            Step(
                text="In a conda environment:",
                command="conda install -c conda-forge cuda-nvcc={cuda} cuda-cudart-dev={cuda}",
                installer=("conda",),
            ),
        ),
        os=("linux", "windows"),
        find='`python -c "from torch.utils.cpp_extension import CUDA_HOME; print(CUDA_HOME)"` prints None.',
    ),
    Rule(
        id="numpy2-abi",
        layer=Layer.COMPANIONS,
        severity="error",
        title="NumPy 2 beside a torch that was built for NumPy 1",
        explanation=(
            "torch before 2.3 (on Windows before 2.4.1) was compiled against NumPy 1 and cannot "
            "use NumPy 2; tensors then convert to no array."
        ),
        signs=(
            sure(
                says("compiled using numpy 1.x cannot be run in", "_array_api not found", "using numpy 1.x")
            ),
            likely(says("numpy is not available")),
            likely(test(_numpy)),
            likely(
                says(
                    "numpy.core.multiarray failed to import",
                    "numpy.dtype size changed",
                    matching=r"multiarray failed to import|numpy\.dtype size changed",
                )
            ),
        ),
        steps=(
            Step(text="Keep NumPy 1 in this environment:", command="{pip_install} 'numpy<2'"),
            Step(
                text="Or move to a torch that was built for NumPy 2 (2.4.1 or newer):",
                command="{any_install}",
            ),
        ),
        find='`python -c "import torch; torch.zeros(1).numpy()"`.',
    ),
    Rule(
        id="nccl-mismatch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="A second NCCL is loaded in place of torch's",
        explanation=(
            "torch asks for a function that the NCCL found first does not have: one of the "
            "system, of another framework, or of the other nvidia-nccl-cuXX package, which "
            "writes the same folder."
        ),
        signs=(
            sure(
                says(
                    "nccl",
                    matching=(
                        r"undefined symbol:? nccl\w+|libnccl\S*[^\n]{0,80}(?:undefined symbol"
                        r"|version `?nccl)"
                    ),
                )
            ),
            likely(
                says(
                    "nccl",
                    matching=(
                        r"nvidia-nccl-cu1\d[^.]{0,160}nvidia-nccl-cu1\d|(?:two|both|different"
                        r"|multiple|another|second|system|wrong|older|mismatch\w*"
                        r"|conflict\w*)[^.]{0,60}(?:nccl\b|libnccl)|nccl version mismatch"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="See which NCCL packages are there, and which one torch requires:",
                command="python -m pip list | grep -i nccl; python -m pip show torch",
            ),
            Step(
                text=(
                    "Remove the other one, then put torch's own back (the name ends in your "
                    "torch's CUDA major):"
                ),
                command=(
                    "python -m pip uninstall -y nvidia-nccl-cu11 nvidia-nccl-cu12 "
                    "nvidia-nccl-cu13 && {pip_reinstall} torch=={torch} --index-url {index_url}"
                ),
                otherwise=Step(
                    text=(
                        "Remove the one that torch does not require, and reinstall torch with "
                        "its dependencies, for both packages write the same folder."
                    )
                ),
            ),
            Step(
                text="Start without a foreign NCCL on the path:",
                command="unset LD_LIBRARY_PATH LD_PRELOAD",
                os=("linux",),
            ),
        ),
        explains=("ld-library-path-pollution", "nvidia-wheels-mixed"),
        os=("linux",),
        find="`LD_DEBUG=libs python -c 'import torch' 2>&1 | grep nccl` shows the file that is loaded.",
    ),
    Rule(
        id="nvidia-wheels-missing",
        layer=Layer.COMPANIONS,
        severity="error",
        title="CUDA libraries that torch needs are not installed",
        explanation=(
            "torch's CUDA wheel keeps its libraries in nvidia-* packages. They were left out: "
            "--no-deps, a lock file made for another platform, or a build system that puts "
            "packages into separate folders."
        ),
        signs=(
            likely(
                all_of(
                    says(
                        "cannot open shared object file",
                        "cannot open shared object",
                        matching=(
                            r"lib(?:cudart|cublas|cublaslt|cudnn|cufft|curand|cusolver|cusparse"
                            r"|cusparselt|nccl|nvrtc|cupti|nvtoolsext|nvjitlink|cufile"
                            r"|nvshmem_host)\S{0,12}: cannot open shared object"
                        ),
                    ),
                    no(FLASH),
                    no(says("libcudnn_ops_infer", "libcudnn_cnn")),
                )
            ),
            sure(
                says(
                    "not found in the system path",
                    matching=r"lib\w+\.so\.\*\[0-9\][^\n]{0,20} not found in the system path",
                )
            ),
            likely(
                says(
                    "nvidia-",
                    matching=(
                        r"(?:no|without|missing|not install\w*|skipp\w*|lack\w*)[^.]{0,"
                        r"60}nvidia-(?:cublas|cuda|cudnn|\*|cu1\d|nccl)\S*"
                    ),
                )
            ),
            possible(
                says(
                    "error loading",
                    "could not load library",
                    matching=r"(?:dll|library)[^\n]{0,60}(?:cublas|cudart|cusparse|cusolver)64_",
                )
            ),
        ),
        unless=(
            fact("arch", "aarch64"),
            says(
                "libcudart.so.11.0: cannot open",
                matching=(
                    r"(?:mmcv|detectron2|bitsandbytes|apex|torch_scatter|torch_sparse)[^\n]{0,"
                    r"300}libcudart|libcudart[^\n]{0,300}(?:mmcv/|bitsandbytes/|apex/)"
                ),
            ),
        ),
        steps=(
            Step(
                text="Install torch again with its dependencies, from one index:",
                command="{pip_reinstall} torch=={torch} --index-url {index_url}",
                otherwise=Step(
                    text="Install torch again with its dependencies, from one index, and without --no-deps:",
                    command="{right_install}",
                    otherwise=Step(
                        text="Install torch again with its dependencies:", command="{pip_reinstall} torch"
                    ),
                ),
            ),
            Step(
                text=(
                    "A lock file must be made for Linux, or for all platforms, to hold the nvidia-* packages."
                ),
                installer=("poetry", "uv"),
            ),
        ),
        explains=("cudnn-load-failure", "duplicate-torch-copies"),
        os=("linux",),
        find="`python -m pip check`, and `python -m pip list | grep nvidia`.",
    ),
    Rule(
        id="nvidia-wheels-mixed",
        layer=Layer.COMPANIONS,
        severity="error",
        title="nvidia-* packages are not the versions that torch pins",
        explanation=(
            "torch names exact versions of its CUDA libraries. Another package (tensorflow, cupy,"
            " vllm, onnxruntime) moved one of them, and the libraries no longer fit each other."
        ),
        signs=(
            sure(
                says(
                    "requires nvidia-",
                    "has requirement nvidia-",
                    matching=(
                        r"torch \S+ (?:requires|has requirement) nvidia-\S+[^\n]{0,60}(?:but you "
                        r"have|which is incompatible|is not installed)"
                    ),
                )
            ),
            likely(
                says(
                    "nvidia-",
                    matching=(
                        r"nvidia-[a-z-]+-cu1\d[^.\n]{0,60}(?:upgrad|downgrad|wrong version"
                        r"|version mismatch|incompatible|conflict|but you have)"
                    ),
                )
            ),
            possible(
                says(
                    "undefined symbol",
                    matching=(
                        r"site-packages/(?:torch/lib/\.\./\.\./)?nvidia/\S+: (?:undefined symbol"
                        r"|symbol)|undefined symbol:? (?:__nvjitlink\w+|cublaslt\w*|cudnn\w+"
                        r"|cusparse\w+)"
                    ),
                )
            ),
            hint(says("tensorflow[and-cuda]", "cupy", "tensorflow")),
        ),
        steps=(
            Step(text="See what does not fit:", command="python -m pip check"),
            Step(
                text="Put back the versions that torch names:",
                command="{pip_reinstall} torch=={torch} --index-url {index_url}",
                otherwise=Step(
                    text="Put back the versions that torch names, from the index it came from:",
                    command="{pip_reinstall} torch",
                ),
            ),
            Step(text="Keep frameworks that pin other CUDA libraries in an environment of their own."),
        ),
        os=("linux",),
        find="`python -m pip check` lists nvidia-* packages; LD_LIBRARY_PATH must be empty for the test.",
    ),
    Rule(
        id="mkl-2024-1",
        layer=Layer.COMPANIONS,
        severity="error",
        title="conda's MKL 2024.1 beside a torch up to 2.2",
        explanation=(
            "MKL 2024.1 no longer has a symbol (iJIT_NotifyEvent) that conda's builds of torch "
            "up to 2.2 ask for."
        ),
        signs=(
            sure(says("ijit_notifyevent", "ijit_isprofilingactive", "ijit_getnewmethodid", "ijit_")),
            likely(
                all_of(
                    any_of(fact("package.mkl", r"2024\.[1-9].*|202[5-9].*")),
                    fact("torch.version", r"(?:1\.\d+|2\.[0-2])\..*"),
                    UNDEFINED,
                )
            ),
        ),
        steps=(Step(text="Go back to the MKL before it:", command="conda install 'mkl<2024.1'"),),
        explains=("cxx11-abi-mismatch", "conda-pip-mix", "ld-library-path-pollution"),
        os=("linux",),
        find="`conda list mkl`.",
    ),
)
