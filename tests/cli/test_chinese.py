"""`--lang zh`: what a command says is Chinese through and through."""

from __future__ import annotations

import pytest

from tests.cli.chinese import english_in


@pytest.mark.parametrize(
    "text",
    [
        "no torch release matches 99",
        "错误：there is no Python at /usr",  # noqa: RUF001
        "warning: 环境不可用",
        "see `torchdoctor doctor` for what was found here",
        "NVIDIA GeForce RTX 4090 has no code for it",
        "    (wheels are built for musl)",
    ],
)
def test_english_left_in_an_output_is_seen(text):
    """The check below would fail for each of them."""
    assert english_in(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "没有 torch 版本符合 99",
        "NVIDIA GeForce RTX 4090 需要驱动 ≥ 550",
        "见 `torchdoctor doctor for what was found`",
        "torch 2.9.1+cu126，来自 https://download.pytorch.org/whl/cu126",  # noqa: RUF001
        "pip install torch torchvision torchaudio --index-url https://download.pytorch.org/whl/cu126",
        "cpu cu118 cu124 rocm6.2 xpu",
        "/home/name of user/with/torch",
    ],
)
def test_chinese_with_names_and_commands_is_not(text):
    """Names, commands, paths and addresses are the same in every language."""
    assert english_in(text) == []
