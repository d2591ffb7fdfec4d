"""What is wrong with a TOML file and where, in words of our own."""

from __future__ import annotations

import re

from torchdoctor.core.i18n import message

__all__ = ["explain_toml_error"]

# How tomllib says what is wrong and where; what it says is in the catalogue (tools/texts.py).
_TOLD = re.compile(
    r"(?P<why>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)
_TWICE = re.compile(r"Cannot declare \((.*)\) twice")


def explain_toml_error(error: Exception, text: str) -> str:
    """Return what the reader of TOML says of `text`, with line and column where it names a place."""
    if isinstance(error, RecursionError):
        return message("its tables lie too deep in one another")
    match = _TOLD.fullmatch(str(error))
    if match is None:
        return str(error)
    line, column = (match["line"], match["column"]) if match["line"] else _end_of(text)
    if twice := _TWICE.fullmatch(match["why"]):
        names = ".".join(re.findall(r"'([^']*)'", twice[1]))
        return message("line {line}: the table {name} is there twice", line=line, name=names)
    if match["line"] is None:
        return message(
            "line {line}, column {column}, the end: {why}", line=line, column=column, why=match["why"]
        )
    return message("line {line}, column {column}: {why}", line=line, column=column, why=match["why"])


def _end_of(text: str) -> tuple[int, int]:
    """Line and column behind the last sign."""
    before, _, last = text.rpartition("\n")
    return before.count("\n") + bool(before or text.startswith("\n")) + 1, len(last) + 1
