"""Macs: an Intel processor, or an Intel Python on Apple silicon."""

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
from torchdoctor.diagnose.rules.no_match import early_wheel_refused, listed_for_intel_mac, tag_wanted
from torchdoctor.diagnose.rules.symptoms import ANY_NONE, ON_MACOS

__all__ = ["RULES"]


RULES = (
    Rule(
        id="macos-intel-unsupported",
        layer=Layer.INSTALL,
        severity="error",
        title="An Intel Mac: torch 2.2.2 was the last release for it",
        explanation="PyTorch builds for macOS are for Apple silicon since 2.3.",
        signs=(
            certain(all_of(predicate(listed_for_intel_mac), no(fact("chip", "apple")))),
            certain(predicate(tag_wanted(r"macosx_\d+_\d+_x86_64"))),
            likely(all_of(ANY_NONE, fact("chip", "intel-mac"), no(fact("chip", "apple")))),
            # A torch that could be asked for its GPUs is one that is there, and runs.
            likely(
                all_of(
                    ON_MACOS,
                    fact("chip", "intel-mac"),
                    no(fact("chip", "apple")),
                    no(all_of(fact("torch.version"), fact("cuda.available"))),
                    contains("torch"),
                )
            ),
            possible(all_of(ANY_NONE, ON_MACOS, fact("arch", "x86_64"), no(fact("chip", "apple")))),
            possible(
                contains(
                    "wheel(s) were skipped",
                    matching=r"wheel\(s\) were skipped as your project's environment does not support",
                )
            ),
        ),
        unless=(contains("rosetta"), contains("sysctl.proc_translated: 1"), predicate(early_wheel_refused)),
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
            certain(
                contains(
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
                        fact("arch", "x86_64"),
                        all_of(contains("x86_64"), no(contains("following platforms"))),
                        contains("rosetta"),
                        predicate(listed_for_intel_mac),
                    ),
                )
            ),
            likely(contains("rosetta")),
            likely(
                all_of(
                    contains("mpsaccelerator not available", "is_built"),
                    any_of(fact("mps.built", "false"), contains("mpsaccelerator not available")),
                )
            ),
            certain(contains("proc_translated", matching=r"proc_translated\W{0,3}1")),
            likely(contains("osx-64", matching=r"osx-64")),
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
)
