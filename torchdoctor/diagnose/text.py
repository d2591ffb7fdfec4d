"""A pasted text as plain text: without escapes, quotes and markup; each position leads back to its line."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import transform
from torchdoctor.core.text import ESCAPE_SEQUENCES, HIDDEN_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LIMIT", "Text", "blanked", "displayable", "plain_text"]

# In characters. Of a longer text the beginning, the end, and lines between that name errors are read.
LIMIT = 400_000
_MAX_LINE_CHARACTERS = 4_000
_MAX_HITS = 40
_MAX_SHOWN_CHARACTERS = 300

_BACKSPACED = re.compile(r".\x08")
_QUOTE = re.compile(r"^[ \t]{0,40}(?:(?:>|&gt;)[ \t]?){1,20}(?!>)")
_MARKUP = re.compile(
    r"</?(?:br|p|pre|code|details|summary|div|span|b|i|em|strong|blockquote)\b[^<>\n]{0,200}>", re.IGNORECASE
)
_FENCE = re.compile(r"^\s{0,20}(?:```|~~~)[\w +-]{0,30}$")
_BLANKS = re.compile(r"\s+")
_ROW = re.compile(r"[^\n]+")
_RELEVANT = (
    "error", "fail", "torch", "cuda", "nvidia", "nvrm", "warning", "driver", "no such", "not found", "rocm", "hip",
    "python", "denied", "killed", "symbol", "kernel", "dll", "pip", "errno", "version", "omp",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """The lines of a text, and the same as one line.

    `lines` are as written and `numbers` theirs in the given text, counted from 1; `left_out` is the number of lines
    that were not read. `flat` is all lines joined by blanks, so that a sentence that a terminal wrapped is whole in it;
    `lower` is `flat` in lower case, `rows` is `lower` with the ends of lines. Positions are the same in all three, and
    `starts` are those where the lines begin. `printed` if programs printed all of it, and nobody tells anything.
    """

    lines: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    flat: str = ""
    lower: str = ""
    rows: str = ""
    starts: tuple[int, ...] = ()
    left_out: int = 0
    printed: bool = False

    def find(self, needle: str) -> Iterator[int]:
        """Yield the positions of a needle, in lower case, in `lower`; the first 40 at most."""
        at = self.lower.find(needle)
        for _ in range(_MAX_HITS):
            if at < 0:
                return
            yield at
            at = self.lower.find(needle, at + len(needle))

    def line_at(self, position: int) -> tuple[int, str]:
        """Return the number of the line at a position, counted from 1, and its text."""
        index = max(bisect_right(self.starts, position) - 1, 0)
        return (self.numbers[index], self.lines[index]) if self.lines else (0, "")


def plain_text(raw: str) -> Text:
    """Return a text without escapes, Markdown quotes and fences, HTML tags and hidden characters."""
    clean = _without_escapes(raw)
    all_lines = [(number, line) for number, line in enumerate(map(_plain_line, clean.split("\n")), 1) if line]
    lines = _most_relevant(all_lines)
    words: list[str] = []
    starts: list[int] = []
    position = 0
    for _, line in lines:
        flat = _BLANKS.sub(" ", line).strip()
        starts.append(position)
        words.append(flat)
        position += len(flat) + 1
    flat = " ".join(words)
    lower = _lowered(flat)
    return Text(
        lines=tuple(line for _, line in lines),
        numbers=tuple(number for number, _ in lines),
        flat=flat,
        lower=lower,
        rows=_with_ends(lower, starts),
        starts=tuple(starts),
        left_out=len(all_lines) - len(lines),
    )


def blanked(part: str) -> str:
    """Return a part of a text with a blank for each character but the ends of lines, so that positions stay."""
    return _ROW.sub(lambda row: " " * len(row[0]), part)


def displayable(line: str) -> str:
    """Return a line that can be shown as evidence: one line, without hidden characters, of 300 characters at most."""
    return transform(line, _fit_to_show)


def _fit_to_show(line: str) -> str:
    flat = _BLANKS.sub(" ", HIDDEN_CHARACTERS.sub("", line)).strip()
    return flat if len(flat) <= _MAX_SHOWN_CHARACTERS else f"{flat[: _MAX_SHOWN_CHARACTERS - 1]}…"


def _without_escapes(raw: str) -> str:
    text = raw.replace("\r\n", "\n").replace("\r", "\n") if "\r" in raw else raw
    if "\x1b" in text:
        text = ESCAPE_SEQUENCES.sub("", text)
    if "\x08" in text:
        text = _BACKSPACED.sub("", text)
    return text


def _plain_line(line: str) -> str:
    line = line[:_MAX_LINE_CHARACTERS].rstrip()
    if not line:
        return ""
    if ">" in line or "&gt;" in line:
        line = _MARKUP.sub(" ", _QUOTE.sub("", line))
    if "&" in line:
        import html  # its table of entities is large, and few lines have one

        line = html.unescape(line)
    if not line.isascii() or not line.isprintable():
        line = HIDDEN_CHARACTERS.sub("", line.replace("\t", " ").replace("\u00a0", " "))
        line = line.translate(_QUOTATION)
    is_fence = ("`" in line or "~" in line) and _FENCE.match(line)
    return "" if is_fence else line.rstrip()


_QUOTATION = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


def _most_relevant(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return all lines of a text of usual size; of a longer one its two ends and the lines between that name errors."""
    if sum(len(line) + 1 for _, line in lines) <= LIMIT:
        return lines
    head = _until(lines, LIMIT // 3)
    tail = _until(lines[: len(head) - 1 : -1], LIMIT // 3)[::-1]
    seen: set[str] = set()
    middle: list[tuple[int, str]] = []
    room = LIMIT // 3
    for number, line in lines[len(head) : len(lines) - len(tail)]:
        if line in seen:
            continue
        seen.add(line)
        lower = line.lower()
        if any(word in lower for word in _RELEVANT):
            room -= len(line) + 1
            if room < 0:
                break
            middle.append((number, line))
    return [*head, *middle, *tail]


def _until(lines: list[tuple[int, str]], size: int) -> list[tuple[int, str]]:
    for count, (_, line) in enumerate(lines):
        size -= len(line) + 1
        if size < 0:
            return lines[:count]
    return lines


def _with_ends(lower: str, starts: list[int]) -> str:
    ends = [start - 1 for start in starts[1:]]
    parts = [lower[one + 1 : other] for one, other in zip([-1, *ends], [*ends, len(lower)], strict=True)]
    return "\n".join(parts)


def _lowered(text: str) -> str:
    lower = text.lower()
    # A few capitals, such as a dotted I, become two characters: positions would not fit.
    return (
        lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    )
