"""Readers of NVIDIA's texts, on text that real machines printed."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.detect import NvidiaGpu
from torchdoctor.detect.nvidia.parsers import (
    parse_kernel_module,
    parse_module_kind,
    parse_nvml,
    parse_proc_version,
    parse_smi,
    parse_smi_refusal,
)

FIELDS = ("name", "compute_cap", "memory.total", "driver_version")
OLD_FIELDS = ("name", "memory.total", "driver_version")

# The closed module's: https://github.com/pytorch/pytorch/issues/131312; the open module's:
# https://github.com/nix-community/nixGL/issues/121.
PROC_CLOSED = """\
NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.90.07  Fri May 31 09:35:42 UTC 2024
GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)
"""
PROC_OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  525.60.11  Release Build  "
    "(archlinux-builder@localhost)  \n"
    "GCC version:  gcc version 12.2.0 (GCC) \n"
)
MISMATCH = "Failed to initialize NVML: Driver/library version mismatch"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n"
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [(PROC_CLOSED, "proprietary"), (PROC_OPEN, "open"), ("", None), ("NVRM version: x", None)],
)
def test_the_module_is_told_open_from_closed(text, kind):
    """By its own words."""
    assert parse_module_kind(text) == kind


@pytest.mark.parametrize(("text", "version"), [(PROC_CLOSED, "550.90.07"), (PROC_OPEN, "525.60.11")])
def test_the_kernel_modules_line_holds_the_driver(text, version):
    """The closed and the open kernel module write the line differently."""
    assert parse_proc_version(text) == version


def test_the_modules_version_file_is_the_version_and_nothing_else():
    """A newline is taken off; a word is no version."""
    assert parse_kernel_module("535.129.03\n") == "535.129.03"
    assert parse_kernel_module("unknown\n") is None


def test_several_gpus_are_read():
    """One line a GPU, mixed generations, one driver."""
    text = "NVIDIA TITAN V, 7.0, 12288, 570.86.15\nNVIDIA RTX 5880 Ada Generation, 8.9, 49140, 570.86.15\n"
    answer = parse_smi(text, FIELDS)
    assert answer.driver == "570.86.15"
    assert answer.gpus == (
        NvidiaGpu(name="NVIDIA TITAN V", compute_capability="7.0", memory_mib=12288),
        NvidiaGpu(name="NVIDIA RTX 5880 Ada Generation", compute_capability="8.9", memory_mib=49140),
    )


def test_an_old_driver_is_read_without_capability():
    """Without the field the capability is unknown."""
    assert parse_smi("TITAN Xp, 12195, 390.77", OLD_FIELDS).gpus == (
        NvidiaGpu(name="TITAN Xp", memory_mib=12195),
    )


@pytest.mark.parametrize("cell", ["[N/A]", "N/A", "[Not Supported]", "[Insufficient Permissions]", ""])
def test_what_the_driver_does_not_say_is_unknown(cell):
    """Chips that share memory with the CPU, and permissions, leave cells without an answer."""
    assert parse_smi(f"NVIDIA GB10, 12.1, {cell}, 580.95.05", FIELDS).gpus[0].memory_mib is None


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", MISMATCH, NO_DRIVER, 'Field "compute_cap" is not a valid field to query.\n\n',
        "No devices were found", "<html>, <body>, b, c", "GPU, 8.9, lots, 570.86.15", "GPU, 8.9, 10, soon",
        "[Unknown Error], 8.9, 10, 570.86.15", "GPU, nine, 10, 570.86.15", "A, 8.9, 1, 570.1\nB, 8.9, 1, 580.1",
        "name, compute_cap, memory.total [MiB], driver_version", "A, 8.9, 1, 570.1\n" * 2000,
    ],
)  # fmt: skip
def test_anything_else_is_no_answer(text):
    """What is not exactly the table asked for is refused whole, never guessed at."""
    with pytest.raises(ValueError):  # noqa: PT011  (any will do: the caller says unknown)
        parse_smi(text, FIELDS)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"\n{MISMATCH}\nNVML library version: 550.90\n", MISMATCH),
        (NO_DRIVER, NO_DRIVER.strip()),
        ("No devices were found\n", "No devices were found"),
        ("hello", None),
    ],
)
def test_a_refusal_is_quoted(text, sentence):
    """The sentence in which nvidia-smi gives up is found; other text is none."""
    assert parse_smi_refusal(text) == sentence


def test_nvmls_answer_is_read():
    """Bytes become MiB, the pair of numbers a dotted capability; a lost GPU is told of and left out."""
    text = json.dumps(
        {
            "driver": "550.54.15",
            "gpus": [
                {"name": "NVIDIA H200", "capability": [9, 0], "memory": 150754820096},
                {"error": "GPU is lost"},
                {"name": "NVIDIA GB10", "capability": None, "memory": None},
            ],
        }
    )
    answer = parse_nvml(text)
    assert answer.driver == "550.54.15"
    assert answer.detail == "GPU is lost"
    assert answer.gpus == (
        NvidiaGpu(name="NVIDIA H200", compute_capability="9.0", memory_mib=143771),
        NvidiaGpu(name="NVIDIA GB10"),
    )


@given(st.text())
def test_no_text_breaks_a_reader(text):
    """Each reader gives a value, None or ValueError, whatever it is given."""
    for read in (parse_kernel_module, parse_proc_version, parse_smi_refusal):
        assert read(text) is None or isinstance(read(text), str)
    for parse in (parse_nvml, lambda given: parse_smi(given, FIELDS)):
        with contextlib.suppress(ValueError):
            parse(text)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda i: st.lists(i) | st.dictionaries(
    st.sampled_from(["gpus", "name", "capability", "memory", "error", "detail", "driver"]), i)))  # fmt: skip
def test_no_json_breaks_the_reader_of_nvml(value):
    """Any JSON is an answer or ValueError."""
    with contextlib.suppress(ValueError):
        parse_nvml(json.dumps(value))


def test_json_nested_without_end_is_no_answer():
    """A hundred thousand brackets are ValueError, not a crash."""
    with pytest.raises(ValueError):  # noqa: PT011
        parse_nvml("[" * 100_000)
