"""Who speaks in a text: a program, its user, or a manual; what states no failure is left out of the search for signs.

A failure is claimed on what a program printed, on what a user tells of the own machine, or on facts that contradict
each other. A manual, a change log, a case that may come ("if you see ..."), a check that went well ("no error") and a
problem that is solved state none.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.parsers.pattern_files import speaker_patterns
from torchdoctor.diagnose.parsers.sentences import sentence_spans
from torchdoctor.diagnose.text import blanked

if TYPE_CHECKING:
    from torchdoctor.diagnose.text import Text

__all__ = ["is_documentation", "is_output", "silent", "states_a_value", "without_other_voices"]

# How many marks make a manual, and how many do so beside what stands in a report.
_FEW_MARKS, _MANY_MARKS = 2, 5
_MIN_CHANGES, _MIN_SHARE_OF_CHANGES = 3, 0.5


_patterns = functools.cache(speaker_patterns)


def is_output(line: str) -> bool:
    """Whether a program printed the line, which is in lower case."""
    return _begins("output", line)


def states_a_value(line: str) -> bool:
    """Whether the line, which is in lower case, has a name and its value, or a version as programs print them."""
    return _has("value", line)


def is_documentation(text: Text) -> bool:
    """Whether the text as a whole is a manual, an article or a change log: nobody speaks of the own machine."""
    rows = text.rows
    lines = rows.split("\n")
    if _is_change(rows):
        return True
    changes = sum(1 for line in lines if _begins("change", line))
    if changes >= _MIN_CHANGES and changes >= _MIN_SHARE_OF_CHANGES * len(lines):
        return True
    prose = "\n".join(line for line in lines if not is_output(line) and not _begins("code", line))
    if _has("first_person", prose) or _has("asks_for_help", prose) or _begins("asked_title", rows):
        return False
    marks = sum(1 for pattern in _patterns()["manual"] if pattern.search(prose))
    marks -= _has("weak_first_person", prose)
    return marks >= (_MANY_MARKS if _has("report", rows) else _FEW_MARKS)


def _is_change(rows: str) -> bool:
    """Whether the text describes a change of a program or of its documents: the errors in it are those it cures."""
    if _has("asks_for_help", rows):
        return False
    if _begins("document_title", rows):
        return True
    if _has("first_person", rows):
        return False
    if _begins("commit_title", rows) or _has("change_words", rows):
        return True
    return _begins("change_title", rows) and _has("change_body", rows)


def silent(text: Text) -> Text:
    """Return the text with blanks alone, for one in which nobody speaks; `lines` are as they were."""
    return _with(text, blanked(text.rows))


def without_other_voices(text: Text) -> Text:
    """Return the text with blanks where nobody states a failure; positions stay, and `lines` are as they were.

    It is for a text that is no documentation: that is `silent` as a whole.
    """
    rows = text.rows
    for pattern in _patterns()["case"]:
        rows = pattern.sub(lambda match: blanked(match[0]), rows)
    return _with(text, _without_settled(rows))


def _without_settled(rows: str) -> str:
    """Return the rows with blanks for what a user states not to fail, and for all before a solution.

    Where the text has the error itself, the solution says why it came, and stays.
    """
    may_be_over = not _has("report", rows)
    over, quiet = 0, []
    for start, end in sentence_spans(rows):
        sentence = rows[start:end]
        if is_output(sentence) or _has("but", sentence):
            continue
        if may_be_over and _has("solved", sentence) and not _has("comparison", sentence):
            over = end
        elif _has("no_failure", sentence):
            quiet.append((start, end))
    parts = [blanked(rows[:over])]
    position = over
    for start, end in quiet:
        if start >= position:
            parts += [rows[position:start], blanked(rows[start:end])]
            position = end
    return "".join([*parts, rows[position:]])


def _begins(name: str, line: str) -> bool:
    return any(pattern.match(line) for pattern in _patterns()[name])


def _has(name: str, text: str) -> bool:
    return any(pattern.search(text) for pattern in _patterns()[name])


def _with(text: Text, rows: str) -> Text:
    return replace(text, rows=rows, lower=rows.replace("\n", " ")) if rows != text.rows else text
