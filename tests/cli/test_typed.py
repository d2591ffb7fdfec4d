"""What people type that torchdoctor does not have: each gets what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from torchdoctor.cli.new_environment import NewEnvironment


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("check", "torchdoctor doctor"),
        ("fix", "torchdoctor doctor --fix"),
        ("test", "torchdoctor verify"),
        ("setup", "torchdoctor install"),
        ("collect_env", "torchdoctor report"),
        ("kernels", "torchdoctor jupyter-kernel list"),
        ("instal", "install"),
    ],
)
def test_another_word_for_a_command_is_understood(in_process, typed, instead):
    """Wrong usage, with the command that was meant."""
    ran = in_process(typed)
    assert ran.status == 2
    assert f"Did you mean {instead}?" in ran.err


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        (("install", "--cpu"), "--variant cpu"),
        (("install", "--cuda", "12.6"), "--variant cu126"),
        (("install", "--cuda=12.6"), "--variant cu126"),
        (("resolve", "--rocm", "6.4"), "--variant rocm6.4"),
        (("install", "--cuda"), "--variant auto"),
        (("install", "--version", "2.9"), "--torch 2.9"),
        (("install", "-i", "https://example.org/simple"), "--index-url https://example.org/simple"),
        (("--fix",), "torchdoctor doctor --fix"),
    ],
)
def test_an_option_of_another_tool_is_understood(in_process, typed, instead):
    """With its value, where it can be part of the answer."""
    ran = in_process(*typed)
    assert ran.status == 2
    assert f"did you mean {instead}?" in ran.err


def test_a_value_that_could_be_anything_is_not_repeated(in_process):
    """The answer is a line that people paste."""
    ran = in_process("install", "--index", "https://x/$(touch ran)")
    assert ran.status == 2
    assert "$(touch" not in ran.err


def test_help_is_a_command_too(in_process):
    """Of the program, and of one command."""
    assert in_process("help").out == in_process("--help").out
    assert in_process("help", "resolve").out == in_process("resolve", "--help").out
    assert in_process("help", "nonsense").status == 2


def test_the_version_has_a_short_option(in_process):
    """As Python's."""
    assert in_process("-V").out == in_process("--version").out


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("torch", "torchdoctor install?"),
        ("pytorch", "torchdoctor install?"),
        ("torchvision", "torchdoctor install --with torchvision?"),
        ("timm", "torchdoctor install --with timm?"),
        ("cv2", "torchdoctor install --with cv2?"),
        ("cpu", "torchdoctor install --variant cpu?"),
        ("cu126", "torchdoctor install --variant cu126?"),
        ("ROCm6.4", "torchdoctor install --variant rocm6.4?"),
        ("cuda", "torchdoctor install --variant auto?"),
        ("2.9", "torchdoctor install --torch 2.9?"),
        ("v2.9.1", "torchdoctor install --torch 2.9.1?"),
        ("torch==2.9", "torchdoctor install --torch 2.9?"),
        ("torch>=2.8,<2.10", "torchdoctor install --torch '>=2.8,<2.10'?"),
        ("lightning[extra]", "torchdoctor install --with 'lightning[extra]'?"),
        ("vision-tools>=1", "torchdoctor install --with 'vision-tools>=1'?"),
    ],
)
def test_a_word_that_means_something_else_makes_no_folder(in_process, tmp_path, typed, instead):
    """A package, a version or a build after install: the options that say so, and nothing is made."""
    ran = in_process("install", typed)
    assert ran.status == 2
    assert f"did you mean {instead}" in ran.err
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("typed", ["./timm", "vision", "torch-env", "3", "env", "项目"])
def test_a_folder_stays_a_folder(typed):
    """What has a separator, or can only be a name."""
    assert NewEnvironment(path_type=Path).convert(typed, None, None) == Path(typed)


def test_a_folder_of_that_name_is_the_environment(in_process, tmp_path):
    """It exists, so it is meant; the add command takes no environment as a package."""
    folder = tmp_path / "work" / "timm"
    folder.mkdir()
    (folder / "pyvenv.cfg").write_text("", "utf-8")
    assert "is a folder, and" not in in_process("install", "timm", "--dry-run").err
    ran = in_process("add", "timm", "einops")
    assert ran.status == 2
    assert "torchdoctor add PACKAGE --env timm" in ran.err
