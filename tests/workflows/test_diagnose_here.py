"""A text joined with this machine: what of the machine counts, and what is said of another one."""

from __future__ import annotations

import pytest

from torchdoctor.diagnose import Evidence, Observation
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.workflows.diagnose_here import join_evidence

MACHINE = {
    "os.system": "linux",
    "arch": "x86_64",
    "libc.version": "2.35",
    "nvidia.driver": "550.54.15",
    "nvidia.gpu": "NVIDIA GeForce RTX 4090",
    "python.version": "3.12.4",
    "torch.version": "2.9.1+cpu",
    "package.numpy": "2.1.0",
    "env.CUDA_VISIBLE_DEVICES": "0",
}


def seen(**other):
    """What this machine shows."""
    facts = {**MACHINE, **{name.replace("__", "."): value for name, value in other.items()}}
    return Evidence(
        facts=tuple(
            Observation(name=name, value=value, source=name)
            for name, value in facts.items()
            if value is not None
        )
    )


def test_a_text_of_this_machine_gains_all_of_it():
    """What the text leaves out is known; what it says stands first."""
    both = join_evidence(parse_report("I have an RTX 4090 and python 3.12, torch does not see it"), seen())
    assert (both.joined, both.contradictions) == ("all", ())
    assert both.evidence.first("torch.version") == "2.9.1+cpu"
    assert both.evidence.first("python.version") == "3.12"


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Windows 11, torch.cuda.is_available() returns False", "os.system"),
        ("Ubuntu, NVIDIA GeForce RTX 3060", "gpu"),
        ("| NVIDIA-SMI 535.104.05   Driver Version: 535.104.05   CUDA Version: 12.2 |", "nvidia.driver"),
    ],
)
def test_a_text_of_another_machine_is_read_alone(text, fact):
    """Nothing of this one is added, and the difference is named."""
    both = join_evidence(parse_report(text), seen())
    assert both.joined == "nothing"
    assert [row.fact for row in both.contradictions] == [fact]
    assert both.evidence.first("package.numpy") is None


def test_a_gpu_that_is_not_here_is_of_another_machine():
    """It says that there is none here."""
    bare = seen(nvidia__gpu=None, nvidia__driver=None)
    both = join_evidence(parse_report("RTX 3060 is not used"), bare)
    assert str(both.contradictions[0]) == "GPU: the text says RTX 3060, here is none"


def test_a_text_of_another_environment_gains_the_machine_alone():
    """The driver counts, the packages and variables here do not."""
    both = join_evidence(parse_report("torch.__version__ 2.4.0+cu121, it fails"), seen())
    assert both.joined == "machine"
    assert both.evidence.first("nvidia.driver") == "550.54.15"
    assert both.evidence.first("package.numpy") is None
    assert both.evidence.first("env.CUDA_VISIBLE_DEVICES") is None


@pytest.mark.parametrize("name", ["NVIDIA GeForce RTX 4090", "RTX 4090", "GPU 0: NVIDIA GeForce RTX 4090"])
def test_names_of_one_gpu_are_one(name):
    """With or without the maker's words."""
    assert join_evidence(parse_report(f"GPU models and configuration: {name}"), seen()).joined == "all"
