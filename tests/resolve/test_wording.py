"""What the resolver decides rests on codes: with every text worded otherwise it decides the same."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.resolve.test_machines import Row, machine_rows, resolve_row
from torchdoctor.core.i18n import Message
from torchdoctor.errors import NoSolution

if TYPE_CHECKING:
    from torchdoctor.resolve import Plan

ROWS = machine_rows()[::6]


def reworded(template: str, /, **values: object) -> Message:
    """A message of the same template and values whose text has no word of it."""
    text = str.__new__(Message, f"{zlib.crc32(template.encode()):x} {sorted(values.items())}")
    text.template, text.values = template, values
    return text


@pytest.fixture
def other_words(monkeypatch):
    """Every loaded module of torchdoctor makes its texts in other words."""
    from torchdoctor.resolve import explain  # loaded only on a failure

    real = explain.message
    for name, module in list(sys.modules.items()):
        if name.startswith("torchdoctor.") and getattr(module, "message", None) is real:
            monkeypatch.setattr(module, "message", reworded)
    assert explain.message is reworded


def sense(text: object) -> object:
    """What a text says without its words: the template, and the same of the texts in it."""
    if isinstance(text, Message):
        return text.template, [(name, sense(value)) for name, value in text.values.items()]
    return str(text)


def decision(answer: Plan | NoSolution) -> object:
    """All that was decided, and which reasons were given for it."""
    if isinstance(answer, NoSolution):
        return answer.code, sense(answer.message), sense(answer.fix)
    return (
        answer.variant,
        [(package.name, str(package.version), package.known) for package in answer.packages],
        [sense(text) for text in (*answer.reasons, *answer.warnings)],
        [(rejected.variant, sense(rejected.reason)) for rejected in answer.rejected],
        [(left_out.name, sense(left_out.reason)) for left_out in answer.left_out],
    )


BEFORE = {row.name: decision(resolve_row(row)) for row in ROWS}


@pytest.mark.usefixtures("other_words")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_same_is_decided_in_other_words(row: Row) -> None:
    """The same build, and the same reasons, warnings and way out."""
    assert decision(resolve_row(row)) == BEFORE[row.name]


def test_no_module_of_the_choice_looks_into_a_text():
    """A text is never searched, split or compared: `endswith`, `in reason` and the like are absent."""
    folder = Path(sys.modules["torchdoctor.resolve"].__file__).parent
    for path in folder.glob("*.py"):
        source = path.read_text("utf-8")
        for word in (
            "reason.endswith",
            "reason.startswith",
            "in refusal.message",
            "in error.message",
            ".message ==",
        ):
            assert word not in source, f"{path.name}: {word}"
