"""Texts that describe a change, a plan or a wish: what they name is only possible; a report of a failure stays one."""

from __future__ import annotations

import pytest

from torchdoctor.diagnose import diagnose_text
from torchdoctor.diagnose.parsers.descriptions import describes_change, without_diffs
from torchdoctor.diagnose.text import plain_text

ERROR = "RuntimeError: CUDA error: no kernel image is available for execution on the device\nRTX 5090 torch 2.5.1+cu124"
CHANGES = {
    "commit": f"fix(device): fall back to the CPU\n\n{ERROR}",
    "template": f"# CUDA 12.8\n\n## Motivation\n\n{ERROR}\n\n## Test plan\n\nCI",
    "author": f"# Newer builds\n\nThis PR cures\n{ERROR}\nCloses #12",
    "nicer message": f"# Nicer error message\n\nAdds the build.\n\nBefore:\n{ERROR}\n\nAfter:\n{ERROR}",
    "plan": f"# CPU and GPU builds\n\nUsers with new GPUs see\n{ERROR}\nWe should ask them for the build.",
    "Chinese wish": f"希望支持 RTX 50 系列\n\n目前会出现\n{ERROR}",
}
REPORTS = {
    "imperative title": f"# Fix this please\n\nI get\n{ERROR}\nHow can I solve it?",
    "template for bugs": f"# Support RTX 5090\n\n### Steps to reproduce\n\n{ERROR}",
    "output alone": ERROR,
    "Chinese question": f"更新后报错, 请问怎么解决\n{ERROR}",
}


@pytest.mark.parametrize("text", CHANGES.values(), ids=CHANGES)
def test_what_a_description_names_is_only_possible(text):
    """The error is one that the change cures; where it is shown as a possible cause, the reason stands beside it."""
    found = diagnose_text(text)
    assert found.findings == ()
    assert bool(found.possible) == any("describes a change" in step for step in found.next_steps)
    assert describes_change(plain_text(text))


@pytest.mark.parametrize("text", REPORTS.values(), ids=REPORTS)
def test_a_report_of_a_failure_is_none(text):
    """Whoever gets the error, or asks for help, has a failing machine, whatever the title."""
    assert [finding.id for finding in diagnose_text(text).findings] == ["gpu-arch-too-new"]


def test_a_cured_text_without_errors_says_nothing_of_changes():
    """The forms are looked for where something would be claimed."""
    assert diagnose_text("feat: support CUDA 13\n\nCloses #4").possible == ()


DIFF = """\
The file has:
@@ -4,8 +4,8 @@ tensorflow
 # Torch with cuda support.
-torch==2.6.0+cpu
+torch==2.5.1+cu121
That is all, torch==2.4.0
```diff
-torch==2.3.0
```
torch==2.2.0"""


def test_lines_of_a_diff_state_nothing():
    """Positions and the lines around stay."""
    kept = without_diffs(DIFF)
    assert len(kept) == len(DIFF)
    assert [line for line in kept.split("\n") if line.strip()] == [
        "The file has:", "That is all, torch==2.4.0", "```diff", "```", "torch==2.2.0",
    ]  # fmt: skip


def test_an_empty_text_describes_nothing():
    """No mark, no points."""
    assert not describes_change(plain_text(""))
