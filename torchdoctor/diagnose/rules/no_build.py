"""No build for this processor, system or C library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.versions import parse_numeric_version
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
from torchdoctor.diagnose.rules.no_match import new_python, only_sources, tag_wanted, wheel_of_another_python
from torchdoctor.diagnose.rules.symptoms import ANY_NONE, FROM_NONE, NOT_SUPPORTED, ON_WINDOWS

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]


OLD_SYSTEM = contains(
    "centos 7",
    "centos7",
    "centos linux 7",
    "centos-7",
    "rhel 7",
    "rhel7",
    "red hat enterprise linux server 7",
    "red hat enterprise linux 7",
    "ubuntu 18.04",
    "ubuntu 16.04",
    "ubuntu 14.04",
    "amazon linux 2",
    "amzn2",
    "debian 9",
    "debian 8",
    "glibc 2.17",
    "glibc-2.17",
    "glibc 2.2",
    "glibc-2.2",
    "el7",
    "scientific linux 7",
    "sles 12",
    "suse linux enterprise server 12",
    "glibc 2.1",
    matching=(
        r"(?:centos|rhel|red hat enterprise linux|scientific linux)(?: linux| server)*[ -]?[67]\b"
        r"|ubuntu 1[468]\.04|amazon linux 2(?!02)|amzn2\b|debian [89]\b|glibc[ -]2\.(?:1\d"
        r"|2[0-7])\b|\bel7\b|(?:sles|server) 12"
    ),
)


def _old_glibc(case: Evidence) -> Match | None:
    """The C library's version is below 2.28."""
    for row in case.observations("libc.version"):
        numbers = parse_numeric_version(row.value)
        if numbers is not None and numbers < (2, 28) and case.first("os.system") in (None, "linux"):
            return Match(evidence=(source(row),))
    return None


RULES = (
    Rule(
        id="python-32bit",
        layer=Layer.INSTALL,
        severity="error",
        title="This Python is a 32-bit one",
        explanation="There are no 32-bit wheels of torch.",
        signs=(
            certain(all_of(fact("python.bits", "32"), any_of(ANY_NONE, contains("torch")))),
            certain(predicate(tag_wanted(r"win32|i686|linux_armv[67]l"))),
            likely(
                all_of(
                    any_of(ANY_NONE, predicate(only_sources)),
                    contains(
                        "armv7l",
                        "armv6l",
                        "i686",
                        "win32",
                        "32-bit",
                        "32 bit",
                        "32bit",
                        "x86 python",
                        "python (x86)",
                        "(x86)",
                        matching=r"armv[67]l|i686|win32\b|32[- ]?bit|python \(?x86\)?|\(x86\)\\python",
                    ),
                )
            ),
            possible(all_of(predicate(only_sources), ON_WINDOWS)),
            hint(all_of(predicate(only_sources), ON_WINDOWS, no(predicate(new_python)))),
            hint(all_of(FROM_NONE, ON_WINDOWS, no(predicate(new_python)))),
        ),
        steps=(
            Step(
                text="Install the 64-bit Python:",
                command="winget install Python.Python.3.12 --architecture x64",
                os=("windows",),
            ),
            Step(
                text="Install a 64-bit Python, on a 64-bit system, and make the environment again.",
                os=("linux",),
            ),
        ),
        explains=("python-too-new", "python-too-old", "wrong-index-url"),
        os=("windows", "linux"),
        find="`python -c \"import struct; print(struct.calcsize('P') * 8)\"` prints 32.",
    ),
    Rule(
        id="windows-arm64-python",
        layer=Layer.INSTALL,
        severity="error",
        title="Python for Windows on ARM",
        explanation=(
            "Wheels for win_arm64 exist for some versions only, for the CPU, and on PyTorch's index alone."
        ),
        signs=(
            certain(predicate(tag_wanted(r"win_arm64"))),
            likely(contains("win_arm64", "win-arm64")),
            likely(
                all_of(
                    ON_WINDOWS,
                    any_of(
                        fact("arch", "arm64|aarch64"),
                        contains("snapdragon", "arm64", "surface pro x", "windows on arm"),
                    ),
                    any_of(ANY_NONE, contains("torch")),
                )
            ),
            possible(contains("windows on arm", "snapdragon x")),
        ),
        steps=(
            Step(
                text="Take PyTorch's own index:",
                command="python -m pip install torch --index-url https://download.pytorch.org/whl/cpu",
            ),
            Step(
                text="Or use an x64 Python, which Windows emulates (CPU only).",
                command="winget install Python.Python.3.12 --architecture x64",
            ),
        ),
        explains=("python-too-new", "wrong-index-url", "python-32bit"),
        os=("windows",),
        find='`python -c "import platform; print(platform.machine())"` prints ARM64.',
    ),
    Rule(
        id="musl-unsupported",
        layer=Layer.INSTALL,
        severity="error",
        title="A musl system (Alpine): there are no wheels for it",
        explanation="torch's wheels are for glibc; a Python linked with musl passes over them.",
        signs=(
            certain(all_of(fact("libc.name", "musl"), any_of(ANY_NONE, contains("torch")))),
            certain(predicate(tag_wanted(r"musllinux"))),
            possible(
                contains(
                    "does not currently provide packages for pypi",
                    "torch-0.1.2.post1.tar.gz",
                    "torch-0.1.2.post2.tar.gz",
                )
            ),
            likely(contains("ld-musl", "musllinux", "error relocating")),
            likely(
                contains(
                    "ld-linux-x86-64.so.2: no such",
                    "ld-linux-x86-64.so.2: cannot",
                    "ld-linux-aarch64.so.1: no such",
                )
            ),
        ),
        steps=(
            Step(
                text="Use an image with glibc, for example:", command="docker run --rm -it python:3.12-slim"
            ),
        ),
        explains=("python-too-new", "python-too-old", "wrong-index-url", "python-32bit"),
        os=("linux",),
        find="`ldd --version` says musl.",
    ),
    Rule(
        id="glibc-too-old",
        layer=Layer.SYSTEM,
        severity="error",
        title="The system's C library is older than the wheel needs",
        explanation=(
            "Wheels since 2.7 (some of 2.6) are for glibc 2.28 and newer. CentOS 7 has 2.17, "
            "Amazon Linux 2 2.26, Ubuntu 18.04 2.27."
        ),
        signs=(
            certain(
                contains(
                    "version `glibc_", "version 'glibc_", matching=r"version [`']glibc_2\.\d+' not found"
                )
            ),
            certain(predicate(tag_wanted(r"manylinux_2_(?:1\d|2[0-7])_"))),
            likely(all_of(any_of(ANY_NONE, NOT_SUPPORTED), predicate(_old_glibc))),
            likely(
                all_of(
                    # Where torch could be asked for its GPUs, it loaded.
                    any_of(
                        ANY_NONE,
                        all_of(
                            contains("manylinux_2_28", "glibc", "manylinux2014", "importerror", "libc.so.6"),
                            no(fact("cuda.available")),
                        ),
                    ),
                    OLD_SYSTEM,
                    any_of(predicate(_old_glibc), no(fact("libc.version"))),
                )
            ),
            likely(all_of(NOT_SUPPORTED, contains("manylinux_2_28"), no(predicate(wheel_of_another_python)))),
            possible(contains("glibc_2.")),
        ),
        unless=(contains("glibcxx_"), fact("libc.name", "musl")),
        steps=(
            Step(
                text="Use a newer system, or a container of one, for example:",
                command="docker run --rm -it python:3.12-slim",
            ),
            Step(
                text="Or take conda-forge's build, which is made for older systems:",
                command="conda install -c conda-forge pytorch",
            ),
            Step(text="Or the last wheels with the old tag:", command="{pip_install} 'torch<=2.6'"),
        ),
        explains=("pip-too-old", "wrong-index-url", "python-too-old"),
        os=("linux",),
        find="`ldd --version` against the number in the wheel's manylinux tag.",
    ),
)
