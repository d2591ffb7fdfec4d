"""A sentence of the probe with its parts -> a message that can be shown in another language."""

from __future__ import annotations

from typing import Any

from torchdoctor.core.i18n import Message, current_language, joined
from torchdoctor.core.i18n.catalog import in_catalog

__all__ = ["translatable"]

_SEPARATORS = ("", ", ", "; ", " and ", " or ")
_MAX_DEPTH, _MAX_VALUES = 6, 50


def translatable(english: str, parts: object) -> str:
    """Return the sentence as a message, where `parts` make up exactly that sentence and each template is our own.

    What the environment's process sends is not trusted: a template is used only when the catalogue has it, values
    are text that is never formatted again, and anything unexpected leaves the English sentence as it is.
    """
    if current_language() == "en":
        return english
    try:
        built = _build(parts, _MAX_DEPTH)
    except (KeyError, ValueError, IndexError, AttributeError, TypeError):
        return english
    return built if isinstance(built, Message) and built == english else english


class _Value(str):
    """A value that the probe has already formatted."""

    __slots__ = ()

    def __format__(self, _spec: str) -> str:
        return str(self)

    def __repr__(self) -> str:
        return str(self)


def _build(parts: object, depth: int) -> str:
    if isinstance(parts, str):
        return _Value(parts)
    if depth == 0 or not isinstance(parts, list) or len(parts) != 2:  # noqa: PLR2004  # a template and its values
        raise ValueError(parts)
    template, values = parts
    if not isinstance(template, str) or not isinstance(values, (dict, list)) or len(values) > _MAX_VALUES:
        raise ValueError(parts)
    if isinstance(values, list):
        if template not in _SEPARATORS:
            raise ValueError(template)
        return joined([_build(part, depth - 1) for part in values], template)
    if not in_catalog(template):
        raise ValueError(template)
    filled: dict[str, Any] = {str(name): _build(part, depth - 1) for name, part in values.items()}
    return Message(template, filled)
