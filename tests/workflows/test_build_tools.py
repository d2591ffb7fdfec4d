"""A build against torch is tried only where its compilers are there and go together."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from torchdoctor.core.system import Completed
from torchdoctor.lock.sdist_contents import SdistContents
from torchdoctor.workflows.build_tools import missing_build_tools
from wheels_index import gcc_refused_from

GCC_12 = "c++ (Debian 12.2.0-14) 12.2.0\nCopyright (C) 2022 Free Software Foundation, Inc."
GCC_14 = "c++ (GCC) 14.1.1 20240507 (Red Hat 14.1.1-1)\nCopyright (C) 2024 Free Software Foundation, Inc."
NVCC_12_4 = "Cuda compilation tools, release 12.4, V12.4.131\nBuild cuda_12.4.r12.4/compiler.34097967_0"


@dataclass
class Machine:
    """Answers commands with what they print; a command that is not listed is missing."""

    programs: dict[str, str]
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, argv, *, timeout=5.0):
        text = self.programs.get(argv[0])
        failure = "missing" if text is None else None
        return Completed(
            argv=tuple(argv), status=0 if text else 127, stdout=text or "", stderr="", failure=failure
        )


def contents(*, cuda=False, compiles=True):
    return SdistContents(compiles=compiles, has_cuda=cuda, needs_torch=True, build_requires=())


@pytest.mark.parametrize(
    ("programs", "variant", "cuda", "missing"),
    [
        ({}, "cpu", False, "C++ compiler"),
        ({"c++": GCC_12}, "cu124", True, "no nvcc"),
        ({"c++": GCC_12, "nvcc": NVCC_12_4}, "cu130", True, "torch of CUDA 13.0"),
        ({"c++": GCC_14, "nvcc": NVCC_12_4}, "cu126", True, "this is gcc 14"),
    ],
)
def test_what_is_missing_is_named(programs, variant, cuda, missing):
    """Before anything is fetched for the build."""
    found = missing_build_tools(Machine(programs), variant, contents(cuda=cuda))
    assert any(missing in text for text in found), found


@pytest.mark.parametrize(
    ("programs", "variant", "cuda"),
    [
        ({"c++": GCC_12, "nvcc": NVCC_12_4}, "cu126", True),
        ({"g++": GCC_14}, "cpu", True),
        ({"c++": GCC_14}, "cu126", False),
    ],
)
def test_what_goes_together_is_enough(programs, variant, cuda):
    """Minor versions of CUDA may differ; a CPU build needs no nvcc."""
    assert missing_build_tools(Machine(programs), variant, contents(cuda=cuda)) == ()


def test_a_package_that_compiles_nothing_needs_nothing():
    """Some only import torch in setup.py."""
    assert missing_build_tools(Machine({}), "cu126", contents(compiles=False)) == ()


def test_an_unlisted_cuda_has_no_known_limit():
    """Unknown is not refused."""
    assert gcc_refused_from((13, 9)) is None
