"""From a paste to a diagnosis: the right failure first, with a fix that can be pasted, in any wrapping."""

from __future__ import annotations

from torchdoctor.diagnosis import diagnose_text

TOO_OLD = """\
PyTorch version: 2.12.0+cu130
Is debug build: False
CUDA used to build PyTorch: 13.0
OS: Ubuntu 22.04.4 LTS (x86_64)
Python version: 3.11.9 (main, Apr 19 2024) [GCC 11.2.0] (64-bit runtime)
Is CUDA available: False
GPU models and configuration: GPU 0: NVIDIA GeForce RTX 4090
Nvidia driver version: 550.54.15
"""


def test_the_driver_is_judged_by_its_version_against_the_builds():
    """Nothing in the report says what is wrong; the two numbers do."""
    found = diagnose_text(TOO_OLD).findings[0]
    assert found.id == "driver-too-old"
    assert found.evidence == ("Nvidia driver version: 550.54.15", "PyTorch version: 2.12.0+cu130")


def test_the_fix_names_the_build_that_the_driver_can_run():
    """The resolver's own plan, for the release that is installed."""
    fix = diagnose_text(TOO_OLD).findings[0].fix
    assert (
        "python -m pip install --force-reinstall torch==2.12.0 torchvision==0.27.0 torchaudio==2.11.0"
        " --index-url https://download.pytorch.org/whl/cu126"
    ) in fix


def test_quotes_bullets_and_escapes_change_nothing():
    """A report quoted in a reply, indented in a list, coloured by a terminal: the same answer."""
    plain = diagnose_text(TOO_OLD)
    for wrapped in (
        "".join(f"> > {line}\n" for line in TOO_OLD.splitlines()),
        "".join(f"    - {line}\n" for line in TOO_OLD.splitlines()),
        "".join(f"\x1b[32m{line}\x1b[0m\r\n" for line in TOO_OLD.splitlines()),
        f"<details>\n<pre>\n{TOO_OLD}</pre></details>",
    ):
        assert [row.id for row in diagnose_text(wrapped).findings] == [row.id for row in plain.findings]


def test_a_text_that_says_nothing_gets_what_to_run_next():
    """No finding is made up; the verdict says what is missing."""
    found = diagnose_text("it does not work, please help")
    assert (found.verdict, found.findings) == ("not-enough-to-tell", ())
    assert any("collect_env" in step for step in found.next_steps)


def test_a_healthy_report_lists_what_was_looked_at():
    """Nothing wrong found, with the facts that were judged."""
    healthy = TOO_OLD.replace("550.54.15", "580.65.06").replace("available: False", "available: True")
    found = diagnose_text(healthy)
    assert (found.verdict, found.findings) == ("nothing-wrong-found", ())
    assert "NVIDIA driver: 580.65.06" in found.checked
