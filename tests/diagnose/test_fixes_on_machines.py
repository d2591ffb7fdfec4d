"""Every fix on recorded machines: it can be done there, and is right for the GPU, the system and the project."""

from __future__ import annotations

import itertools
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from torchdoctor.diagnose import Evidence, Observation, diagnose_text
from torchdoctor.diagnose.catalogue import all_failures
from torchdoctor.diagnose.fix_lines import fix_lines

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "fixes.toml").read_text("utf-8"))["case"]
SYSTEMS = {
    "linux": {"os.system": "linux", "arch": "x86_64", "libc.version": "2.35"},
    "windows": {"os.system": "windows", "arch": "x86_64"},
    "macos": {"os.system": "macos", "chip": "apple"},
    "unknown": {},
}
GPUS = {
    "nvidia": {"nvidia.gpu": "NVIDIA GeForce RTX 5090", "nvidia.driver": "580.95.05", "gpu.vendor": "nvidia"},
    "pascal": {"nvidia.gpu": "Tesla P40", "nvidia.driver": "550.90.07", "gpu.vendor": "nvidia"},
    "amd": {"amd.gfx": "gfx1201", "gpu.vendor": "amd"},
    "vega": {"amd.gfx": "gfx900", "gpu.vendor": "amd"},
    "rdna2": {"amd.gfx": "gfx1032", "gpu.vendor": "amd"},
    "intel": {"gpu.vendor": "intel"},
    "none": {},
}
PLACES = {
    "plain": {},
    "container": {"container": "docker", "image": "pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime"},
    "vllm": {
        "container": "docker",
        "image": "vllm/vllm-openai:v0.9.0",
        "image.with_torch": "vllm/vllm-openai:v0.9.0",
    },
    "wsl": {"wsl": "true"},
    "conda": {"installer": "conda", "conda": "true"},
    "uv": {"installer": "uv"},
    "pinned": {"project.pin": "true", "asked.torch": "2.7.1"},
}
TORCHES = {
    "cu128": {"torch.version": "2.9.1+cu128", "torch.build": "cu128", "python.version": "3.12.3"},
    "cpu": {"torch.version": "2.9.1+cpu", "torch.build": "cpu", "python.version": "3.12.3"},
    "none": {"python.version": "3.13.1"},
}
MACHINES = [
    names
    for names in itertools.product(SYSTEMS, GPUS, PLACES, TORCHES)
    # Each place with one build, each build in one place: other pairs say nothing new.
    if (names[2] == "plain" or names[3] == "cu128")
    and not (names[0] == "macos" and (names[1] != "none" or names[2] in ("vllm", "wsl")))
    and not (names[0] == "windows" and names[2] in ("vllm", "wsl", "container"))
]
NAMES_TO_FILL = re.compile(r"\b(?:PACKAGE|LIBRARY|PROGRAM|IMAGE|VERSION|FILE|SITE-PACKAGES|PATH-OF)\b(?!_)")
FOR_LINUX = re.compile(r"^(?:export|unset|sudo|apt|LD_|[A-Z_]+=\S+ )|/bin/python\b|\bldconfig\b")
FOR_WINDOWS = re.compile(r"^(?:winget|set |Remove-Item|py -|\$env:)|\\Scripts\\")


def machine(names):
    """The evidence of one machine."""
    system, gpu, place, torch = names
    facts = {**SYSTEMS[system], **GPUS[gpu], **PLACES[place], **TORCHES[torch]}
    return Evidence(
        facts=tuple(Observation(name=name, value=value, source=name) for name, value in facts.items())
    )


def is_command(line):
    """Sentences begin with a capital letter and end with a stop or a colon."""
    return not (line[:1].isupper() and line.rstrip()[-1:] in ".:")


@pytest.fixture(scope="module")
def lines():
    """Each failure with the lines of its fix on each machine on which it can happen."""
    return [
        (failure, names, tuple(fix_lines(failure, {}, evidence, str)))
        for names, evidence in ((names, machine(names)) for names in MACHINES)
        for failure in all_failures()
        if names[0] == "unknown" or names[0] in failure.os
    ]


def test_no_name_is_left_to_be_filled_in(lines):
    """A command is whole, or it is not printed."""
    assert {
        (failure.id, line)
        for failure, _, fix in lines
        for line in fix
        if is_command(line) and NAMES_TO_FILL.search(line)
    } == set()


def test_every_fix_says_something(lines):
    """At least one step is for each machine, and the first does not begin in the middle."""
    of_texts = [(failure, names, fix) for failure, names, fix in lines if failure.signs]
    assert {(failure.id, names) for failure, names, fix in of_texts if not fix} == set()
    assert {
        (failure.id, line)
        for failure, _, fix in lines
        for line in fix
        if line.startswith(("Else", "Otherwise"))
    } == set()
    assert {(failure.id, fix[0]) for failure, _, fix in lines if fix and fix[0].startswith("Or ")} == set()


def test_no_system_is_named_for_nothing(lines):
    """What is the same there was said already."""
    headings = {
        f"On {', '.join(names)}:" for names in (("Windows",), ("Linux",), ("macOS",), ("Linux", "macOS"))
    }
    assert {
        (failure.id, line)
        for failure, _, fix in lines
        for line, following in pairwise((*fix, "On Linux:"))
        if line in headings and following in headings
    } == set()


def test_no_command_is_for_another_system(lines):
    """PowerShell's on Windows, a shell's elsewhere; an unknown system is named before the command."""
    wrong = {
        (failure.id, names[0], line)
        for failure, names, fix in lines
        for line in fix
        if is_command(line)
        and failure.id != "wsl-gpu-500"
        and (
            (names[0] == "windows" and FOR_LINUX.search(line))
            or (names[0] in ("linux", "macos") and FOR_WINDOWS.search(line))
        )
    }
    assert wrong == set()


def test_quotes_on_windows_are_those_that_both_its_shells_know(lines):
    """A requirement with < or > stands in double quotes."""
    wrong = {
        (failure.id, line)
        for failure, names, fix in lines
        if names[0] == "windows"
        for line in fix
        if is_command(line) and re.search(r"'[^']*[<>][^']*'", line)
    }
    assert wrong == set()


def test_who_must_do_what_needs_rights(lines):
    """sudo is said to be an administrator's or the host's."""
    wrong = {
        (failure.id, line)
        for failure, _, fix in lines
        for before, line in itertools.pairwise(("", *fix))
        if line.startswith("sudo")
        and not before.startswith(("As administrator:", "On the host", "On Linux:"))
        and failure.id not in ("wsl-linux-driver-inside", "host-compiler-too-new")
    }
    assert wrong == set()


def test_an_image_with_a_torch_of_its_own_keeps_it(lines):
    """vLLM's kernels in it were compiled against that torch."""
    wrong = {
        (failure.id, line)
        for failure, names, fix in lines
        if names[2] == "vllm"
        for line in fix
        if is_command(line)
        and "ipykernel" not in line
        and re.search(r"install[^&]* torch(==|\s|$)|torchdoctor install", line)
        and "venv" not in line
    }
    assert wrong == set()


def test_an_amd_card_gets_no_cuda_build_and_an_nvidia_card_no_other(lines):
    """The index of a command is of the GPU's maker; a failure of the NVIDIA driver is none of an AMD machine."""
    wrong = {
        (failure.id, names, line)
        for failure, names, fix in lines
        for line in fix
        if (
            names[1] in ("amd", "vega", "rdna2")
            and names[3] != "cu128"
            and re.search(r"whl/cu\d", line)
            and failure.id
            not in ("aarch64-cpu-wheel", "jetson-generic-wheel", "gpu-arch-too-old", "extension-cuda-major")
        )
        or (names[1] in ("nvidia", "pascal") and "whl/rocm" in line)
    }
    assert wrong == set()


def test_an_override_is_for_a_card_that_has_a_neighbour(lines):
    """RDNA 2 and 3 have one; Vega and RDNA 4 do not."""
    said = {
        (names[1], line)
        for failure, names, fix in lines
        for line in fix
        if "HSA_OVERRIDE_GFX_VERSION=" in line and is_command(line)
    }
    assert said == {("rdna2", "export HSA_OVERRIDE_GFX_VERSION=10.3.0")}


def test_a_pinned_project_keeps_its_release_where_it_can(lines):
    """What is installed for the GPU is the pinned release, or the pin is named beside what replaces it."""
    wrong = {
        (failure.id, names, line)
        for failure, names, fix in lines
        if names[2] == "pinned" and names[1] in ("nvidia", "none")
        for place, line in enumerate(fix)
        if (release := re.search(r"pip install [^&]*\btorch==(\d[\d.]*)", line))
        and release[1] != "2.7.1"
        and not any(line.startswith("The project pins") for line in fix[place:])
    }
    assert wrong == set()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["there"][:40])
def test_what_the_text_names_stands_in_the_fix(case):
    """The image, the package, the library, the number and the version are read, not asked for."""
    finding = diagnose_text(case["text"]).in_order[0]
    assert case["there"] in "\n".join(finding.fix), finding
    assert case["absent"] not in "\n".join(finding.fix), finding


def test_nothing_of_a_text_reaches_a_command_unless_it_is_a_name_a_version_or_a_path():
    """A shell would read what stands behind the semicolon."""
    text = "ImportError: /a;reboot;/libgomp.so.1: cannot allocate memory in static TLS block\ndocker run a/b;reboot x"
    commands = [line for finding in diagnose_text(text).in_order for line in finding.fix if is_command(line)]
    assert not any("reboot" in line for line in commands if not line.startswith("sudo"))
