"""Whether a text describes a change, a plan or a wish: the errors in it are those that a change cures.

The forms that tell it (the title of a commit, headings of a template, "this pull request", hunks of a diff, "we
should") and those of a report of a failure ("I get", "how can I", a traceback) have points in `descriptions.toml`.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.parsers.pattern_files import description_marks
from torchdoctor.diagnose.text import blanked

if TYPE_CHECKING:
    from torchdoctor.diagnose.text import Text

__all__ = ["describes_change", "without_diffs"]

# Of 1,087 labelled reports of failures 7 have as many points, and of 97 pull requests 91.
_MIN_POINTS = 2

_FENCE = re.compile(r"[ \t>]{0,20}(?:```|~~~)[ \t]{0,4}(?P<kind>[\w+-]{0,30})")
_HUNK = re.compile(r"[ \t>]{0,20}@@ -\d{1,7}(?:,\d{1,7})? \+\d{1,7}(?:,\d{1,7})? @@")
_IN_HUNK = re.compile(r"[ +\-\\@]|$|diff --git |index [0-9a-f]{6}")


_marks = functools.cache(description_marks)


def describes_change(text: Text) -> bool:
    """Tell whether the text describes a change, a plan or a wish rather than what fails on a machine."""
    rows = text.rows
    points = 0
    for mark in _marks():
        if any(pattern.match(rows) if mark.in_title else pattern.search(rows) for pattern in mark.patterns):
            points += mark.points
    return points >= _MIN_POINTS


def without_diffs(raw: str) -> str:
    """Return a text with blanks for the lines of diffs: they are of files, before and after a change."""
    if "@@ -" not in raw and "```diff" not in raw and "```patch" not in raw:
        return raw
    lines = raw.split("\n")
    in_fence = in_hunk = False
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if fence:
            in_fence = not in_fence and fence["kind"] in ("diff", "patch")
            in_hunk = False
            continue
        in_hunk = bool(_HUNK.match(line)) or (in_hunk and bool(_IN_HUNK.match(line)))
        if in_fence or in_hunk:
            lines[number] = blanked(line)
    return "\n".join(lines)
