"""A text takes time that grows with its length alone: no pattern looks at the rest of a line from each place in it."""

from __future__ import annotations

import re
import sys
import time
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.diagnose import diagnose_text
from torchdoctor.diagnose.bounded import bounded
from torchdoctor.diagnose.cause_table import verify_causes
from torchdoctor.diagnose.failure_files import compile_failures
from torchdoctor.diagnose.parsers.pattern_files import (
    _FOLDER,
    compile_descriptions,
    compile_hints,
    compile_outputs,
    compile_prose,
    compile_speakers,
)
from torchdoctor.diagnose.parsers.sentences import sentence_spans
from torchdoctor.report.redact import redact
from torchdoctor.report.redact.rules import compile_rules

parser = import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")


def _strings(value, key=""):
    """Every text of a compiled table, with the key that it stands under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, row in value.items():
            yield from _strings(row, name)
    elif isinstance(value, (list, tuple)):
        for row in value:
            yield from _strings(row, key)


def _patterns():
    folder = _FOLDER.parent / "failures"
    yield from (text for key, text in _strings(compile_failures(folder)) if key in ("regex", "value"))
    yield from (cause["text"] for cause in verify_causes() if "text" in cause)
    yield from (hint.regex for hint in compile_hints(_FOLDER / "environment_hints.toml") if hint.regex)
    yield from (pattern for _, rows in compile_prose(_FOLDER / "prose_patterns.toml") for pattern, _ in rows)
    for rows in compile_speakers(_FOLDER / "speakers.toml").values():
        yield from (row[0] for row in rows)
    for _, _, rows in compile_descriptions(_FOLDER / "descriptions.toml"):
        yield from (row[0] for row in rows)
    yield from (rule.pattern for rule in compile_rules())
    for command, printed, _ in compile_outputs(_FOLDER / "command_outputs.toml"):
        yield command[0]
        yield from [printed[0]] if printed else []


def _endless(items):
    """The repetitions of a parsed pattern that have no end."""
    for code, value in items:
        kind = str(code)
        if kind.endswith("_REPEAT"):
            if value[1] == parser.MAXREPEAT:
                yield value
            yield from _endless(value[2])
        elif kind == "BRANCH":
            for row in value[1]:
                yield from _endless(row)
        elif kind in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
            yield from _endless(value[-1])


def test_no_pattern_of_the_data_repeats_without_end():
    """Those of failures, causes, hints, sentences, speakers, descriptions, outputs and redaction."""
    patterns = list(_patterns())
    assert len(patterns) > 700
    assert [pattern for pattern in patterns if list(_endless(parser.parse(pattern)))] == []


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        (r"a*b+?c{3,}", "a{0,200}b{1,200}?c{3,200}"), (r"\w+\d*\s+", r"\w{1,40}\d{0,20}\s{1,40}"),
        (r"[+*]\*\+(?:x)*", r"[+*]\*\+(?:x){0,200}"), (r"[^]*]+[\]*]+", r"[^]*]{1,200}[\]*]{1,200}"),
        (r"(?P<a>x+)(?=y*)", r"(?P<a>x{1,200})(?=y{0,200})"), (r"x{2}y{0,3}", r"x{2}y{0,3}"),
    ],
)  # fmt: skip
def test_a_repetition_gets_an_end(pattern, shown):
    """Outside of sets and behind no backslash; what has an end keeps it, and so it stays when it is done again."""
    assert bounded(pattern) == shown == bounded(shown)


@given(
    st.text("ab1 +*.", max_size=30),
    st.sampled_from([r"a+b", r"[+*]+\*", r"(?:a|b)*1", r"a.*?\+b+", r"\s+\d*"]),
)
def test_a_pattern_with_an_end_finds_the_same_in_a_short_text(text, pattern):
    """What is shorter than the ends is found as before."""
    assert [m.span() for m in re.finditer(bounded(pattern), text)] == [
        m.span() for m in re.finditer(pattern, text)
    ]


_SENTENCE = re.compile(r"[^\n。\uff01\uff1f\uff1b]{2,600}?(?=[.!?;]\s|[\n。\uff01\uff1f\uff1b]|$)")


@given(st.text("ab .!?\n;。", max_size=40) | st.integers(590, 1300).map(lambda n: "x" * n + ". y"))
def test_sentences_are_found_by_their_ends(text):
    """In one pass, and the same as a pattern finds that looks from each place for the next end."""
    assert list(sentence_spans(text)) == [match.span() for match in _SENTENCE.finditer(text)]


LINES = [
    "a", "| ", "=", "torch ", "error: ", "undefined symbol: _zn3c10 ", "/home/x/torch", "1.", "torch==2.9.1 ", "i ",
    "how to? ", "(from versions: ", "https://download.pytorch.org/whl/cu", "cuda not mix", "gpu 0: nvidia ",
    "不能用显卡", "nvidia-smi works ", "token", "a@", "key=", "eyJ", "/t/", "user:",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("read", [diagnose_text, redact], ids=["diagnose", "report"])
@pytest.mark.parametrize("piece", LINES)
def test_four_times_the_text_takes_four_times_as_long(piece, read):
    """Lines of 3,900 characters without an end in sight; the least of three measures, and room for a busy machine."""

    def took(lines):
        text = "\n".join([piece * (3900 // len(piece))] * lines)
        times = []
        for _ in range(3):
            begun = time.process_time()
            read(text)
            times.append(time.process_time() - begun)
        return min(times)

    small, large = took(6), took(24)
    assert large < 4 * 2.3 / 2 * small + 0.05
