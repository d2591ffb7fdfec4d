"""The index and the installer: a wrong index, an old pip, a Python that refuses."""

from __future__ import annotations

from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.diagnose.matchers import (
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
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.no_match import (
    index_unknown,
    new_python,
    only_sources,
    python_above,
    tag_wanted,
    wanted_not_in_index,
    wheel_of_another_system,
)
from torchdoctor.diagnose.rules.symptoms import ANY_NONE, CUDA_INDEX, FROM_NONE, NO_MATCHING, ON_MACOS

__all__ = ["RULES"]


RULES = (
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
            certain(all_of(CUDA_INDEX, ON_MACOS)),
            certain(all_of(predicate(tag_wanted(r"macosx_\d+_\d+_arm64")), contains("+cu", "/cu1"))),
            likely(predicate(wanted_not_in_index)),
            likely(predicate(index_unknown)),
            certain(predicate(wheel_of_another_system)),
            likely(
                all_of(
                    predicate(
                        tag_wanted(r"macosx_\d+_\d+_arm64|linux_aarch64|manylinux_2_\d+_aarch64|win_amd64")
                    ),
                    no(predicate(python_above)),
                )
            ),
            likely(
                all_of(
                    NO_MATCHING,
                    contains(
                        "+cu",
                        "+rocm",
                        "+cpu",
                        matching=(
                            r"no matching distribution found for torch\S*\+(?:cu|rocm|cpu)\S+"
                            r"|satisfies the requirement torch\S*\+"
                        ),
                    ),
                    no(CUDA_INDEX),
                    no(predicate(python_above)),
                )
            ),
            possible(all_of(NO_MATCHING, CUDA_INDEX, no(predicate(only_sources)), no(predicate(new_python)))),
            likely(
                contains(
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
                contains(
                    "extra-index-url",
                    matching=(
                        r"--extra-index-url[^.]{0,200}(?:cpu|pypi|wrong|instead)|(?:use|used"
                        r"|using|should be|change\w*)[^.]{0,30}--index-url"
                    ),
                )
            ),
            likely(
                contains(
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
                    contains(
                        "no matching distribution found for",
                        matching=r"no matching distribution found for (?!torch|pytorch|nvidia|triton)",
                    ),
                )
            ),
        ),
        unless=(
            fact("python.bits", "32"),
            contains("musllinux"),
            contains("certificate_verify_failed"),
            contains("newconnectionerror"),
            contains("proxyerror"),
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
                    fact("pip.version", lambda value: (parse_numeric_version(value) or (99,)) < (20, 3)),
                )
            ),
            likely(
                contains(
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
                    contains(
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
            certain(
                contains(
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
)
