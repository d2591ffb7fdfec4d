"""Paths in a text that say by themselves what is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import Match
from torchdoctor.diagnose.text import displayable

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["half_of_a_path_with_a_space"]

_CUT = re.compile(
    r"'?(?P<path>(?:[a-z]:\\|/)[^\s'\"<>|*?]{2,120})'? (?:is not recognized as an internal|: no such file or directory)"
    r"|no such file or directory: '?(?P<other>(?:[a-z]:\\|/)[^\s'\"<>|*?]{2,120})'?(?:\s|$)"
    r"|can't open file '(?P<third>(?:[a-z]:\\|/)[^\s'\"<>|*?]{2,120})'"
)
_NEEDLES = ("is not recognized as an internal", "no such file or directory", "can't open file")
_BEFORE, _AFTER = 140, 200


def half_of_a_path_with_a_space(evidence: Evidence) -> Match | None:
    r"""A program looks for a path that is the first half of one that the text has with a space.

    `'C:\Users\Ada' is not recognized`, where `C:\Users\Ada Lovelace\env` is named.
    """
    text = evidence.text
    for needle in _NEEDLES:
        for position in text.find(needle):
            cut = _CUT.search(text.rows, max(position - _BEFORE, 0), position + _AFTER)
            if cut is None:
                continue
            path = cut["path"] or cut["other"] or cut["third"]
            if any(_goes_on(text.rows, at + len(path)) for at in text.find(f"{path} ")):
                return Match(evidence=(displayable(text.line_at(position)[1]),))
    return None


def _goes_on(rows: str, end: int) -> bool:
    """Whether a path goes on after the blank at `end`: a word, then a separator."""
    return re.match(r" [\w()&.-]{1,40}(?: [\w()&.-]{1,40}){0,3}[\\/]\w", rows[end : end + 130]) is not None
