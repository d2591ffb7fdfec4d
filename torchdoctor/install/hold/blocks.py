"""Lines that are put into a file of somebody else's, between two marks, and taken out of it again byte by byte."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MARK", "ChangedBlock", "insert_block", "newline_of", "remove_blocks"]

MARK = "torchdoctor hold"
_UNFINISHED = "unfinished"  # the line before the block had no end


class ChangedBlock(ValueError):
    """Somebody changed the lines between the marks."""


def insert_block(text: str, position: int, lines: list[str], comment: str = "#") -> str:
    """Return `text` with a block of these lines at `position`, which is the start of a line or the end of the text.

    `comment` begins a comment in the file's language. The lines end as those of the text do.
    """
    end = newline_of(text)
    before, after = text[:position], text[position:]
    unfinished = bool(before) and not before.endswith("\n")
    digest = _digest(lines)
    word = f" {_UNFINISHED}" if unfinished else ""
    block = [f"{comment} >>> {MARK} {digest}{word} >>>", *lines, f"{comment} <<< {MARK} <<<"]
    return before + (end if unfinished else "") + "".join(f"{line}{end}" for line in block) + after


def remove_blocks(
    text: str, comment: str = "#", *, keep: Callable[[list[str], str], str] = lambda _lines, _after: ""
) -> str:
    """Return `text` without blocks; raises `ChangedBlock` where the lines of one are not as they were put there.

    `keep` gets the lines of a block and the text after it, and returns what stays in its place.
    """
    mark = re.escape(f"{comment} >>> {MARK} ")
    block = re.compile(
        rf"(?P<before>\r?\n)?^{mark}(?P<digest>[0-9a-f]+)(?P<unfinished> {_UNFINISHED})? >>>\r?\n"
        rf"(?P<lines>(?:(?!{mark}).*\n)*?){re.escape(f'{comment} <<< {MARK} <<<')}\r?(?:\n|\Z)",
        re.MULTILINE,
    )

    def replacement(match: re.Match[str]) -> str:
        lines = match["lines"].splitlines()
        if _digest(lines) != match["digest"]:
            raise ChangedBlock
        before = "" if match["unfinished"] else match["before"] or ""
        return before + keep(lines, text[match.end() :])

    return block.sub(replacement, text)


def newline_of(text: str) -> str:
    """Return how the lines of a text end."""
    return "\r\n" if "\r\n" in text else "\n"


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:12]
