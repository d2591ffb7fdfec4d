"""Lines of a text as they were written, and the parts of it that are of one machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FENCE", "MAX_LINE_CHARACTERS", "Line", "Span", "lines_in"]

MAX_LINE_CHARACTERS = 2_000
_UNDERLINE = re.compile(r"[\s>]{0,8}(?:-{3,}|={3,})\s*$")
FENCE = re.compile(r"[\s>]{0,12}(?:```|~~~)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A part of a text that is of one machine; `name` is empty where a program's report alone marks it."""

    start: int
    end: int
    name: str
    tool: str = ""
    is_sentence: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line: its number from 0, where it starts in the text, whether it stands in a fenced block or is underlined."""

    index: int
    start: int
    text: str
    in_fence: bool
    underlined: bool = False

    @property
    def lower(self) -> str:
        """The line in lower case, of the same length; of a very long one the beginning."""
        text = self.text[:MAX_LINE_CHARACTERS]
        lower = text.lower()
        # A few capitals, such as a dotted I, become two characters: positions would not fit.
        return (
            lower
            if len(lower) == len(text)
            else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        )


def lines_in(raw: str) -> Iterator[Line]:
    """Yield every line of a text."""
    start, in_fence = 0, False
    texts = raw.split("\n")
    for index, (text, following) in enumerate(zip(texts, [*texts[1:], ""], strict=True)):
        is_fence = bool(FENCE.match(text))
        underlined = bool(text.strip() and _UNDERLINE.match(following))
        yield Line(
            index=index, start=start, text=text, in_fence=in_fence and not is_fence, underlined=underlined
        )
        in_fence ^= is_fence
        start += len(text) + 1
