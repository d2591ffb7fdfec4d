"""Reads what another program answered, which may be anything at all."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import transform
from torchdoctor.core.visible import visible

if TYPE_CHECKING:
    import ast

__all__ = [
    "ESCAPE_SEQUENCES",
    "HIDDEN_CHARACTERS",
    "printable_line",
    "read_json",
    "read_literal",
    "read_object",
    "sanitize_line",
]

# CSI, OSC and the other escape sequences of ECMA-48; what is left of them is a control character.
ESCAPE_SEQUENCES = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,16}[@-~]|\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)|[@-Z\\-_])"
)
# Controls, and what reorders or hides text: bidirectional marks, zero-width characters, surrogates.
HIDDEN_CHARACTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
# What ends or pads a value, and what no encoding holds. An escape sequence is shown.
_COLOURS = re.compile(r"\x1b\[[0-9;]{0,32}m")
_UNWANTED = re.compile(r"[\x00-\x1a\x1c-\x1f\x7f\ud800-\udfff\ufffd]")


def read_json(text: str) -> Any:
    """Parse JSON; ValueError for whatever is none, however deep it is nested."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_literal(source: str | ast.expr) -> Any:
    """Parse a literal of Python; ValueError for anything else, such as a set of lists."""
    import ast

    try:
        return ast.literal_eval(source)
    except (TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("it is no literal") from error


def read_object(text: str) -> dict[str, Any]:
    """Parse a JSON object; ValueError for anything else."""
    value = read_json(text)
    if not isinstance(value, dict):
        raise ValueError("it is not an object")  # noqa: TRY004  (one kind of error for a bad answer)
    return value


def sanitize_line(text: str, *, limit: int = 200) -> str:
    """The text on one line without characters that a terminal would obey or JSON could not hold."""
    return transform(text, lambda one: visible(_UNWANTED.sub("", one).strip()[:limit].strip()))


def printable_line(text: str, *, limit: int = 400) -> str:
    """The text as a line that a terminal shows as it is: without colours, with escapes of what else would act."""
    return transform(text, lambda one: _printable(one, limit))


def _printable(text: str, limit: int) -> str:
    clean = visible(_COLOURS.sub("", text).replace("\r\n", "\n").replace("\t", "    "))
    return clean.replace("\n", " ").rstrip()[:limit]
