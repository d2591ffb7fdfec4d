"""Wheels by URL, for this machine or another one."""

from __future__ import annotations

import pytest
from packaging.tags import Tag

from torchdoctor.errors import NoSolution
from torchdoctor.requirements import AskedRequirement
from torchdoctor.requirements.wheel_urls import refuse_wheels_of_other_machines, wheel_tie

TAGS = (Tag("cp312", "cp312", "manylinux_2_28_x86_64"), Tag("py3", "none", "any"))


def asked(line: str) -> AskedRequirement:
    return AskedRequirement(line=line, name=line.partition(" ")[0], origin="requirements.txt:3")


def test_a_wheel_for_windows_is_refused_on_linux() -> None:
    """The error names the line, the file and what it is for."""
    link = asked("x @ https://example.org/x-1.0-cp312-cp312-win_amd64.whl")
    with pytest.raises(NoSolution, match=r"^requirements.txt:3: x-1\.0.*cp312-cp312-win_amd64") as caught:
        refuse_wheels_of_other_machines([link], TAGS)
    assert caught.value.code == "wheel-of-other-machine"


def test_wheels_for_the_machine_and_other_requirements_pass() -> None:
    """A wheel of one of the machine's tags is fine, and so is everything that is no wheel."""
    lines = ("x @ https://example.org/x-1.0-py3-none-any.whl", "y>=1", "z @ git+https://example.org/z.git")
    refuse_wheels_of_other_machines(map(asked, lines), TAGS)


@pytest.mark.parametrize(
    ("filename", "torch", "accelerator"),
    [
        # https://github.com/turboderp-org/exllamav3/releases/tag/v0.0.28
        ("exllamav3-0.0.28%2Bcu128.torch2.9.0-cp313-cp313-win_amd64.whl", "==2.9.*", "cuda12"),
        # https://github.com/kingbri1/flash-attention/releases/tag/v2.8.3
        ("flash_attn-2.8.3+cu128torch2.9.0cxx11abiFALSE-cp313-cp313-win_amd64.whl", "==2.9.*", "cuda12"),
        # https://github.com/Dao-AILab/flash-attention/releases/tag/v2.8.3
        ("flash_attn-2.8.3+cu12torch2.8cxx11abiTRUE-cp312-cp312-linux_x86_64.whl", "==2.8.*", "cuda12"),
        # https://data.pyg.org/whl/torch-2.10.0+cu130.html
        ("torch_scatter-2.1.2+pt210cu130-cp312-cp312-linux_x86_64.whl", "==2.10.*", "cuda13"),
        ("torch_scatter-2.1.2+pt29cpu-cp312-cp312-linux_x86_64.whl", "==2.9.*", "cpu"),
        ("one-1.0+torch2.8-cp312-cp312-linux_x86_64.whl", "==2.8.*", None),
        ("one-1.0+rocm6.4.torch2.8-cp312-cp312-linux_x86_64.whl", "==2.8.*", "rocm"),
    ],
)
def test_the_name_of_a_wheel_says_which_torch_it_is_for(
    filename: str, torch: str, accelerator: str | None
) -> None:
    """Projects that build for several torch releases write them into the local version."""
    tie = wheel_tie(f"x @ https://example.org/{filename}")
    assert tie is not None
    assert (str(tie.torch), tie.accelerator) == (torch, accelerator)
    assert "torch 2." in tie.text


@pytest.mark.parametrize(
    "line",
    [
        "x>=1",
        "x @ git+https://example.org/x.git",
        # It links CUDA's libraries and no torch: https://github.com/oobabooga/llama-cpp-binaries/releases/tag/v0.106.0
        "x @ https://example.org/llama_cpp_binaries-0.106.0+cu124-py3-none-win_amd64.whl",
        "x @ https://example.org/x-1.0-py3-none-any.whl",
        "x @ https://example.org/x-1.0+pt2-py3-none-any.whl",
        "x @ https://example.org/torch2.9.whl",
    ],
)
def test_other_requirements_say_nothing_of_torch(line: str) -> None:
    """A build of CUDA alone goes with any torch."""
    assert wheel_tie(line) is None
