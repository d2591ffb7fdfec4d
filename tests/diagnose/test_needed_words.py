"""The words that a pattern needs: what it matches has them, so that looking for them first changes nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.diagnose.needed_words import NeededPattern, needed_words
from torchdoctor.diagnose.parsers.pattern_files import (
    _FOLDER,
    compile_descriptions,
    compile_prose,
    compile_speakers,
)

PATTERNS = [
    *(pattern for _, patterns in compile_prose(_FOLDER / "prose_patterns.toml") for pattern in patterns),
    *(pattern for each in compile_speakers(_FOLDER / "speakers.toml").values() for pattern in each),
    *(
        pattern
        for _, _, patterns in compile_descriptions(_FOLDER / "descriptions.toml")
        for pattern in patterns
    ),
]


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (r"gpu(?:s| card)? not found", [[" not found"], ["gpu"]]),
        (r"(?:see|seen|find)s? it", [[" it"], ["find", "see"]]),
        (r"a(?:bc|d)?e{2,3}", []),
        (r"(?:gpu|\d+)", []),
        (r"(?i:gpu)", []),
        (r"\bgpu\b(?! works)(?=.)[^,]{0,3}cuda", [["cuda"], ["gpu"]]),
        (r"(?:gpu )+|没", [["gpu ", "没"]]),
    ],
)
def test_what_stands_in_every_match_is_needed(pattern, needed):
    """Runs of characters, and one of what each alternative has; nothing that may be left out."""
    assert needed_words(pattern) == needed


@given(st.data())
def test_a_pattern_with_its_words_finds_what_it_finds_alone(data):
    """In texts that the pattern itself makes, and in others."""
    regex, needed = data.draw(st.sampled_from(PATTERNS))
    text = data.draw(st.one_of(st.from_regex(re.compile(regex, re.ASCII)), st.text(max_size=40)))
    found, alone = NeededPattern(regex, needed, re.ASCII), re.compile(regex, re.ASCII)
    assert (found.search(text) is None) == (alone.search(text) is None)
    assert (found.match(text) is None) == (alone.match(text) is None)
    assert found.sub(lambda _: "-", text) == alone.sub("-", text)


def test_most_patterns_need_words():
    """Else each would be compiled for each text."""
    assert sum(1 for _, needed in PATTERNS if needed) > 0.9 * len(PATTERNS)
