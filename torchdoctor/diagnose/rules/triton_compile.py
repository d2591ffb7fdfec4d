"""What torch.compile and Triton need at run time: Triton itself, a C compiler, Python's headers."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, certain, contains, likely, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step

__all__ = ["RULES"]

RULES = (
    Rule(
        id="triton-missing",
        layer=Layer.RUNTIME,
        severity="warning",
        title="Triton is missing, or not of this torch's version",
        explanation=(
            "torch.compile makes GPU code with Triton. PyPI's has no wheel for Windows and "
            "macOS; with --no-deps, or after a change of torch, it is missing or of another "
            "version."
        ),
        signs=(
            certain(contains("cannot find a working triton installation", "tritonmissing")),
            certain(contains("no module named 'triton", "no module named triton")),
            likely(
                contains("triton installation not found", "torchtriton", "triton not found", "install triton")
            ),
            likely(
                contains(
                    "triton",
                    matching=(
                        r"triton (?:is )?(?:not (?:available|installed|found|supported)|missing)"
                        r"|a matching triton is not available|no matching distribution found for "
                        r"triton|cannot import name '\w+' from 'triton|module 'triton\S*' has no "
                        r"attribute|triton\S* version[^.]{0,30}(?:mismatch|incompatib)|torch \S+ "
                        r"(?:requires|has requirement|depends on) triton"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Install torch again with its dependencies: Triton is one of them.",
                command="{pip_reinstall} torch=={torch} --index-url {index_url}",
                os=("linux",),
                otherwise=Step(
                    text="Install torch again with its dependencies: Triton is one of them.",
                    command="{pip_reinstall} torch",
                    os=("linux",),
                ),
            ),
            Step(
                text=(
                    "On Windows take the triton-windows of the matching minor version (its page "
                    "lists which goes with which torch):"
                ),
                command="python -m pip install triton-windows",
                os=("windows",),
            ),
            Step(text="On macOS there is none: run without torch.compile on the GPU.", os=("macos",)),
        ),
        os=("linux", "windows", "macos"),
        find=(
            '`python -c "import triton; print(triton.__version__)"`, against the triton that '
            "`pip show torch` requires."
        ),
    ),
    Rule(
        id="c-compiler-missing",
        layer=Layer.RUNTIME,
        severity="warning",
        title="torch.compile finds no C compiler",
        explanation="Triton and Inductor compile small C and C++ files when the program runs.",
        signs=(
            certain(
                contains(
                    "failed to find c compiler",
                    "invalidcxxcompiler",
                    "no working c++ compiler found",
                    "compiler: cl is not found",
                    "compiler: cl not found",
                )
            ),
            certain(
                contains(
                    "no such file or directory: 'gcc'",
                    "no such file or directory: 'g++'",
                    "no such file or directory: 'cc'",
                    "no such file or directory: 'clang",
                    "command 'gcc' failed: no such file",
                    "unable to execute 'gcc'",
                    "unable to execute 'x86_64-linux-gnu-gcc'",
                    "gcc: command not found",
                    "g++: command not found",
                    "error checking compiler version for cl",
                    "microsoft visual c++ 14.0",
                    "microsoft visual c++ build tools",
                    "'cl' is not recognized",
                    "cl.exe",
                    matching=(
                        r"gcc|g\+\+|'cc'|clang|compiler version for cl|microsoft visual c\+\+ "
                        r"(?:14|build)|'cl' is not recognized|where cl|cl\.exe\W{0,3}(?:failed"
                        r"|not found|is not)|cannot find cl\.exe"
                    ),
                )
            ),
            likely(
                all_of(
                    contains(
                        "gcc",
                        "g++",
                        matching=r"(?:\bno|without|lacks?|missing|not have|not include) (?:a |any )?(?:gcc|g\+\+)",
                    ),
                    contains("torch.compile", "inductor", "triton"),
                )
            ),
            possible(
                contains(
                    "compiler",
                    matching=(
                        r"no (?:c|c\+\+|cxx) compiler|(?<!cuda )compiler (?:is )?not (?:found|installed"
                        r"|available)|install (?:gcc|a c compiler|build-essential)|failed to find "
                        r"(?:a )?(?:c|c\+\+|cxx)? ?compiler|could not find (?:a )?(?:c|c\+\+)? "
                        r"?compiler"
                    ),
                )
            ),
        ),
        unless=(contains("python.h: no such file"),),
        steps=(
            Step(
                text="Install a compiler (Debian, Ubuntu):",
                command="sudo apt install build-essential",
                where="admin",
                os=("linux",),
            ),
            Step(
                text=(
                    "Install the Visual Studio Build Tools with C++, then start Python from a "
                    "developer prompt:"
                ),
                command=(
                    'winget install Microsoft.VisualStudio.2022.BuildTools --override "--add '
                    'Microsoft.VisualStudio.Workload.VCTools"'
                ),
                where="admin",
                os=("windows",),
            ),
            Step(text="Install Apple's command line tools:", command="xcode-select --install", os=("macos",)),
            Step(text="A compiler that is elsewhere is named by the variables CC and CXX."),
        ),
        os=("linux", "windows", "macos"),
        find="`cc --version` (Linux, macOS) or `cl` (a Windows developer prompt).",
    ),
    Rule(
        id="python-headers-missing",
        layer=Layer.RUNTIME,
        severity="warning",
        title="Python's header files are missing",
        explanation=(
            "Triton compiles a small module against Python.h. A distribution's Python has the "
            "headers in a package of its own; an embedded Windows Python has none."
        ),
        signs=(
            certain(
                contains(
                    "python.h: no such file",
                    "'python.h' file not found",
                    "python.h: 没有那个文件",
                    "include file 'python.h' not found",
                    "cannot open include file: 'python.h'",
                    "python.h not found",
                    "'python.h': no such file",
                )
            ),
            likely(contains("python.h")),
            likely(
                contains(
                    "failed to find python libs",
                    "pyconfig.h: no such file",
                    "python-dev",
                    "python3-dev",
                    matching=(
                        r"failed to find python libs|pyconfig\.h|(?:missing|install\w*"
                        r"|need\w*)[^.]{0,30}python3?(?:\.\d+)?-dev(?:el)?"
                    ),
                )
            ),
            likely(
                contains(
                    "cannot find -lpython", "python3.lib", matching=r"cannot find -lpython|python3\d*\.lib"
                )
            ),
        ),
        explains=("c-compiler-missing",),
        steps=(
            Step(
                text="Install the headers of this Python's version (Debian, Ubuntu):",
                command="sudo apt install python3-dev",
                where="admin",
                os=("linux",),
            ),
            Step(
                text=(
                    "On Fedora and RHEL the package is python3-devel. A Python from uv or conda "
                    "has its headers with it."
                )
            ),
            Step(
                text=(
                    "An embedded Windows Python needs the folders `include` and `libs` of a full "
                    "Python of the same version beside it."
                ),
                os=("windows",),
            ),
        ),
        os=("linux", "windows"),
        find=(
            '`python -c "import sysconfig, os; '
            "print(os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')))\"`."
        ),
    ),
)
