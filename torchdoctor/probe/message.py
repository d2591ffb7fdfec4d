"""A sentence that keeps its template and values, so that the parent can translate it."""

from __future__ import annotations

from string import Formatter
from typing import Any, Iterable

__all__ = ["Sentence", "joined", "parts_of", "sentence"]


class Sentence(str):  # noqa: SLOT000  # it has an attribute
    """English text; `parts` are its template and each value by name, formatted as in the text."""

    parts: Any = None


def sentence(template: str, **values: Any) -> str:
    """Fill a template of `str.format`, which has to be a literal. A value may be a sentence itself."""
    text = Sentence(template.format(**values))
    parts: dict[str, Any] = {}
    for _, name, spec, conversion in Formatter().parse(template):
        if not name:
            continue
        value = values[name]
        value = repr(value) if conversion == "r" else value
        parts[name] = parts_of(value) if isinstance(value, Sentence) else format(value, spec or "")
    text.parts = [template, parts]
    return text


def joined(texts: Iterable[Any], separator: str = ", ") -> str:
    """Return the texts with the separator between them."""
    pieces = list(texts)
    text = Sentence(separator.join(str(piece) for piece in pieces))
    text.parts = [separator, [parts_of(piece) for piece in pieces]]
    return text


def parts_of(text: Any) -> Any:
    """Return the parts of a sentence as JSON; any other text as it is."""
    return text.parts if isinstance(text, Sentence) and text.parts is not None else str(text)
