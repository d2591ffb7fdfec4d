"""Text as Markdown that issue trackers render: nothing of a value is markup, a mention, or a reference."""

from __future__ import annotations

import re

from torchdoctor.core.visible import visible

__all__ = ["fenced", "plain"]

# Every sign that Markdown or HTML gives a meaning.
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~&@$:])")
# A tracker looks for @name, #12, !3, ~label and addresses in what Markdown has made of the text, where a backslash is
# gone: a space of no width behind the sign makes them plain words.
_REFERENCE = re.compile(r"(\\[@#!~](?=\S)|\\:(?=/)|\bwww(?=\.))", re.IGNORECASE)
_NO_WIDTH = "&#8203;"
# GH-12, the other form of #12.
_GH = re.compile(r"\b(gh)(?=\\-\d)", re.IGNORECASE)


def plain(text: str) -> str:
    """Return a sentence in which only our own `code` between single backticks is markup."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return _escaped("`".join(parts))
    return "`".join(part if n % 2 else _escaped(part) for n, part in enumerate(parts))


def fenced(lines: tuple[str, ...], language: str = "text") -> list[str]:
    """Return a code block around lines, with a fence longer than any run of backticks in them."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *map(visible, lines), fence] if lines else []


def _escaped(text: str) -> str:
    escaped = _REFERENCE.sub(rf"\1{_NO_WIDTH}", _MARKUP.sub(r"\\\1", text))
    return _GH.sub(rf"\1{_NO_WIDTH}", escaped)
