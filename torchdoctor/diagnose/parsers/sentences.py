"""Where the sentences of a text are: found by their ends, in one pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["sentence_spans"]

# A sentence ends at a stop that a blank follows, at a Chinese stop, or at the end of its line.
_END = re.compile(r"[.!?;](?=\s)|[\n。\uff01\uff1f\uff1b]|\Z")
_SOFT = ".!?;"
_MIN_CHARACTERS, _MAX_CHARACTERS = 2, 600


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each sentence; of one that is very long its last 600 characters.

    A sentence begins with the stop of the one before, which ends in front of it.

    >>> [text[begin:end] for text in ["It fails. Why?\\nNo"] for begin, end in sentence_spans(text)]
    ['It fails', '. Why', 'No']
    """
    begin = 0
    for match in _END.finditer(text):
        end = match.start()
        is_soft = match[0] in _SOFT and match[0] != ""
        if end - begin >= _MIN_CHARACTERS:
            yield max(begin, end - _MAX_CHARACTERS), end
            begin = end
        if not is_soft:
            begin = end + 1
