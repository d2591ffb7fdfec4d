"""Text for an output whose encoding lacks some characters, such as a pipe on Windows in cp1252 or GBK."""

from __future__ import annotations

import codecs

__all__ = ["LOOK_ALIKES", "write_look_alikes"]

# One ASCII character or a few for each: what a terminal with few characters shows.
_FOLDED = {
    "✓": "ok", "✗": "x", "·": "-", "…": "...", "—": "-", "→": "->", "←": "<-", "≥": ">=", "≤": "<=", "±": "+/-",
    "°": " deg", "“": '"', "”": '"', "•": "*", "µ": "u", "█": "#", "▌": "-", "\N{EN DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x", "\N{LEFT SINGLE QUOTATION MARK}": "'", "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "─": "-", "━": "-", "│": "|", "┃": "|", "├": "|", "└": "`", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┌": "+",
    "┐": "+", "┘": "+", "┼": "+", "┬": "+", "┴": "+", "┤": "|", "╸": "-", "╺": "-", "╴": "-", "╶": "-",
}  # fmt: skip
LOOK_ALIKES = "torchdoctor.look_alikes"  # an error handler of codecs


def write_look_alikes() -> str:
    """Register the error handler that writes look-alikes, and escapes of other characters; return its name."""
    codecs.register_error(LOOK_ALIKES, _replace)
    return LOOK_ALIKES


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_look_alike, text)), error.end


def _look_alike(character: str) -> str:
    escaped = character.encode("ascii", "backslashreplace").decode("ascii")
    return _FOLDED.get(character, escaped)
