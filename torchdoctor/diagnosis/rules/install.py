"""The installation itself: no build for this Python or system, no room, no permission, a broken file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnosis.knowledge import parts, python_of
from torchdoctor.diagnosis.rule import Layer, Rule, Step
from torchdoctor.diagnosis.rules.no_match import (
    listed_for_intel_mac,
    only_sources,
    python_above,
    python_below,
    tag_wanted,
    wanted_not_in_index,
)
from torchdoctor.diagnosis.rules.symptoms import NO_MATCHING, NO_SPACE, ON_MACOS, ON_WINDOWS
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

FROM_NONE = says("(from versions: none)", "from versions: none", "from versions: )", "from versions:)")
NOT_SUPPORTED = says("is not a supported wheel on this platform")
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
UV_NONE = says(
    "no wheels with a matching",
    "no solution found",
    "doesn't have a wheel for the current platform",
    "does not have a wheel for the current platform",
    "doesn't have a source distribution or wheel",
)
ANY_NONE = any_of(
    NO_MATCHING,
    UV_NONE,
    NOT_SUPPORTED,
    says("unable to find installation candidates", "packagesnotfounderror", "unsatisfiableerror"),
)
CUDA_INDEX = fact("index", r"https?://[^ ]*/whl/(?:nightly/|test/)?(?:cu\d+|rocm[\d.]+|xpu)/?.*")
NO_ROOM = NO_SPACE
TMP = says(
    "/tmp",
    "tmpdir",
    "tmpfs",
    "temp",
    matching=r"(?:/tmp\b|tmpdir|tmpfs|/var/tmp|temp(?:orary)? (?:dir|folder|space))",
)
# Percent in use from which a file system counts as full.
FULL = 95
HASHES = says("do not match the hashes", "hash mismatch", "hash mismatch for")


def _new_python(case: CaseFile) -> Seen | None:
    """Nothing was found and the Python is of the newest, or its free-threaded form."""
    python = python_of(case)
    label = case.value("python.version") or ""
    if python is None or case.value("python.bits") == "32":
        return None
    if label.endswith("t") or case.value("python.free_threaded") or python >= (3, 12):
        return Seen(evidence=(source(case.of("python.version")[0]),))
    return None


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


def _got_again(case: CaseFile) -> Seen | None:
    """The same wrong hash on two tries."""
    got = re.findall(r"\bgot\s+([0-9a-f]{16,64})", case.text.lower)
    same = [value for value in got if got.count(value) > 1]
    return Seen() if same else None


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
            likely(all_of(any_of(FROM_NONE, UV_NONE, test(only_sources)), test(_new_python), no(ON_MACOS))),
            likely(
                all_of(
                    any_of(FROM_NONE, UV_NONE, test(only_sources)),
                    test(_new_python),
                    ON_MACOS,
                    no(CUDA_INDEX),
                    no(fact("chip", "intel-mac")),
                )
            ),
            possible(
                all_of(
                    any_of(FROM_NONE, test(only_sources)),
                    no(test(_new_python)),
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
            hint(all_of(test(only_sources), ON_WINDOWS, no(test(_new_python)))),
            hint(all_of(FROM_NONE, ON_WINDOWS, no(test(_new_python)))),
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
                    any_of(
                        ANY_NONE, says("manylinux_2_28", "glibc", "manylinux2014", "importerror", "libc.so.6")
                    ),
                    OLD_SYSTEM,
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
    Rule(
        id="macos-intel-unsupported",
        layer=Layer.INSTALL,
        severity="error",
        title="An Intel Mac: torch 2.2.2 was the last release for it",
        explanation="PyTorch builds for macOS are for Apple silicon since 2.3.",
        signs=(
            sure(all_of(test(listed_for_intel_mac), no(fact("chip", "apple")))),
            sure(test(tag_wanted(r"macosx_\d+_\d+_x86_64"))),
            likely(all_of(ANY_NONE, fact("chip", "intel-mac"), no(fact("chip", "apple")))),
            likely(all_of(ON_MACOS, fact("chip", "intel-mac"), no(fact("chip", "apple")), says("torch"))),
            possible(all_of(ANY_NONE, ON_MACOS, fact("arch", "x86_64"), no(fact("chip", "apple")))),
            possible(
                says(
                    "wheel(s) were skipped",
                    matching=r"wheel\(s\) were skipped as your project's environment does not support",
                )
            ),
        ),
        unless=(says("rosetta"), says("sysctl.proc_translated: 1")),
        steps=(
            Step(
                text="Take the last release, with the NumPy that it was built for (Python 3.12 or older):",
                command="{pip_install} torch==2.2.2 torchvision==0.17.2 torchaudio==2.2.2 'numpy<2'",
            ),
            Step(
                text="Or conda-forge's build, which is newer:", command="conda install -c conda-forge pytorch"
            ),
        ),
        explains=("python-too-new", "python-too-old", "wrong-index-url", "numpy2-abi"),
        os=("macos",),
        find="`sysctl -n hw.optional.arm64` prints no 1.",
    ),
    Rule(
        id="macos-rosetta-python",
        layer=Layer.INSTALL,
        severity="error",
        title="An Intel Python on Apple silicon (Rosetta)",
        explanation=(
            "The interpreter or conda is the Intel build. It gets the Intel wheels, which end at "
            "2.2.2 and have no MPS."
        ),
        signs=(
            sure(
                says(
                    "incompatible architecture",
                    matching=(
                        r"incompatible architecture[^\n]{0,40}(?:x86_64[^\n]{0,30}arm64"
                        r"|arm64[^\n]{0,30}x86_64)"
                    ),
                )
            ),
            likely(
                all_of(
                    fact("chip", "apple"),
                    ON_MACOS,
                    any_of(
                        fact("arch", "x86_64"), says("x86_64"), says("rosetta"), test(listed_for_intel_mac)
                    ),
                )
            ),
            likely(says("rosetta")),
            likely(
                all_of(
                    says("mpsaccelerator not available", "is_built"),
                    any_of(fact("mps.built", "false"), says("mpsaccelerator not available")),
                )
            ),
            sure(says("proc_translated", matching=r"proc_translated\W{0,3}1")),
            likely(says("osx-64", matching=r"osx-64")),
        ),
        steps=(
            Step(
                text="Install a Python for arm64 and make the environment again with it:",
                command="uv venv --python cpython-3.12-macos-aarch64",
            ),
            Step(
                text="With conda take the arm64 Miniforge:",
                command="CONDA_SUBDIR=osx-arm64 conda create -n torch python=3.12",
                installer=("conda",),
            ),
        ),
        explains=("macos-intel-unsupported", "mps-unavailable", "python-too-new", "wrong-index-url"),
        os=("macos",),
        find='`python -c "import platform; print(platform.machine())"` prints x86_64 on an M1 or newer.',
    ),
    Rule(
        id="wrong-index-url",
        layer=Layer.INSTALL,
        severity="error",
        title="The index does not go with this system or the version asked for",
        explanation=(
            "Each index of PyTorch holds one kind of build: there are no CUDA builds for macOS, "
            "old versions are not in new indexes, and a version with +cuXXX is on PyTorch's "
            "indexes alone. With --extra-index-url pip takes the highest version of either."
        ),
        signs=(
            sure(all_of(CUDA_INDEX, ON_MACOS)),
            sure(all_of(test(tag_wanted(r"macosx_\d+_\d+_arm64")), says("+cu", "/cu1"))),
            likely(test(wanted_not_in_index)),
            likely(
                all_of(
                    test(tag_wanted(r"macosx_\d+_\d+_arm64|linux_aarch64|manylinux_2_\d+_aarch64|win_amd64")),
                    no(test(python_above)),
                )
            ),
            likely(
                all_of(
                    NO_MATCHING,
                    says(
                        "+cu",
                        "+rocm",
                        "+cpu",
                        matching=(
                            r"no matching distribution found for torch\S*\+(?:cu|rocm|cpu)\S+"
                            r"|satisfies the requirement torch\S*\+"
                        ),
                    ),
                    no(CUDA_INDEX),
                    no(test(python_above)),
                )
            ),
            possible(all_of(NO_MATCHING, CUDA_INDEX, no(test(only_sources)), no(test(_new_python)))),
            likely(
                says(
                    "torch was found on",
                    "was found on https://download.pytorch.org",
                    "first-index",
                    "unsafe-best-match",
                    matching=(
                        r"was found on https?://\S+,? but not at the requested version|first "
                        r"index that contains"
                    ),
                )
            ),
            likely(
                says(
                    "extra-index-url",
                    matching=(
                        r"--extra-index-url[^.]{0,200}(?:cpu|pypi|wrong|instead)|(?:use|used"
                        r"|using|should be|change\w*)[^.]{0,30}--index-url"
                    ),
                )
            ),
            likely(
                says(
                    "403",
                    "404",
                    "forbidden",
                    matching=(
                        r"(?:40[34]|forbidden)[^.\n]{0,120}download\.pytorch\.org"
                        r"|download\.pytorch\.org[^\n]{0,120}(?:40[34]|forbidden)"
                    ),
                )
            ),
            likely(
                all_of(
                    CUDA_INDEX,
                    says(
                        "no matching distribution found for",
                        matching=r"no matching distribution found for (?!torch|pytorch|nvidia|triton)",
                    ),
                )
            ),
        ),
        unless=(
            fact("python.bits", "32"),
            says("musllinux"),
            says("certificate_verify_failed"),
            says("newconnectionerror"),
            says("proxyerror"),
        ),
        steps=(
            Step(
                text="Use the index made for this machine:",
                command="{any_install}",
                otherwise=Step(
                    text="Let torchdoctor name the index for this machine:",
                    command="torchdoctor resolve --format pip",
                ),
            ),
            Step(
                text="On macOS there is none: the wheels are on PyPI.",
                command="python -m pip install torch torchvision torchaudio",
                os=("macos",),
            ),
            Step(
                text=(
                    "Give it as --index-url; packages that are not PyTorch's are installed by a "
                    "second command from PyPI."
                )
            ),
        ),
        find="`python -m pip config list`, and the line `Looking in indexes:` of the log.",
    ),
    Rule(
        id="pip-too-old",
        layer=Layer.INSTALL,
        severity="error",
        title="pip is too old for the wheels' tags",
        explanation=(
            "An old pip does not know the newer platform tags (manylinux2014, manylinux_2_28, "
            "macosx_11 and later) and passes over wheels that would fit."
        ),
        signs=(
            likely(
                all_of(
                    any_of(ANY_NONE, FROM_NONE),
                    fact("pip.version", lambda value: (parts(value) or (99,)) < (20, 3)),
                )
            ),
            likely(
                says(
                    "upgrade pip",
                    "upgrading pip",
                    "old pip",
                    "pip upgrade",
                    "update pip",
                    "updating pip",
                    "pip install --upgrade pip",
                    "pip is too old",
                    "old version of pip",
                    "outdated pip",
                    matching=(
                        r"(?:upgrad\w*|updat\w*) (?:your |the |my )?pip\b[^.]{0,60}(?:fix|solv"
                        r"|work|help|resolv|manylinux)|(?:fix|solv|work|help|resolv)\w*[^.]{0,"
                        r"60}(?:upgrad\w*|updat\w*) (?:your |the |my )?pip\b|(?:old"
                        r"|outdated)[^.]{0,14}(?:version of )?pip\b|pip[^.]{0,20}too old"
                    ),
                )
            ),
            hint(
                all_of(
                    any_of(ANY_NONE, FROM_NONE),
                    says(
                        "you should consider upgrading via the",
                        "a newer version of pip",
                        "you are using pip version",
                    ),
                )
            ),
        ),
        steps=(Step(text="Update pip in the environment:", command="python -m pip install --upgrade pip"),),
        explains=("wrong-index-url", "glibc-too-old"),
        find="`python -m pip --version`; `python -m pip debug --verbose` lists the tags that it knows.",
    ),
    Rule(
        id="externally-managed-python",
        layer=Layer.INSTALL,
        severity="error",
        title="This Python belongs to the system, which forbids pip to install into it",
        explanation=(
            "Debian, Ubuntu, Fedora, Homebrew and others mark their Python as managed (PEP 668). "
            "Its packages are the system's own; yours go into an environment."
        ),
        signs=(
            sure(
                says(
                    "externally-managed-environment",
                    "externally managed",
                    "this environment is externally managed",
                    "pep 668",
                )
            ),
        ),
        steps=(
            Step(
                text="Make an environment, and install into it:",
                command="python3 -m venv .venv && .venv/bin/python -m pip install torch",
            ),
            Step(
                text="If `venv` is missing (Debian, Ubuntu):",
                command="sudo apt install python3-venv",
                where="admin",
                os=("linux",),
            ),
        ),
        os=("linux", "macos"),
        find="A file EXTERNALLY-MANAGED in the folder of the standard library.",
    ),
    Rule(
        id="pip-cache-stale",
        layer=Layer.INSTALL,
        severity="error",
        title="pip takes an old or broken wheel from its cache",
        explanation=(
            "A wheel that was cut short, or was of another build, lies in the cache and is taken "
            "again each time."
        ),
        signs=(
            likely(
                all_of(
                    says("using cached"),
                    any_of(
                        HASHES,
                        says(
                            "cpu",
                            "+cpu",
                            "badzipfile",
                            "bad magic",
                            "not a zip",
                            "invalid wheel",
                            "wrong version",
                            "same version",
                            "zlib",
                            "corrupt",
                        ),
                        says("is not a zip file"),
                    ),
                )
            ),
            likely(
                says(
                    "no-cache-dir",
                    "pip cache purge",
                    "pip cache remove",
                    "cache purge",
                    "clear the cache",
                    "clear pip cache",
                    "clearing the cache",
                    "uv cache clean",
                    matching=(
                        r"(?:--no-cache-dir|pip cache (?:purge|remove)|clear\w* (?:the |my "
                        r")?(?:pip )?cache|uv cache clean)[^.]{0,60}(?:fix|solv|work|help|resolv)"
                        r"|(?:fix|solv|work|help|resolv)\w*[^.]{0,60}(?:--no-cache-dir|pip cache "
                        r"(?:purge|remove)|clear\w* (?:the |my )?(?:pip )?cache|uv cache clean)"
                    ),
                )
            ),
            hint(says("using cached torch")),
            likely(
                says(
                    "badzipfile",
                    "is not a zip file",
                    "error -3 while decompressing",
                    "bad crc-32",
                    "has an invalid wheel",
                    matching=r"badzipfile|not a zip file|error -3 while|bad crc-32|invalid wheel",
                )
            ),
        ),
        unless=(says("undefined symbol"),),
        steps=(
            Step(
                text="Take torch out of the cache and install again:",
                command=(
                    "python -m pip cache remove 'torch*' && python -m pip install --no-cache-dir "
                    "--force-reinstall torch"
                ),
                installer=("pip", "conda", "poetry"),
                os=("linux", "macos"),
            ),
            Step(
                text="Take torch out of the cache, then install again with --no-cache-dir:",
                command='python -m pip cache remove "torch*"',
                installer=("pip", "conda", "poetry"),
                os=("windows",),
            ),
            Step(text="Take torch out of uv's cache:", command="uv cache clean torch", installer=("uv",)),
        ),
        explains=("download-corrupt-hash", "cpu-only-wheel"),
        find="The log says `Using cached torch-…`.",
    ),
    Rule(
        id="download-corrupt-hash",
        layer=Layer.INSTALL,
        severity="error",
        title="The wheel was cut short on the way",
        explanation=(
            "The download ended early, and pip reports what it got as a wrong hash: another one on each try."
        ),
        signs=(
            likely(all_of(HASHES, no(test(_got_again)))),
            hint(
                all_of(
                    HASHES,
                    says(
                        "incompleteread",
                        "connection broken",
                        "interrupted",
                        "timeout",
                        "slow",
                        "proxy",
                        "mirror",
                    ),
                )
            ),
        ),
        unless=(says("nightly", matching=r"nightly[^.]{0,300}(?:same|every time|each time)"),),
        steps=(
            Step(
                text="Empty the cache and download again:",
                command="python -m pip cache purge && python -m pip install --no-cache-dir torch",
            ),
            Step(
                text=(
                    "On a bad line let pip resume (25.1 or newer), or take a nearer mirror; "
                    "never turn the check off."
                ),
                command="python -m pip install --no-cache-dir --resume-retries 10 --timeout 120 torch",
            ),
        ),
        explains=("download-timeout",),
        find=(
            "`Got` differs from try to try; `sha256sum` of a file that a resuming client fetched "
            "equals `Expected`."
        ),
    ),
    Rule(
        id="index-hash-wrong",
        layer=Layer.INSTALL,
        severity="error",
        title="The index lists a hash that is not the file's",
        explanation=(
            "Page and file are out of step on the server, as seen with nightly builds. The wrong "
            "hash is the same on every try and in every network."
        ),
        signs=(
            likely(all_of(HASHES, test(_got_again))),
            likely(all_of(HASHES, says("nightly", "whl/test"))),
            likely(
                all_of(
                    HASHES,
                    says(
                        "same",
                        "every",
                        "consistent",
                        "multiple",
                        "other people",
                        "everyone",
                        "different machine",
                        "reproduc",
                        "index",
                        matching=(
                            r"(?:same|identical)[^.]{0,40}(?:hash|got|every|each|machines?"
                            r"|network|result)|(?:hash|sha256)[^.]{0,40}(?:on the index|in the "
                            r"index|of the index|listed|wrong|outdated)|(?:several|different"
                            r"|multiple|other|two) (?:machines|networks|people|computers|users)"
                        ),
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text=(
                    "Wait for the server to be put right, or take the build of another day or "
                    "version. Do not turn the check off."
                )
            ),
        ),
        explains=("download-corrupt-hash", "pip-cache-stale"),
        find="`Got` is the same on every try, also from another network.",
    ),
    Rule(
        id="tmp-too-small",
        layer=Layer.SYSTEM,
        severity="error",
        title="The folder for temporary files is too small",
        explanation=(
            "pip unpacks in TMPDIR, usually /tmp, which is often a small memory file system, "
            "while the disk has room."
        ),
        signs=(
            sure(
                all_of(
                    NO_ROOM,
                    fact(
                        "disk.used",
                        lambda value: int(value.split()[0]) >= FULL and value.endswith(("/tmp", "/var/tmp")),
                    ),
                )
            ),
            likely(
                all_of(
                    NO_ROOM,
                    fact("disk.used", r"[1-8]?\d /.*"),
                    no(fact("disk.used", r"(?:9[5-9]|100) /(?!tmp|dev|run|snap|boot).*")),
                )
            ),
            likely(all_of(NO_ROOM, TMP)),
            likely(
                all_of(
                    NO_ROOM,
                    says(
                        "plenty",
                        "enough space",
                        "gb free",
                        "free space",
                        "space left",
                        "there is space",
                        "lots of",
                        matching=(
                            r"(?:plenty|enough|lots|\d+ ?[gt]i?b?)[^.]{0,30}(?:free|available"
                            r"|left|space|room)|(?:free|available)[^.]{0,20}\d+ ?[gt]b?"
                        ),
                    ),
                )
            ),
            likely(says("tmpdir", matching=r"tmpdir[^.]{0,100}(?:fix|solv|work|help|pip|install)")),
        ),
        steps=(
            Step(
                text="Give pip another folder for it:",
                command='mkdir -p "$HOME/tmp" && TMPDIR="$HOME/tmp" python -m pip install torch',
                os=("linux", "macos"),
            ),
        ),
        explains=("disk-full",),
        os=("linux",),
        find="`df -h /tmp` against the wheel's size, several GB with its libraries.",
    ),
    Rule(
        id="disk-full",
        layer=Layer.SYSTEM,
        severity="error",
        title="The disk, or the quota, is full",
        explanation="A CUDA build and its libraries need 5 to 8 GB unpacked, and the cache as much again.",
        signs=(likely(NO_ROOM),),
        steps=(
            Step(text="See what is full, inodes too:", command="df -h . && df -i .", os=("linux", "macos")),
            Step(text="Empty pip's cache:", command="python -m pip cache purge"),
            Step(text="Or put the environment and the cache (PIP_CACHE_DIR) on a bigger disk."),
        ),
        explains=("partial-install",),
        find=(
            "`df -h` of the environment, of the cache and of the temporary folder; `quota` on a "
            "shared machine."
        ),
    ),
    Rule(
        id="pip-killed-oom",
        layer=Layer.SYSTEM,
        severity="error",
        title="pip was killed: not enough memory",
        explanation=(
            "An old pip reads the whole wheel into memory to put it into its cache; on a small "
            "machine or container the kernel ends it."
        ),
        signs=(
            likely(
                says(
                    "killed",
                    matching=(
                        r"被 ?killed|内存(?:占用过高|不足)[^.]{0,60}killed|killed[^.]{0,60}内存"
                        r"|memory[^.]{0,80}\bkilled\b[^.]{0,80}(?:install|pip|download)"
                        r"|(?:install|pip|download)\w*[^.]{0,80}\bkilled\b"
                    ),
                )
            ),
            likely(
                says(
                    "killed",
                    matching=(
                        r"(?:pip|collecting|downloading|installing|torch|whl|━|█|100%|\|)[^.]{0,"
                        r"200}\bkilled\b(?! by signal: bus)"
                    ),
                )
            ),
            sure(
                says(
                    "out of memory: kill",
                    "oom-kill",
                    "oom_kill",
                    "oomkilled",
                    matching=r"(?:kill(?:ed)? process \d+ \((?:pip|python|uv)|pip|oomkilled)",
                )
            ),
            sure(
                says(
                    "memoryerror",
                    matching=r"(?:pip|cachecontrol|_vendor|install)[^\n]{0,600}memoryerror|memoryerror",
                )
            ),
            likely(
                says(
                    "exit code 137",
                    "exit code: 137",
                    "returned a non-zero code: 137",
                    "signal: killed",
                    matching=r"137|signal: killed",
                )
            ),
        ),
        unless=(says("bus error"), says("dataloader worker"), says("cuda out of memory"), NO_SPACE),
        steps=(
            Step(
                text="Install without the cache, which needs far less memory, with a current pip:",
                command="python -m pip install --upgrade pip && python -m pip install --no-cache-dir torch",
            ),
            Step(text="Or give the machine or container more memory, or swap.", where="admin"),
        ),
        os=("linux",),
        find="`dmesg | grep -i 'killed process'`, or memory.events of the container's cgroup.",
    ),
    Rule(
        id="partial-install",
        layer=Layer.INSTALL,
        severity="error",
        title="An installation stopped half-way",
        explanation=(
            "An install or uninstall did not end: folders begin with ~, files are missing, or "
            "two dist-info folders lie side by side."
        ),
        signs=(
            likely(
                says(
                    "ignoring invalid distribution",
                    matching=r"ignoring invalid distribution [-~]\S{0,6}(?:orch|rch)",
                )
            ),
            likely(
                says(
                    "record file was not found",
                    "no record file",
                    "record file not found",
                    "uninstall-no-record-file",
                    "cannot uninstall torch",
                )
            ),
            likely(
                says(
                    "no module named 'torch._c'",
                    "no module named torch._c",
                    "no module named 'torch.",
                    matching=(
                        r"no module named '?torch\.(?:_c\b|version|_utils|nn|cuda|autograd"
                        r"|_tensor|testing|_\w+)"
                    ),
                )
            ),
            likely(
                says(
                    "failed to load pytorch c extensions",
                    "cannot import name '_c'",
                    "module 'torch' has no attribute '__version__'",
                    "has no attribute 'version'",
                    "cannot import name 'tensor' from 'torch' (unknown location)",
                    matching=r"c extensions|unknown location|attribute '(?:__version__|version)'|_c",
                )
            ),
            possible(
                says(
                    "cannot import name",
                    matching=(
                        r"cannot import name '\w+' from (?:partially initialized module "
                        r")?'torch[\w.]*'"
                    ),
                )
            ),
            likely(
                all_of(
                    says("interrupted", "ctrl-c", "ctrl+c", "half-way", "killed", "partial", "incomplete"),
                    says("no module named 'torch", "cannot import name", "importerror", "ignoring invalid"),
                )
            ),
            hint(says("ignoring invalid distribution")),
        ),
        unless=(
            says("winerror 5]"),
            says("access is denied"),
            says("拒绝访问"),
            says("partially initialized module 'torch' has no attribute"),
        ),
        steps=(
            Step(
                text=(
                    "In the environment's site-packages remove every folder that begins with "
                    "~orch, torch or torch-, then:"
                ),
                command="{pip_reinstall} --no-deps torch=={torch} --index-url {index_url}",
                otherwise=Step(
                    text=(
                        "In the environment's site-packages remove every folder that begins with "
                        "~orch, torch or torch-, then:"
                    ),
                    command="{any_install}",
                    otherwise=Step(
                        text=(
                            "In the environment's site-packages remove every folder that begins "
                            "with ~orch, torch or torch-, then:"
                        ),
                        command="{pip_reinstall} torch",
                    ),
                ),
            ),
            Step(text="Or, simplest, make a new environment."),
        ),
        explains=("duplicate-torch-copies",),
        find="`ls` of site-packages: ~orch, torch-*.dist-info; RECORD against the files.",
    ),
)
