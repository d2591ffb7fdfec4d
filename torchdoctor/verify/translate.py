"""The probe's sentence with what it is made of -> a message that can be shown in another language."""

from __future__ import annotations

from typing import Any

from torchdoctor.core.i18n.catalog import current_language, in_catalog
from torchdoctor.core.i18n.messages import Message, joined

__all__ = ["translatable"]

_SEPARATORS = ("", ", ", "; ", " and ", " or ")
_DEEPEST, _MOST = 6, 50


def translatable(english: str, parts: object) -> str:
    """The sentence as a message, where `parts` make exactly it and each template is one of our own.

    What the environment's process sends is not trusted: a template is only used when the catalogue has it, values
    are text that is never formatted again, and anything odd leaves the English sentence as it came.
    """
    if current_language() == "en":
        return english
    try:
        made = _made(parts, _DEEPEST)
    except (KeyError, ValueError, IndexError, AttributeError, TypeError):
        return english
    return made if isinstance(made, Message) and made == english else english


class _Value(str):
    """A value that the probe has formatted already."""

    __slots__ = ()

    def __format__(self, _spec: str) -> str:
        return str(self)

    def __repr__(self) -> str:
        return str(self)


def _made(parts: object, depth: int) -> str:
    if isinstance(parts, str):
        return _Value(parts)
    if depth == 0 or not isinstance(parts, list) or len(parts) != 2:  # noqa: PLR2004  # a template and its values
        raise ValueError(parts)
    template, values = parts
    if not isinstance(template, str) or not isinstance(values, (dict, list)) or len(values) > _MOST:
        raise ValueError(parts)
    if isinstance(values, list):
        if template not in _SEPARATORS:
            raise ValueError(template)
        return joined([_made(row, depth - 1) for row in values], template)
    if not in_catalog(template):
        raise ValueError(template)
    filled: dict[str, Any] = {str(name): _made(row, depth - 1) for name, row in values.items()}
    return Message(template, filled)
