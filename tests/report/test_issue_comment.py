"""The comment of a bot: short, and inert whatever the report holds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from torchdoctor.diagnose import Diagnosis, Finding, Question, diagnose_text
from torchdoctor.report.terminal.diagnosis import diagnosis_markdown
from torchdoctor.report.terminal.issue_comment import MARKER, issue_comment

# What a tracker makes of plain text: mentions, references, links, pictures.
ACTIVE = re.compile(r"(?<![\w`])@\w|#\d|(?<!\w)!\d|\bGH-\d|https?://|\bwww\.", re.IGNORECASE)
OUR_TAGS = {"<details>", "<summary>", "</summary>", "</details>", "<sub>", "</sub>", MARKER}
CERTAIN = "AssertionError: Torch not compiled with CUDA enabled\ntorch 2.9.1+cpu, Windows 11, NVIDIA GeForce RTX 4090\n"


def texts_and_tags(document):
    """What is shown as plain text, and every tag, as a Markdown parser with HTML, links and tables reads it."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    texts, tags = [], []
    for block in parser.parse(document):
        if block.type == "html_block":
            tags += re.findall(r"<[^>]*>", block.content)
        for inline in block.children or ():
            if inline.type == "html_inline":
                tags.append(inline.content)
            elif inline.type == "text":
                texts.append(inline.content)
            elif inline.type not in ("code_inline", "softbreak", "hardbreak", "text_special") and not (
                inline.type.startswith(("strong_", "em_"))
            ):
                tags.append(inline.type)
    return texts, tags


def hostile(text):
    """A diagnosis in which every text is the given one."""
    finding = Finding(
        id="cpu-only-wheel",
        severity="error",
        title=text,
        evidence=(text,),
        explanation=text,
        fix=(f"Look: {text}",),
        check=text,
        confidence="likely",
    )
    return Diagnosis(
        verdict="problems-found",
        findings=(finding,),
        possible=(finding,),
        question=Question(id="gpu", text=text, command="nvidia-smi"),
    )


HOSTILE = [
    "@torvalds and @org/team see #1, owner/repo#2, GH-3, !4 and https://evil.example www.evil.example a@b.example",
    "<img src=x onerror=alert(1)> </details><script>alert(1)</script> <!-- -->",
    "[x](javascript:alert(1)) ![p](https://evil.example/p.png) <https://evil.example>",
    "``` \n```\n# heading\n- item\n| a | b |\n| - | - |\n~~x~~ **b** _i_",
    "`code` @here `` @there `",
]


@pytest.mark.parametrize("form", [issue_comment, diagnosis_markdown])
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_report_acts(form, text):
    """No mention, reference, link, picture or tag but those of the comment itself."""
    flat = " ".join(text.split())
    texts, tags = texts_and_tags(form(hostile(flat)))
    assert set(tags) <= OUR_TAGS
    assert not [shown for shown in texts if ACTIVE.search(shown)]


@given(st.text(alphabet="@#!ab1`<>[]()\\*_~&;:/-. ", max_size=40))
def test_no_combination_of_signs_acts(text):
    """Whatever the signs are that stand beside each other."""
    texts, tags = texts_and_tags(issue_comment(hostile(text)))
    assert set(tags) <= OUR_TAGS
    assert not [shown for shown in texts if ACTIVE.search(shown)]


def test_a_certain_finding_is_a_short_comment():
    """Thanks, the problem, the command, the evidence folded; no question, and no other cause."""
    comment = issue_comment(diagnose_text(CERTAIN))
    assert comment.startswith(f"{MARKER}\nThank you")
    assert "```sh\npython -m pip install" in comment
    assert comment.index("<details>") > comment.index("```sh")
    assert "One fact" not in comment
    assert len(comment.splitlines()) < 35


def test_what_is_not_certain_ends_with_the_question():
    """The command stands by itself, to be copied."""
    comment = issue_comment(
        diagnose_text(
            "torch.cuda.is_available() returns False and it only uses my cpu, please help. Windows 11"
        )
    )
    assert "may be one of these" in comment
    assert "**One fact would decide:** Which build" in comment
    assert "```sh\npython -c" in comment


def test_a_text_without_a_cause_is_answered_too():
    """Thanks, and what to add; without findings nothing is folded."""
    comment = issue_comment(diagnose_text("it does not work"))
    assert "does not say enough" in comment
    assert "<details>" not in comment
