"""The Python environment: two copies, foreign folders, shadowing files, libraries found in the wrong place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnosis.rule import Layer, Rule, Step
from torchdoctor.diagnosis.rules.symptoms import NO_MODULE_TORCH, UNDEFINED
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

__all__ = ["RULES"]

LIBRARY_PATH = says("ld_library_path", "ld_preload")
NVJITLINK = says(
    "nvjitlink", matching=r"undefined symbol:? __nvjitlink\w+|nvjitlink[^\n]{0,60}undefined symbol"
)
SYSTEM_CUDA = says(
    "/usr/local/cuda",
    "/usr/lib/x86_64-linux-gnu/libcu",
    "/opt/cuda",
    "/usr/lib64/libcu",
    "/usr/lib/libcu",
    "/lib/x86_64-linux-gnu/libcu",
    "/apps/",
    "/usr/lib/x86_64-linux-gnu/libnv",
)
IN_NOTEBOOK = fact("notebook")
SHADOWS = says(
    "torch.py",
    "types.py",
    "random.py",
    "copy.py",
    "numbers.py",
    "typing.py",
    "inspect.py",
    "token.py",
    "queue.py",
    "logging.py",
    "profile.py",
    "code.py",
    "abc.py",
    "tempfile.py",
    "select.py",
    "io.py",
    "signal.py",
    "string.py",
    "platform.py",
    "enum.py",
    "operator.py",
    "warnings.py",
    "dataclasses.py",
    "secrets.py",
)


def _two_torches(case: CaseFile) -> Seen | None:
    """collect_env or a list shows torch in two versions at once."""
    rows = [row for row in case.of("package.torch") if not row.source.lstrip().startswith(("-", "+"))]
    stated = case.of("torch.version")[:1]
    values = {
        re.sub(r"\+.*", "", row.value)
        for row in (*rows, *(row for row in stated if "version" in row.source.lower()))
    }
    if len(values) > 1 and not case.of("torch.removed") and not case.of("installer"):
        return Seen(evidence=tuple(source(row) for row in (*stated, *rows)[:3]))
    return None


def _conda_and_pip(case: CaseFile) -> Seen | None:
    """collect_env lists torch from both pip and conda's own channels."""
    pip = [line for line in case.text.lines if re.match(r"\s*(?:[>*-] ?)?\[pip3?\] torch(?:==| )", line)]
    conda = case.of("conda.torch")
    return (
        Seen(evidence=(pip[0].strip(), source(conda[0])))
        if pip and conda and not _same(pip[0], conda[0].value)
        else None
    )


def _same(line: str, value: str) -> bool:
    # conda's own package is seen by pip as well, under the same number.
    return value.split(" ", maxsplit=1)[0].split("+", maxsplit=1)[0] in line


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
            sure(
                all_of(
                    says("cudnn version incompatibility", matching=r"cudnn version incompatibility"),
                    says("found runtime version", "ld_library_path"),
                )
            ),
            likely(NVJITLINK),
            sure(
                all_of(
                    any_of(
                        UNDEFINED,
                        says(
                            "could not load library",
                            "version `",
                            "cannot load symbol",
                            "not found (required by",
                        ),
                    ),
                    SYSTEM_CUDA,
                    says(
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
                        says(
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
                        says("glibcxx_"),
                        says("cannot open shared object file: no such file", matching=r"libcuda\.so"),
                    ),
                )
            ),
            possible(
                all_of(
                    says(
                        "cudnn_status_not_initialized",
                        "cublas_status_not_initialized",
                        "cudnn_status_internal_error",
                        "cudnn_status_sublibrary",
                    ),
                    LIBRARY_PATH,
                )
            ),
            likely(says("unset ld_library_path", matching=r"unset(?:ting)? (?:the )?ld_library_path")),
        ),
        unless=(says("forward compatibility was attempted"), says("libcuda.so.1: cannot open")),
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
            likely(says("unable to load any of {libcudnn", "invalid handle. cannot load symbol cudnn")),
            likely(
                says(
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
            likely(says("could not load library libcudnn", "could not locate cudnn")),
            hint(says("ctranslate2", "faster-whisper", "faster_whisper", "whisperx", "onnxruntime")),
        ),
        unless=(
            says(
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
            sure(
                says(
                    "omp: error #15",
                    "already initialized",
                    matching=r"omp: error #15|lib(?:iomp5|omp|gomp)\S*[^\n]{0,60}already initialized",
                )
            ),
            likely(says("kmp_duplicate_lib_ok")),
            likely(
                says(
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
            likely(says("incompatible with libgomp", "mkl-service + intel")),
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
            sure(
                says(
                    "version `glibcxx_",
                    "version 'glibcxx_",
                    "version `cxxabi_",
                    "version 'cxxabi_",
                    "glibcxx_3.4",
                    matching=r"(?:glibcxx|cxxabi)_[\d.]+'? ?not found|version [`'](?:glibcxx|cxxabi)_",
                )
            ),
            likely(
                says(
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
    Rule(
        id="conda-pip-mix",
        layer=Layer.ENVIRONMENT,
        severity="warning",
        title="torch is there from both conda and pip",
        explanation=(
            "Two installers wrote the same folder, or the companions came from the other one: "
            "the files no longer belong together."
        ),
        signs=(
            likely(test(_conda_and_pip)),
            likely(
                says(
                    "conda",
                    matching=(
                        r"(?:mix\w*|both|also|then|together|and)[^.]{0,80}(?:conda[^.]{0,"
                        r"80}\bpip\b|\bpip\b[^.]{0,80}conda)[^.]{0,80}(?:torch|install|package"
                        r"|conflict|mix)|(?:installed|install) (?:it |torch |pytorch )?(?:with"
                        r"|from|via|by|using) conda[^.]{0,80}\bpip\b|\bpip install\w*[^.]{0,"
                        r"80}(?:in|into|inside|on top of|over)[^.]{0,30}conda"
                    ),
                )
            ),
            possible(
                all_of(
                    says("conda", matching=r"conda(?:3|/|\\)"),
                    says("undefined symbol: _znk5torch8autograd", "nameb5cxx11"),
                )
            ),
            hint(all_of(fact("conda.torch"), fact("package.torchvision"), no(fact("conda.torchvision")))),
        ),
        steps=(
            Step(
                text="Make a new environment and install the set with one installer:",
                command="conda create -n torch python=3.12 && conda activate torch",
            ),
            Step(
                text="In it, pip's wheels alone:",
                command="{any_install}",
                otherwise=Step(
                    text="In it, pip's wheels alone:",
                    command="python -m pip install torch torchvision torchaudio",
                ),
            ),
        ),
        explains=("duplicate-torch-copies",),
        find="`conda list | grep -i torch`: the channel pypi beside pytorch or conda-forge.",
    ),
    Rule(
        id="duplicate-torch-copies",
        layer=Layer.ENVIRONMENT,
        severity="warning",
        title="There are two copies of torch on the path",
        explanation=(
            "An environment that sees the system's packages, the user's folder or PYTHONPATH: "
            "what pip shows is not what is imported."
        ),
        signs=(
            likely(test(_two_torches)),
            likely(
                says(
                    "torch.__version__",
                    "pip show torch",
                    "pip list",
                    matching=(
                        r"torch\.__version__[^.]{0,200}(?:but|while|whereas|not what)[^.]{0,"
                        r"100}pip|pip (?:show|list|freeze)[^.]{0,200}(?:but|while|whereas)[^.]{0,"
                        r"100}(?:torch\.__version__|import|python)"
                    ),
                )
            ),
            likely(
                says(
                    "system-site-packages",
                    "two versions",
                    "two copies",
                    "two installations",
                    "multiple versions",
                    "multiple torch",
                    "two torch",
                    "different versions",
                    "old version",
                    matching=(
                        r"system-site-packages|(?:two|multiple|several|different) (?:\w+ "
                        r")?(?:versions|copies|installations|installs|torch\w*)[^.]{0,40}(?:torch"
                        r"|pytorch|installed)|multiple torch"
                    ),
                )
            ),
            hint(says("dist-packages", matching=r"dist-packages/torch[^-]")),
        ),
        steps=(
            Step(
                text="See which copy is imported, and which pip speaks of:",
                command=(
                    'python -c "import torch; print(torch.__version__, torch.__file__)" && '
                    "python -m pip show torch"
                ),
            ),
            Step(
                text=(
                    "Uninstall the one that is not wanted with its own Python, or make the "
                    "environment again without --system-site-packages:"
                ),
                command="python -m venv --clear .venv",
            ),
        ),
        find="torch.__file__ and the Location of `python -m pip show torch` must be one folder.",
    ),
    Rule(
        id="user-site-shadowing",
        layer=Layer.ENVIRONMENT,
        severity="warning",
        title="Packages in ~/.local win over the environment's",
        explanation=(
            "What was installed with `pip install --user`, or without write permission, is seen "
            "by every conda environment of the same Python version, before its own packages."
        ),
        signs=(
            hint(says("defaulting to user installation")),
            likely(
                all_of(
                    says(".local/lib/python", "roaming\\python", "roaming\\\\python"),
                    any_of(fact("conda"), says("envs", "venv", "env")),
                    any_of(UNDEFINED, says("import", "version", "error", "instead", "before")),
                )
            ),
            likely(
                says(
                    "pythonnousersite",
                    "~/.local",
                    "user site",
                    "usersite",
                    matching=(
                        r"pythonnousersite|~/\.local[^.]{0,80}(?:instead|before|first|wins"
                        r"|priority|shadow|load|import|picked|remov|delet|fix|solv)|user[- ]?site"
                    ),
                )
            ),
            hint(says(".local/lib/python")),
        ),
        unless=(NO_MODULE_TORCH,),
        steps=(
            Step(
                text="Leave the user's folder out:",
                command="export PYTHONNOUSERSITE=1",
                os=("linux", "macos"),
            ),
            Step(
                text="For a conda environment, for good:",
                command="conda env config vars set PYTHONNOUSERSITE=1",
                installer=("conda",),
            ),
            Step(text="Or uninstall there what shadows the environment, with the Python that put it there."),
        ),
        explains=("duplicate-torch-copies",),
        find=(
            '`python -c "import torch; print(torch.__file__)"` lies under ~/.local; `python -m '
            "site` shows the order."
        ),
    ),
    Rule(
        id="pythonpath-pollution",
        layer=Layer.ENVIRONMENT,
        severity="warning",
        title="PYTHONPATH brings packages of another place in",
        explanation=(
            "PYTHONPATH, set by ROS, a module system or an editor, comes before site-packages, "
            "so foreign copies are imported."
        ),
        signs=(
            likely(
                says(
                    "pythonpath",
                    matching=(
                        r"(?:unset(?:ting)?|remov\w*|clear\w*|because of|due to|caused by"
                        r"|polluted|wrong|culprit|without)[^.]{0,40}pythonpath|pythonpath[^.]{0,"
                        r"80}(?:ros|before|instead|first|culprit|wrong|contain\w*|point\w*"
                        r"|override\w*|pollut\w*|caus\w*|was set|is set|unset)"
                    ),
                )
            ),
            likely(all_of(says("/opt/ros/", "dist-packages"), says("pythonpath"))),
            possible(fact("env.PYTHONPATH", lambda value: len(value) > 1)),
            hint(says("/opt/ros/")),
        ),
        steps=(
            Step(text="Start without it:", command="unset PYTHONPATH", os=("linux", "macos")),
            Step(
                text="Start without it, in this PowerShell:",
                command="Remove-Item Env:PYTHONPATH",
                os=("windows",),
            ),
            Step(
                text=(
                    "`python -I` ignores it for one start; take it out of ~/.bashrc or the "
                    "editor's settings for good."
                )
            ),
        ),
        explains=("duplicate-torch-copies",),
        find='`python -c "import sys; print(sys.path)"`, with and without -I.',
    ),
    Rule(
        id="local-file-shadows-torch",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="A file of your own has the name of a module",
        explanation=(
            "A file torch.py, a folder torch, or a file named as a standard module (types.py, "
            "random.py, copy.py) beside the script is imported in place of the real one."
        ),
        signs=(
            likely(
                says('file "torch/__init__.py"', "file 'torch/__init__.py'", 'file "./torch/__init__.py"')
            ),
            likely(
                says(
                    "'module' object has no attribute",
                    matching=(
                        r"'module' object has no attribute '(?:tensor|cuda|nn|autograd|version"
                        r"|__version__|floattensor|load|zeros|ones)'[^$]{0,200}|torch[^$]{0,"
                        r"300}'module' object has no attribute '(?:tensor|cuda|nn)'"
                    ),
                )
            ),
            sure(
                says(
                    "partially initialized module 'torch' has no attribute",
                    matching=(
                        r"partially initialized module 'torch' has no attribute[^\n]{0,"
                        r"80}circular import"
                    ),
                )
            ),
            likely(says("partially initialized module 'torch' has no attribute")),
            likely(
                says(
                    "module 'torch' has no attribute",
                    matching=(
                        r"module 'torch' has no attribute '(?:tensor|cuda|nn|autograd|__version__|float32"
                        r"|device|randn|zeros|ones|rand|load|save|no_grad|optim|utils|from_numpy"
                        r"|float|long|int64|manual_seed|empty|cat|stack|arange|backends|jit)'"
                    ),
                )
            ),
            likely(
                all_of(
                    SHADOWS,
                    says(
                        "rename",
                        "renam",
                        "named torch.py",
                        "circular import",
                        "shadow",
                        "my own",
                        "same folder",
                        "same directory",
                        "same name",
                        "file named",
                        "called torch",
                        "script",
                    ),
                    says("torch"),
                )
            ),
            hint(says("circular import")),
            likely(
                says(
                    "consider renaming",
                    "has the same name as the standard library module",
                    "has the same name as the third-party module",
                )
            ),
            possible(
                says(
                    "cannot import name",
                    matching=(
                        r"cannot import name '\w+' from partially initialized module '(?:torch"
                        r"|types|random|copy|numbers|typing)'|cannot load module more than once "
                        r"per process"
                    ),
                )
            ),
        ),
        unless=(
            says("torchvision' has no attribute", matching=r"partially initialized module 'torchvision'"),
        ),
        steps=(
            Step(
                text="See which file is imported, from the folder of the script:",
                command="python -c \"import importlib.util as u; print(u.find_spec('torch').origin)\"",
            ),
            Step(text="Rename that file, and delete the folder __pycache__ beside it."),
        ),
        explains=("partial-install", "duplicate-torch-copies"),
        find="The path that is printed must lie in site-packages.",
    ),
    Rule(
        id="python-path-mixup",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="torch was installed into another Python than the one that runs",
        explanation=(
            "A bare `pip` on PATH belongs to another interpreter than `python`, or the "
            "environment is not active: torch is in the one and missing in the other."
        ),
        signs=(
            likely(
                all_of(
                    NO_MODULE_TORCH,
                    no(IN_NOTEBOOK),
                    no(
                        says(
                            "failed to build",
                            "subprocess-exited-with-error",
                            "getting requirements to build wheel",
                            "setup.py",
                            "build isolation",
                        )
                    ),
                )
            ),
            hint(
                all_of(
                    NO_MODULE_TORCH,
                    says(
                        "requirement already satisfied",
                        "successfully installed",
                        "pip show",
                        "pip list",
                        "installed",
                    ),
                )
            ),
            likely(
                says(
                    "pip",
                    "which python",
                    "which pip",
                    "sys.executable",
                    matching=(
                        r"pip(?:3)? (?:is|belongs to|points? to|--version|-v)[^.]{0,100}(?:other"
                        r"|another|different|python ?[\d.]+\))[^.]{0,60}|(?:different|another"
                        r"|wrong|other) (?:python|interpreter)[^.]{0,60}(?:pip|install|torch)|two "
                        r"pythons|wrong interpreter"
                    ),
                )
            ),
            possible(all_of(NO_MODULE_TORCH, says("vscode", "vs code", "pycharm", "interpreter", "path"))),
        ),
        unless=(says("no module named 'torch._c"), says("no module named 'torch.")),
        steps=(
            Step(
                text="See both, they must belong together:",
                command='python -c "import sys; print(sys.executable)" && python -m pip --version',
            ),
            Step(
                text="Install with the Python that runs the program:",
                command="{any_install}",
                otherwise=Step(
                    text="Install with the Python that runs the program:",
                    command="python -m pip install torch",
                ),
            ),
            Step(text="In an editor choose the interpreter of that environment."),
        ),
        find="sys.executable of the failing program against the path that `python -m pip --version` prints.",
    ),
    Rule(
        id="env-moved-or-copied",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="The environment's folder was moved or copied",
        explanation=(
            "The scripts in an environment, and its pyvenv.cfg, hold absolute paths of the place "
            "where it was made."
        ),
        signs=(
            sure(says("fatal error in launcher", "unable to create process using")),
            likely(says("bad interpreter", matching=r"bad interpreter:? (?:no such file|permission)")),
            likely(
                says(
                    "no python at",
                    "did not find executable at",
                    "could not find platform independent libraries",
                    matching=r"no python at|did not find executable at|platform independent libraries",
                )
            ),
            likely(
                says(
                    "moved",
                    "copied",
                    "renamed",
                    "relocat",
                    matching=(
                        r"(?:moved|copied|renamed|relocated|mov\w+|copy\w*|renam\w+)[^.]{0,"
                        r"40}(?:venv|virtualenv|environment|env\b|virtual environment|\.venv"
                        r"|project folder|folder)"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Make the environment again where it is to be:",
                command="python3 -m venv --clear .venv",
                os=("linux", "macos"),
            ),
            Step(
                text="Make the environment again where it is to be:",
                command="py -m venv --clear .venv",
                os=("windows",),
            ),
            Step(text="Until then `python -m pip` of the environment works where the script `pip` does not."),
        ),
        explains=("python-path-mixup",),
        find="The first line of bin/pip, and `home` in pyvenv.cfg, name places that are not there.",
    ),
)
