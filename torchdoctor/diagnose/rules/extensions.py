"""Compiled extensions: built for another torch, C++ or GPU, or not to be built here."""

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
from torchdoctor.diagnose.rules.arch_compare import TOO_NEW, covered
from torchdoctor.diagnose.rules.symptoms import EXTENSIONS, FLASH, NO_KERNEL_IMAGE, UNDEFINED

__all__ = ["RULES"]

# The library of an extension among the frames of the failure: name.cp312-win_amd64.pyd, or
# name.cpython-310-x86_64-linux-gnu.so.
EXTENSION_FRAME = contains(
    ".pyd!",
    "linux-gnu.so",
    matching=r"(?<![\w/\\])(?!torch)\w+\.cp3\d{1,2}-win_amd64\.pyd!"
    r"|(?<!torch/)_?(?!_c\b)[a-z]\w+\.(?:cpython-3\d{1,2}|abi3)\S{0,30}\.so",
)
C10 = r"_zn(?:k)?(?:3c10|2at|5torch|9torch|3at|6caffe2)\w*"

# The library that lacks the symbol is torch's own: two copies of torch, or half of one.
TORCHS_OWN = contains(
    "undefined symbol",
    matching=r"/torch/(?:_c\b[^/\s]{0,60}|lib/lib(?:torch|c10|caffe2)\w{0,20})\.so: undefined symbol:? ?_z",
)

RULES = (
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
            certain(
                contains(
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
                contains(
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
            certain(
                contains(
                    "undefined symbol",
                    matching=rf"undefined symbol:? {C10}(?:cxx11|ess\b|rkss\b|ss\b|ssb\b)\w*"
                    r"|undefined symbol:? _zn3c10\w*7__cxx11\w*",
                )
            ),
            likely(
                contains(
                    "undefined symbol",
                    "symbol not found",
                    matching=rf"undefined symbol:? {C10}|symbol not found[^\n]{{0,40}}__?zn",
                )
            ),
            likely(
                contains(
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
        unless=(
            contains("torchvision/_c", "torchvision/image"),
            contains("iji_t", "ijit_notifyevent"),
            TORCHS_OWN,
        ),
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
        id="extension-built-for-other-arch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="A compiled extension has no code for this GPU",
        explanation=(
            "torch itself runs on this GPU; the extension was compiled for other compute "
            "capabilities, often on another machine or with TORCH_CUDA_ARCH_LIST set."
        ),
        signs=(
            likely(all_of(NO_KERNEL_IMAGE, predicate(covered))),
            likely(all_of(NO_KERNEL_IMAGE, EXTENSIONS)),
            likely(all_of(NO_KERNEL_IMAGE, fact("told.one_part_fails"), no(TOO_NEW))),
            certain(all_of(NO_KERNEL_IMAGE, any_of(EXTENSION_FRAME, contains("torch_cuda_arch_list")))),
            likely(
                all_of(
                    NO_KERNEL_IMAGE,
                    contains(
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
                contains(
                    "torch_cuda_arch_list",
                    matching=(
                        r"torch_cuda_arch_list[^.]{0,200}(?:no kernel|invalid device function"
                        r"|unsupported|wrong|rebuil|recompil)"
                    ),
                )
            ),
            possible(
                all_of(contains("invalid device function"), EXTENSIONS, no(contains("hip error", "rocm")))
            ),
        ),
        unless=(
            contains("is not compatible with the current pytorch installation"),
            contains("because it is too old"),
            contains("hip error"),
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
            Step(
                text=(
                    "Compile the extension for this GPU: set TORCH_CUDA_ARCH_LIST to its "
                    "compute capability (`nvidia-smi --query-gpu=compute_cap --format=csv`), "
                    "then install it again without its cached wheel."
                ),
                os=("windows",),
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
            certain(
                contains(
                    "mismatches the version that was used to compile",
                    "cuda version mismatch",
                    "does not match the version torch was compiled",
                    matching=(
                        r"mismatches the version that was used to compile(?: pytorch "
                        r"\((?P<cuda>\d+\.\d+)\))?|does not match the "
                        r"version torch was compiled"
                    ),
                )
            ),
            likely(
                contains(
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
            certain(
                contains(
                    "cuda_home environment variable is not set",
                    "cuda_home is not set",
                    "cuda_home does not exist",
                    "cuda_home is undefined",
                )
            ),
            likely(
                all_of(
                    contains(
                        "nvcc",
                        matching=(
                            r"nvcc\W{0,4}(?:: )?(?:command )?not found|no such file or directory: "
                            r"'?\S*nvcc|unable to find nvcc|nvcc (?:was|is) not found|cannot find "
                            r"nvcc|'nvcc' is not recognized|missingcudaexception|nvcc not found|nvcc "
                            r"is not installed"
                        ),
                    ),
                    # A table of the environment looked for it: nothing was to be built.
                    no(contains("nvcc: not available")),
                )
            ),
            possible(
                contains(
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
)
