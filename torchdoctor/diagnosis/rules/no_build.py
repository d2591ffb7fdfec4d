"""No build for this Python, processor or C library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnosis.knowledge import parts, python_of
from torchdoctor.diagnosis.rule import Layer, Rule, Step
from torchdoctor.diagnosis.rules.no_match import (
    index_unknown,
    new_python,
    only_sources,
    python_above,
    python_below,
    tag_wanted,
    wanted_not_in_index,
)
from torchdoctor.diagnosis.rules.symptoms import (
    ANY_NONE,
    CUDA_INDEX,
    FROM_NONE,
    NO_MATCHING,
    NOT_SUPPORTED,
    ON_MACOS,
    ON_WINDOWS,
    UV_NONE,
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

__all__ = ["RULES"]

OLD_SYSTEM = says(
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


def _wheel_of_another_python(case: CaseFile) -> Seen | None:
    """The wheel's name has another Python than the one that runs."""
    for position in case.text.find("is not a supported wheel"):
        part = case.text.lower[max(position - 240, 0) : position]
        match = re.findall(r"-cp3(\d{1,2})-", part)
        python = python_of(case)
        if match and python and python[1] != int(match[-1]):
            return Seen(evidence=(case.text.line_at(position)[1].strip()[:300],))
    return None


def _old_glibc(case: CaseFile) -> Seen | None:
    """The C library's version is below 2.28."""
    for row in case.of("libc.version"):
        numbers = parts(row.value)
        if numbers is not None and numbers < (2, 28) and case.value("os.system") in (None, "linux"):
            return Seen(evidence=(source(row),))
    return None


def _late_python(case: CaseFile) -> Seen | None:
    """A Python that wheels came late for: what a post says of it is not that it is too old."""
    return next(
        (
            Seen(evidence=(source(row),))
            for row in case.of("python.version")
            if _numbers(row.value) >= (3, 10)
        ),
        None,
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


RULES = (
    Rule(
        id="python-too-new",
        layer=Layer.INSTALL,
        severity="error",
        title="This Python is newer than the wheels",
        explanation=(
            "There is no wheel of this torch for this Python yet, or the version asked for is "
            "older than this Python. Free-threaded Pythons (3.13t) have wheels of their own."
        ),
        signs=(
            sure(test(python_above)),
            likely(all_of(any_of(FROM_NONE, UV_NONE, test(only_sources)), test(new_python), no(ON_MACOS))),
            likely(
                all_of(
                    any_of(FROM_NONE, UV_NONE, test(only_sources)),
                    test(new_python),
                    ON_MACOS,
                    no(CUDA_INDEX),
                    no(fact("chip", "intel-mac")),
                )
            ),
            possible(
                all_of(
                    any_of(FROM_NONE, test(only_sources)),
                    no(test(new_python)),
                    no(test(index_unknown)),
                    no(fact("libc.name", "musl")),
                    no(fact("python.bits", "32")),
                )
            ),
            likely(
                says(
                    "matching python abi tag",
                    matching=r"matching python (?:abi|implementation|version) tag[^.]{0,60}cp31[2-9]t?",
                )
            ),
            likely(
                says(
                    "requires-python", "requires python", "require a different python", matching=r"<\s?3\.1\d"
                )
            ),
            likely(all_of(NOT_SUPPORTED, test(_wheel_of_another_python))),
            possible(all_of(fact("told.python_unsupported"), test(_late_python))),
            hint(
                all_of(
                    NO_MATCHING,
                    says(
                        "python 3.13",
                        "python 3.14",
                        "python 3.12",
                        "python3.13",
                        "python3.14",
                        "python 3.15",
                        "free-thread",
                        "free thread",
                    ),
                )
            ),
            likely(
                says(
                    "python 3.1",
                    "python3.1",
                    "py3.1",
                    matching=(
                        r"(?:does not|doesn't|not yet|no|isn't|not|only)[^.]{0,"
                        r"50}support\w*[^.]{0,20}python ?3\.1\d|python ?3\.1\d[^.]{0,30}(?:is not"
                        r"|isn't|not yet|too new|unsupported)"
                    ),
                )
            ),
        ),
        unless=(
            says("distribution found for torchtriton", "distribution found for triton"),
            fact("python.bits", "32"),
            says("musllinux"),
            test(python_below),
        ),
        steps=(
            Step(
                text="Make an environment with a Python that has wheels:",
                command="uv venv --python 3.12",
                installer=("uv",),
            ),
            Step(
                text="Make an environment with a Python that has wheels (with a Python 3.12 installed):",
                command="python3.12 -m venv .venv && .venv/bin/python -m pip install torch",
                os=("linux", "macos"),
                installer=("pip", "poetry"),
            ),
            Step(
                text="Make an environment with a Python that has wheels (with a Python 3.12 installed):",
                command="py -3.12 -m venv .venv",
                os=("windows",),
                installer=("pip", "poetry"),
            ),
            Step(text="Or with conda:", command="conda create -n torch python=3.12", installer=("conda",)),
        ),
        explains=("wrong-index-url",),
        find="`python -VV`, and the pythons in `torchdoctor resolve --python-version 3.12`.",
    ),
    Rule(
        id="python-too-old",
        layer=Layer.INSTALL,
        severity="error",
        title="This Python is older than the wheels",
        explanation=(
            "Newer torch dropped this Python: 2.5 asks for 3.9, 2.9 for 3.10, 2.15 for 3.11. pip "
            "then says that nothing fits, or takes the last old release without a word."
        ),
        signs=(
            sure(
                says(
                    "ignored the following versions that require a different python version",
                    matching=r"requires-python >=",
                )
            ),
            sure(
                says(
                    "does not satisfy python",
                    "requires a different python",
                    "requires python",
                    matching=(
                        r"does not satisfy python>=|requires a different python: \d\.\d+\.?\d* "
                        r"not in '?\W{0,2}>=|requires python ?'?>= ?3\.\d+"
                    ),
                )
            ),
            sure(test(python_below)),
            likely(
                says(
                    "matching python",
                    matching=r"matching python (?:abi|version|implementation) tag[^.]{0,40}cp3[6-9]\b",
                )
            ),
            likely(
                all_of(
                    NO_MATCHING, fact("python.version", r"2\.7.*|3\.[0-8](?:\..*)?"), no(test(python_above))
                )
            ),
            possible(
                all_of(
                    NO_MATCHING,
                    fact("python.version", r"3\.(?:9|10)(?:\..*)?"),
                    no(FROM_NONE),
                    no(test(only_sources)),
                    no(test(python_above)),
                    no(test(wanted_not_in_index)),
                    no(ON_MACOS),
                )
            ),
        ),
        unless=(
            fact("python.bits", "32"),
            says("musllinux"),
            says("requires-python <3", matching=r"requires-python <3\.\d+\b(?!.{0,200}requires-python >=)"),
        ),
        steps=(
            Step(
                text="Make an environment with a newer Python:",
                command="uv venv --python 3.12",
                installer=("uv",),
            ),
            Step(
                text="Make an environment with a newer Python (with a Python 3.12 installed):",
                command="python3.12 -m venv .venv && .venv/bin/python -m pip install torch",
                os=("linux", "macos"),
                installer=("pip", "poetry"),
            ),
            Step(
                text="Make an environment with a newer Python (with a Python 3.12 installed):",
                command="py -3.12 -m venv .venv",
                os=("windows",),
                installer=("pip", "poetry"),
            ),
            Step(text="Or with conda:", command="conda create -n torch python=3.12", installer=("conda",)),
            Step(text="Or take the last torch for this Python:", command="{any_install}"),
        ),
        explains=("wrong-index-url", "pip-too-old"),
        find="`python -VV` against the Requires-Python of the release.",
    ),
    Rule(
        id="python-32bit",
        layer=Layer.INSTALL,
        severity="error",
        title="This Python is a 32-bit one",
        explanation="There are no 32-bit wheels of torch.",
        signs=(
            sure(all_of(fact("python.bits", "32"), any_of(ANY_NONE, says("torch")))),
            sure(test(tag_wanted(r"win32|i686|linux_armv[67]l"))),
            likely(
                all_of(
                    any_of(ANY_NONE, test(only_sources)),
                    says(
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
            possible(all_of(test(only_sources), ON_WINDOWS)),
            hint(all_of(test(only_sources), ON_WINDOWS, no(test(new_python)))),
            hint(all_of(FROM_NONE, ON_WINDOWS, no(test(new_python)))),
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
            sure(test(tag_wanted(r"win_arm64"))),
            likely(says("win_arm64", "win-arm64")),
            likely(
                all_of(
                    ON_WINDOWS,
                    any_of(
                        fact("arch", "arm64|aarch64"),
                        says("snapdragon", "arm64", "surface pro x", "windows on arm"),
                    ),
                    any_of(ANY_NONE, says("torch")),
                )
            ),
            possible(says("windows on arm", "snapdragon x")),
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
            sure(all_of(fact("libc.name", "musl"), any_of(ANY_NONE, says("torch")))),
            sure(test(tag_wanted(r"musllinux"))),
            possible(
                says(
                    "does not currently provide packages for pypi",
                    "torch-0.1.2.post1.tar.gz",
                    "torch-0.1.2.post2.tar.gz",
                )
            ),
            likely(says("ld-musl", "musllinux", "error relocating")),
            likely(
                says(
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
            sure(says("version `glibc_", "version 'glibc_", matching=r"version [`']glibc_2\.\d+' not found")),
            sure(test(tag_wanted(r"manylinux_2_(?:1\d|2[0-7])_"))),
            likely(all_of(any_of(ANY_NONE, NOT_SUPPORTED), test(_old_glibc))),
            likely(
                all_of(
                    # Where torch could be asked for its GPUs, it loaded.
                    any_of(
                        ANY_NONE,
                        all_of(
                            says("manylinux_2_28", "glibc", "manylinux2014", "importerror", "libc.so.6"),
                            no(fact("cuda.available")),
                        ),
                    ),
                    OLD_SYSTEM,
                    any_of(test(_old_glibc), no(fact("libc.version"))),
                )
            ),
            likely(all_of(NOT_SUPPORTED, says("manylinux_2_28"), no(test(_wheel_of_another_python)))),
            possible(says("glibc_2.")),
        ),
        unless=(says("glibcxx_"), fact("libc.name", "musl")),
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
