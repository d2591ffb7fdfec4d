"""Each sentence that SECURITY.md promises has a test that tries to break it."""

from __future__ import annotations

import pytest

from tests.security.promises import HEADING, ROOT, functions_of, promised_sentences, promises

SENTENCES = promised_sentences((ROOT / "SECURITY.md").read_text("utf-8"))
ROWS = promises()


def test_a_section_is_read_sentence_by_sentence():
    """Items, paragraphs and the rows of a table; a stop inside of a name or in the midst of a sentence ends none."""
    text = f"""# Policy

{HEADING}

- It reads `a.toml`, e.g. once. A second one
  goes on here.
- `x` is the third.

### More

| who | may |
| --- | --- |
| a mirror | nothing |
| facts | all. Of it |

A paragraph.

## Elsewhere

- Not this.
"""
    assert promised_sentences(text) == [
        "It reads `a.toml`, e.g. once.", "A second one goes on here.", "`x` is the third.",
        "| a mirror | nothing |", "| facts | all. Of it |", "A paragraph.",
    ]  # fmt: skip


def test_no_sentence_is_without_a_row():
    """Whoever promises more in SECURITY.md says in tests/security/promises.toml which test holds it."""
    assert SENTENCES
    assert [sentence for sentence in SENTENCES if sentence not in {row.sentence for row in ROWS}] == []


def test_no_row_is_of_a_sentence_that_is_gone():
    """A sentence that was changed takes its row along, and stands there once."""
    assert [row.sentence for row in ROWS if row.sentence not in SENTENCES] == []
    assert len({row.sentence for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row.sentence[:50] for row in ROWS])
def test_the_functions_of_a_row_exist(row):
    """Each names a file and a function in it; a promise without an attack that was tried is none."""
    assert row.attacks, row.sentence
    assert all(attack.attack and attack.refusal for attack in row.attacks)
    missing = [node for node in row.all_tests if not _exists(node)]
    assert missing == []


def _exists(node: str) -> bool:
    path, _, name = node.partition("::")
    return name.partition("[")[0] in functions_of(path)
