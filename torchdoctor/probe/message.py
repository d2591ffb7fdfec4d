"""A sentence that remembers its template and values, so that the parent can say it in another language."""

from __future__ import annotations

from string import Formatter
from typing import Any, Iterable

__all__ = ["Sentence", "joined", "parts_of", "sentence"]


class Sentence(str):  # noqa: SLOT000  # it has to carry something
    """English text; `parts` are its template and, by name, each value as it stands in the text."""

    parts: Any = None


def sentence(template: str, **values: Any) -> str:
    """The template, a literal in the form of `str.format`, filled. A value may be such a text itself."""
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
    """The texts with the separator between them."""
    rows = list(texts)
    text = Sentence(separator.join(str(row) for row in rows))
    text.parts = [separator, [parts_of(row) for row in rows]]
    return text


def parts_of(text: Any) -> Any:
    """What a text is made of, as JSON; the text itself where nothing is known of it."""
    return text.parts if isinstance(text, Sentence) and text.parts is not None else str(text)
