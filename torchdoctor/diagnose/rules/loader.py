"""Libraries that the loader finds in the wrong place, twice, or not at all."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, any_of, background, certain, contains, likely, no, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import UNDEFINED

__all__ = ["RULES"]

LIBRARY_PATH = contains("ld_library_path", "ld_preload")
NVJITLINK = contains(
    "nvjitlink", matching=r"undefined symbol:? __nvjitlink\w+|nvjitlink[^\n]{0,60}undefined symbol"
)
SYSTEM_CUDA = contains(
    "/usr/local/cuda",
    "/usr/lib/x86_64-linux-gnu/libcu",
    "/opt/cuda",
    "/usr/lib64/libcu",
    "/usr/lib/libcu",
    "/lib/x86_64-linux-gnu/libcu",
    "/apps/",
    "/usr/lib/x86_64-linux-gnu/libnv",
)

RULES = (
    Rule(
        id="ld-library-path-pollution",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="A CUDA library of the system is loaded in place of torch's own",
        explanation=(
            "LD_LIBRARY_PATH is searched before the folders that a wheel names. A CUDA, cuDNN or "
            "conda folder on it (from .bashrc, modules or an image) gives torch libraries of "
            "another version."
        ),
        signs=(
            certain(
                all_of(
                    contains("cudnn version incompatibility", matching=r"cudnn version incompatibility"),
                    contains("found runtime version", "ld_library_path"),
                )
            ),
            likely(NVJITLINK),
            certain(
                all_of(
                    any_of(
                        UNDEFINED,
                        contains(
                            "could not load library",
                            "version `",
                            "cannot load symbol",
                            "not found (required by",
                        ),
                    ),
                    SYSTEM_CUDA,
                    contains(
                        "/usr/local/cuda",
                        "/opt/cuda",
                        "/usr/lib",
                        "/lib/x86_64",
                        "/apps/",
                        matching=(
                            r"(?:/usr/local/cuda|/opt/cuda|/usr/lib|/lib/x86_64"
                            r"|/apps/)\S*lib(?:cud|cub|cuf|cur|cus|nv|nccl)\S*:? ?(?:[^\n]{0,"
                            r"160})(?:undefined symbol|version|cannot|error)"
                        ),
                    ),
                )
            ),
            likely(
                all_of(
                    LIBRARY_PATH,
                    any_of(
                        UNDEFINED,
                        contains(
                            "cudnn_status",
                            "cudnn error",
                            "symbol",
                            "segmentation fault",
                            "cannot load symbol",
                            "cublas_status",
                            "invalid handle",
                        ),
                    ),
                    no(
                        contains("glibcxx_"),
                        contains("cannot open shared object file: no such file", matching=r"libcuda\.so"),
                    ),
                )
            ),
            possible(
                all_of(
                    contains(
                        "cudnn_status_not_initialized",
                        "cublas_status_not_initialized",
                        "cudnn_status_internal_error",
                        "cudnn_status_sublibrary",
                    ),
                    LIBRARY_PATH,
                )
            ),
            likely(contains("unset ld_library_path", matching=r"unset(?:ting)? (?:the )?ld_library_path")),
        ),
        unless=(contains("forward compatibility was attempted"), contains("libcuda.so.1: cannot open")),
        steps=(
            Step(
                text=(
                    "See what is on the path, then start without it; the wheels need no CUDA of the system:"
                ),
                command='echo "$LD_LIBRARY_PATH"; unset LD_LIBRARY_PATH',
            ),
            Step(text="If that helps, take the line out of ~/.bashrc or the module file that sets it."),
        ),
        explains=(
            "nvidia-wheels-mixed",
            "nvidia-wheels-missing",
            "cudnn-load-failure",
            "cxx11-abi-mismatch",
            "conda-pip-mix",
        ),
        os=("linux",),
        find=(
            "After `import torch`, /proc/self/maps must show libcu* and libnv* under "
            "site-packages/nvidia alone."
        ),
    ),
    Rule(
        id="cudnn-load-failure",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="A part of cuDNN is not found",
        explanation=(
            "A second user of cuDNN (ctranslate2, faster-whisper, onnxruntime) looks for its "
            "libraries on the system's path, or wants another major version than torch brings."
        ),
        signs=(
            likely(contains("unable to load any of {libcudnn", "invalid handle. cannot load symbol cudnn")),
            likely(
                contains(
                    "could not load library",
                    "could not locate",
                    "cannot open shared object",
                    "could not load symbol",
                    "error loading",
                    "not found",
                    matching=(
                        r"could not load library libcudnn_\w+\.so|could not locate cudnn\w*\.dll"
                        r"|cudnn_\w+64_\d\.dll|could not load library cudnn"
                        r"|libcudnn(?:_\w+)?\.so\.\d[\d.]*: cannot open|could not load symbol "
                        r"cudnn|cudnn64_\d+\.dll"
                    ),
                )
            ),
            likely(contains("could not load library libcudnn", "could not locate cudnn")),
            background(
                contains("ctranslate2", "faster-whisper", "faster_whisper", "whisperx", "onnxruntime")
            ),
        ),
        unless=(
            contains(
                "libcudnn",
                matching=(
                    r"error: /(?:usr|opt|apps|lib)\S*libcudnn\S*:? ?(?:undefined )?symbol"
                    r"|libcudnn\S*:? ?(?:undefined )?symbol"
                ),
            ),
        ),
        steps=(
            Step(
                text=(
                    "Make the packages want one cuDNN: ctranslate2 4.5 and newer goes with cuDNN "
                    "9 (torch 2.4 and newer), 4.4 with cuDNN 8:"
                ),
                command="python -m pip install 'ctranslate2>=4.5'",
            ),
            Step(
                text="If the library is there and only not found, show the loader torch's own copy:",
                command=(
                    "export LD_LIBRARY_PATH=\"$(python -c 'import os, nvidia.cudnn; "
                    'print(os.path.join(nvidia.cudnn.__path__[0], "lib"))\')"'
                ),
                os=("linux",),
            ),
            Step(
                text="On Windows import torch first: it puts its own folder of DLLs on the search path.",
                os=("windows",),
            ),
        ),
        explains=("nvidia-wheels-missing",),
        os=("linux", "windows"),
        find=(
            "`python -m pip list | grep -i -E 'cudnn|ctranslate2|onnxruntime'`, and which cuDNN "
            "major each of them wants."
        ),
    ),
    Rule(
        id="duplicate-openmp",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="Two OpenMP runtimes are loaded",
        explanation=(
            "Two packages each brought their own OpenMP library (conda's MKL and pip's torch, or "
            "faiss, scikit-learn, ctranslate2). The variable KMP_DUPLICATE_LIB_OK only hides it "
            "and can give wrong results."
        ),
        signs=(
            certain(
                contains(
                    "omp: error #15",
                    "already initialized",
                    matching=r"omp: error #15|lib(?:iomp5|omp|gomp)\S*[^\n]{0,60}already initialized",
                )
            ),
            likely(contains("kmp_duplicate_lib_ok")),
            likely(
                contains(
                    "libiomp5md.dll",
                    "libiomp5.so",
                    "libiomp5.dylib",
                    "libomp.dylib",
                    "libgomp",
                    matching=(
                        r"(?:two|both|multiple|duplicate|several|another|second"
                        r"|conflict\w*)[^.]{0,80}(?:openmp|libi?omp|libgomp)|(?:openmp|libi?omp"
                        r"|libgomp)[^.]{0,80}(?:two|both|multiple|duplicate|several|conflict\w*"
                        r"|twice)|mkl_threading_layer=intel is incompatible with libgomp"
                    ),
                )
            ),
            likely(contains("incompatible with libgomp", "mkl-service + intel")),
        ),
        steps=(
            Step(
                text=(
                    "Take all packages from one source, all from pip or all from conda-forge, in "
                    "a new environment:"
                ),
                command="conda create -n torch -c conda-forge python=3.12 pytorch",
                installer=("conda",),
            ),
            Step(text="Or in a new environment of pip's alone:", command="python -m venv .venv"),
            Step(
                text="In a conda environment that must stay, MKL can go:",
                command="conda install nomkl",
                installer=("conda",),
            ),
        ),
        explains=("conda-pip-mix",),
        find=(
            "`python -m threadpoolctl -i torch numpy` lists the runtimes that are loaded, with their paths."
        ),
    ),
    Rule(
        id="libstdcxx-too-old",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="An older libstdc++ is loaded first",
        explanation=(
            "A compiled package needs a newer C++ library than the one that was found first: the "
            "system's, because of LD_LIBRARY_PATH or the order of imports, instead of conda's."
        ),
        signs=(
            certain(
                contains(
                    "version `glibcxx_",
                    "version 'glibcxx_",
                    "version `cxxabi_",
                    "version 'cxxabi_",
                    "glibcxx_3.4",
                    matching=r"(?:glibcxx|cxxabi)_[\d.]+'? ?not found|version [`'](?:glibcxx|cxxabi)_",
                )
            ),
            likely(
                contains(
                    "libstdc++.so.6", matching=r"libstdc\+\+\.so\.6[^\n]{0,80}(?:not found|version|undefined)"
                )
            ),
        ),
        steps=(
            Step(
                text="In a conda environment bring the newer one in:",
                command="conda install -c conda-forge libstdcxx-ng",
            ),
            Step(text="Start without foreign folders on the path:", command="unset LD_LIBRARY_PATH"),
            Step(text="Without conda, a newer system or container has the newer library."),
        ),
        explains=("ld-library-path-pollution", "cxx11-abi-mismatch"),
        os=("linux",),
        find="`strings -a FILE | grep GLIBCXX_` on the libstdc++.so.6 that the error names.",
    ),
)
