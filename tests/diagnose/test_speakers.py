"""Who speaks in a text: a failure is claimed on output and what a user tells, not on manuals and solved cases."""

from __future__ import annotations

import pytest

from torchdoctor.diagnose import diagnose_text
from torchdoctor.diagnose.parsers.speakers import is_documentation, is_output, without_other_voices
from torchdoctor.diagnose.text import plain_text

MANUALS = {
    "tutorial": """\
How to check whether PyTorch can use your GPU
Step 1: install the driver. Step 2: run torch.cuda.is_available(). If it returns False, the driver may be too old.
""",
    "change log": """\
- Add support for Python 3.14
- Fix `undefined symbol` in the flash-attn wheels
- Drop sm_50
- Update triton
""",
    "Chinese article": """\
本文介绍怎样检查CUDA是否可用
如果没有CUDA支持, 即使装了驱动, 也无法使用GPU。驱动版本过旧是常见的问题。
""",
    "Japanese article": """\
GPUを使う方法を紹介します。
torch.cuda.is_available()がFalseの場合は、CPUが使われます。
""",
}
REPORTS = {
    "first person": "I followed the guide, and is_available() returns False for me. Make sure you read this.",
    "error": "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory",
    "question": "Why is my GPU not used by torch?",
    "title": "Triton module not found",
    "output alone": "If you want to use the GPU, please check the instructions\nUserWarning: CUDA initialization: none",
}


@pytest.mark.parametrize("text", MANUALS.values(), ids=MANUALS)
def test_a_manual_gives_no_finding(text):
    """Nobody speaks of the own machine, so nothing is claimed and nothing is possible."""
    assert is_documentation(plain_text(text))
    assert diagnose_text(text).in_order == ()


@pytest.mark.parametrize("text", REPORTS.values(), ids=REPORTS)
def test_a_report_is_no_manual(text):
    """A first person, an error of its own, or a question."""
    assert not is_documentation(plain_text(text))


@pytest.mark.parametrize(
    "line",
    [
        'File "train.py", line 3, in <module>', "RuntimeError: CUDA error", "2026-01-02 10:11:12 start",
        "| NVIDIA-SMI 570 |", "ERROR: No matching distribution found for torch", "[  12.345678] NVRM: loading",
        "Collecting torch==2.9.1",
    ],
)  # fmt: skip
def test_lines_of_programs_are_known_by_their_beginning(line):
    """Tracebacks, levels, time stamps, tables, the kernel, pip."""
    assert is_output(line.lower())
    assert not is_output(f"so {line} is what comes".lower().replace("2026-01-02 10:11:12", "it"))


QUIET = [
    "If you see `Torch not compiled with CUDA enabled`, reinstall it. My run is fine.",
    "The driver was too old: NVIDIA driver is too old. It is solved by a newer one, thanks.",
    "I don't get any `undefined symbol` error with flash_attn here.",
    "我这里没有任何报错, CUDA out of memory 也没有任何问题。",
]


@pytest.mark.parametrize("text", QUIET)
def test_what_may_come_or_is_over_is_no_failure(text):
    """A case, a negation, a solution."""
    assert diagnose_text(text).findings == ()


def test_a_solution_beside_the_error_says_why_it_came():
    """The error itself stands in the text, so the sentence that solved it is evidence."""
    text = plain_text("RuntimeError: no kernel image\nFixed by adding 5.2 to TORCH_CUDA_ARCH_LIST")
    assert "torch_cuda_arch_list" in without_other_voices(text).lower


def test_positions_stay_when_voices_are_left_out():
    """Each place of the text leads to the same line as before."""
    text = plain_text("I have an error.\nIf you see X, do Y.\nImportError: undefined symbol")
    kept = without_other_voices(text)
    assert (len(kept.lower), kept.starts, kept.lines) == (len(text.lower), text.starts, text.lines)


def test_a_keyword_inside_a_longer_word_is_none():
    """`has_atomic64` names no atomic, and CUDA 12.60 is not 12.6."""
    assert diagnose_text("checking has_avx2x: no\nnoshaper: xrosetta is running").in_order == ()
