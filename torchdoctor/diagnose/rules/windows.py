"""What only Windows has: DLLs that do not load, long paths, files that are locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.diagnose.derived import torch_version
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

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]

NOT_FOUND = contains(
    "winerror 126",
    "the specified module could not be found",
    "找不到指定的模块",
    "error loading",
    "dll load failed",
    matching=r"winerror 126|specified module could not be found|找不到指定的模块|dll load failed",
)
INIT_FAILED = contains(
    "winerror 1114",
    "dll initialization routine failed",
    "动态链接库(dll)初始化例程失败",
    "动态链接库 (dll) 初始化例程失败",
    "初始化例程失败",
)
TORCH_DLL = contains(
    "torch\\\\lib",
    "torch\\lib",
    "torch/lib",
    "c10.dll",
    "torch_cpu.dll",
    "torch_python.dll",
    "shm.dll",
    "asmjit.dll",
    "fbgemm.dll",
    "caffe2",
    "torch_cuda.dll",
    "torch\\__init__",
    "import torch",
    "torch",
)
FBGEMM = contains("fbgemm.dll", "libomp140", "libomp140.x86_64.dll")
LOCKED = contains(
    "winerror 5]",
    "winerror 32",
    "access is denied",
    "拒绝访问",
    "另一个程序正在使用此文件",
    "being used by another process",
    "another program is using this file",
    "the process cannot access",
    "permission denied",
    "zugriff verweigert",
    "accès refusé",
    "acceso denegado",
)


def _since_2_9(case: Evidence) -> Match | None:
    """torch is 2.9 or newer."""
    version = torch_version(case)
    if version is None or version < Version("2.9"):
        return None
    return Match(evidence=(source(case.observations("torch.version")[0]),))


RULES = (
    Rule(
        id="windows-libomp-missing",
        layer=Layer.SYSTEM,
        severity="error",
        title="libomp140 is missing (torch 2.4.0 on Windows)",
        explanation=(
            "fbgemm.dll of torch 2.4.0, and of some nightlies, wants libomp140.x86_64.dll, which "
            "comes with the C++ build tools only. 2.4.1 does not."
        ),
        signs=(
            certain(
                all_of(
                    FBGEMM,
                    any_of(
                        NOT_FOUND,
                        INIT_FAILED,
                        contains("one of its dependencies"),
                        contains("missing", "not found"),
                    ),
                )
            ),
            likely(FBGEMM),
        ),
        steps=(
            Step(
                text="Take a torch that does not need it:",
                command='python -m pip install --force-reinstall "torch>=2.4.1"',
            ),
            Step(
                text=(
                    "Or, to keep 2.4.0, install the Build Tools for Visual Studio with C++. A "
                    "DLL from a download site is somebody else's code: do not."
                ),
                where="admin",
            ),
        ),
        explains=("windows-vcredist-missing", "windows-dll-init-2-9"),
        os=("windows",),
        find="The error names fbgemm.dll, and torch is 2.4.0.",
    ),
    Rule(
        id="windows-dll-init-2-9",
        layer=Layer.SYSTEM,
        severity="error",
        title="A DLL of torch does not initialise (torch 2.9 and newer on Windows)",
        explanation=(
            "From 2.9 on the order in which DLLs are loaded, and the C++ runtime asked for, "
            "changed: an import of torch after PyQt or another library, or an older runtime, "
            "fails where 2.8 worked."
        ),
        signs=(
            certain(all_of(INIT_FAILED, predicate(_since_2_9))),
            likely(
                all_of(
                    INIT_FAILED,
                    contains(
                        "pyqt",
                        "pyside",
                        "pandas",
                        "order",
                        "before",
                        "after import",
                        "2.9",
                        "2.10",
                        "2.8",
                        "downgrad",
                        "import torch first",
                        matching=(
                            r"pyqt|pyside|(?:import\w*|load\w*)[^.]{0,40}(?:before|after|first)"
                            r"|\b2\.(?:9|1\d)(?:\.\d)?\b|downgrad\w*[^.]{0,40}2\.8"
                        ),
                    ),
                )
            ),
            possible(INIT_FAILED),
        ),
        unless=(FBGEMM,),
        steps=(
            Step(
                text="Install the newest Visual C++ runtime:",
                command="winget install Microsoft.VCRedist.2015+.x64",
                where="admin",
            ),
            Step(text="Import torch before PyQt, PySide and other libraries with DLLs of their own."),
            Step(
                text="If it stays, keep 2.8:",
                command=(
                    "python -m pip install --force-reinstall torch==2.8.0 torchvision==0.23.0 "
                    "torchaudio==2.8.0"
                ),
            ),
        ),
        os=("windows",),
        find=(
            '`python -c "import torch"` alone works, and fails after the other library: then it is the order.'
        ),
    ),
    Rule(
        id="windows-vcredist-missing",
        layer=Layer.SYSTEM,
        severity="error",
        title="The Visual C++ runtime is missing, or an old one is loaded",
        explanation=(
            "torch's DLLs need msvcp140.dll and vcruntime140_1.dll of a recent Visual C++ "
            "runtime. They are absent, or an old copy beside Python, Qt or conda is found first."
        ),
        signs=(
            likely(all_of(NOT_FOUND, TORCH_DLL, no(FBGEMM), no(contains("_ssl")))),
            possible(all_of(INIT_FAILED, TORCH_DLL, no(predicate(_since_2_9)))),
            certain(
                contains(
                    "microsoft visual c++ redistributable is not installed",
                    "vcruntime140_1.dll",
                    "msvcp140.dll",
                    "vcruntime140.dll",
                    "visual c++ redistributable",
                    "vc_redist",
                    "vcredist",
                )
            ),
        ),
        unless=(
            contains("numpy.core", matching=r"numpy[^\n]{0,80}dll load failed"),
            contains("cudnn_", matching=r"could not locate cudnn"),
            contains("no module named 'torch'"),
        ),
        steps=(
            Step(
                text="Install the newest Visual C++ runtime, then restart the program:",
                command="winget install Microsoft.VCRedist.2015+.x64",
                where="admin",
            ),
            Step(
                text="If it stays, look for old copies that are found first:",
                command="where.exe msvcp140.dll vcruntime140_1.dll",
            ),
        ),
        os=("windows",),
        find="System32\\vcruntime140_1.dll must be there, and msvcp140.dll be of version 14.40 or newer.",
    ),
    Rule(
        id="windows-long-path",
        layer=Layer.SYSTEM,
        severity="error",
        title="A path is longer than Windows allows",
        explanation=(
            "Without long paths Windows ends at 260 characters. torch's files lie deep, and the "
            "Store's Python or a deep project folder uses up what is left."
        ),
        signs=(
            certain(contains("windows long path support", "long path support enabled", "enable-long-paths")),
            certain(
                contains(
                    "winerror 206",
                    "filename or extension is too long",
                    "文件名或扩展名太长",
                    "file name too long",
                    "filename too long",
                    "path too long",
                )
            ),
            likely(
                contains(
                    "could not install packages due to an oserror",
                    "could not install packages due to an environmenterror",
                    "filenotfounderror",
                    matching=r"\[errno 2\] no such file or directory: '[a-z]:\\\\[^']{150,}",
                )
            ),
            likely(
                contains(
                    "longpathsenabled",
                    "long path",
                    "260 char",
                    "max_path",
                    matching=r"longpathsenabled|long paths?\b|260|max_path",
                )
            ),
        ),
        steps=(
            Step(
                text="Allow long paths, then open a new shell (PowerShell):",
                command=(
                    "New-ItemProperty -Path HKLM:\\SYSTEM\\CurrentControlSet\\Control\\FileSystem"
                    " -Name LongPathsEnabled -Value 1 -PropertyType DWORD -Force"
                ),
                where="admin",
            ),
            Step(text="Or make the environment in a short folder:", command="py -m venv C:\\v"),
        ),
        explains=("partial-install", "disk-full"),
        os=("windows",),
        find=(
            "The length of the path in the error; `Get-ItemProperty "
            "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\FileSystem LongPathsEnabled`."
        ),
    ),
    Rule(
        id="windows-file-locked",
        layer=Layer.INSTALL,
        severity="error",
        title="torch's files are in use while pip replaces them",
        explanation=(
            "A running Python, a notebook or an editor keeps torch's DLLs open; Windows then "
            "refuses to replace them, and a folder ~orch is left."
        ),
        signs=(
            certain(
                all_of(
                    LOCKED,
                    contains("site-packages", "torch", "~orch", ".dll", ".pyd", "pip"),
                    fact("os.system", "windows"),
                )
            ),
            likely(
                all_of(
                    contains(
                        "winerror 5]",
                        "winerror 32",
                        "拒绝访问",
                        "另一个程序正在使用此文件",
                        "another program is using this file",
                    ),
                    contains("torch", ".dll", ".pyd"),
                )
            ),
            likely(
                contains(
                    "~orch",
                    matching=(
                        r"(?:access|denied|winerror|拒绝)[^\n]{0,200}~orch|~orch[^\n]{0,"
                        r"200}(?:access|denied|winerror|拒绝)"
                    ),
                )
            ),
            hint(
                contains(
                    "ignoring invalid distribution ~orch",
                    "failed to remove contents in a temporary directory",
                    matching=r"~orch|temporary directory",
                )
            ),
        ),
        unless=(contains("/dev/kfd"), contains("/dev/nvidia"), contains("crw-rw")),
        steps=(
            Step(
                text=(
                    "Close every program that uses this environment: notebooks, editors, Python "
                    "windows. This lists them:"
                ),
                command="tasklist /m torch_cpu.dll",
            ),
            Step(
                text="Remove the folders that begin with ~orch from site-packages, then install again:",
                command="{right_install}",
                otherwise=Step(
                    text="Remove the folders that begin with ~orch from site-packages, then install again:",
                    command="python -m pip install --force-reinstall torch",
                ),
            ),
        ),
        explains=("partial-install", "torch-replaced-by-other-package"),
        os=("windows",),
        find="Folders ~orch in site-packages; `tasklist /m torch_cpu.dll` names the programs.",
    ),
)
