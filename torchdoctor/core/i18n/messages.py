"""A text with values in it: English wherever it is kept or compared, the reader's language where it is shown."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.core.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = [
    "Message",
    "joined",
    "message",
    "plural",
    "transform",
    "translate",
    "translate_document",
    "with_trailing_space",
]


class Message(str):
    """The English text, which also knows the template and the values that it was made of.

    It is an ordinary string to everything that decides, sorts, compares or writes JSON. What is built from it by
    `+`, an f-string or `str.join` is English for good: give `message` and `joined` the parts instead.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Message:  # noqa: PYI034  (Self needs Python 3.11)
        """Fill the template; raises `KeyError` where it names a value that is not given."""
        made = super().__new__(cls, template.format_map(values))
        made.template, made.values = template, values
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        """What a copy is made from."""
        return self.template, dict(self.values)


class _Joined(Message):
    """Several texts with the same sign between them; `template` is the sign."""

    def __new__(cls, template: str, values: Mapping[str, object]) -> _Joined:  # noqa: PYI034
        made = str.__new__(cls, template.join(str(row) for row in values.values()))
        made.template, made.values = template, values
        return made


class _Reworked(Message):
    """A text to which something is done, such as cutting it, in whichever language it is shown."""

    def __new__(cls, template: str, values: Mapping[str, object]) -> _Reworked:  # noqa: PYI034
        made = str.__new__(cls, _done(str(values["text"]), values))
        made.template, made.values = template, values
        return made


def _done(text: str, values: Mapping[str, object]) -> str:
    by: Any = values["by"]
    return str(by(text))


def message(template: str, /, **values: object) -> Message:
    """A text for people. `template` is a literal in the form of `str.format`; a value may be such a text itself.

    A value named `strerror`, `why` or `reason` may be what the system says of a file that it refuses.

    `tools/texts.py` finds each template by this call and puts it into the catalogue.
    """
    return Message(template, values)


# A Chinese sign or a full-width mark.
_CHINESE = re.compile(r"[\u3001-\u303f\u4e00-\u9fff\uff01-\uff1f]")

# Values that may be the system's own words: why it refused.
_SAID = ("strerror", "why", "reason")


def plural(count: int, one: Message, many: Message) -> Message:
    """The text for one, or the text for any other number."""
    return one if count == 1 else many


# For the catalogue, which finds a text by its call.
_SEPARATORS = (message(", "), message("; "), message(" and "), message(" or "))


def joined(texts: Iterable[object], separator: str = ", ") -> Message:
    """The texts with the separator between them: ", ", "; ", " and " or ": ", which are translated as well."""
    return _Joined(separator, {str(number): row for number, row in enumerate(texts)})


def transform(text: str, by: Callable[[str], str]) -> str:
    """What `by` makes of the text; a message stays one, and its translation is treated the same way."""
    if not isinstance(text, Message):
        return by(text)
    return _Reworked("", {"text": text, "by": by}) if by(text) != text else text


def translate(text: str) -> str:
    """The text in the language spoken; one that is not a `Message` is looked up whole."""
    if isinstance(text, _Reworked):
        return _done(_value(text.values["text"]), text.values)
    if isinstance(text, _Joined):
        rows = [row for value in text.values.values() for row in (value, gettext(text.template))]
        return _put_together([_value(row) for row in rows[:-1]])
    if isinstance(text, Message):
        return _put_together(_filled(gettext(text.template), text.values))
    return gettext(text)


def _filled(template: str, values: Mapping[str, object]) -> Iterator[str]:
    """The parts of the template in their order: its own words, and the values."""
    form = Formatter()
    for literal, name, spec, conversion in form.parse(template):
        yield literal
        if name is not None:
            value: object = _value_kept(name, values[name])
            value = form.convert_field(value, conversion) if conversion else value
            text = form.format_field(value, spec or "")
            yield text if isinstance(values[name], Message) else visible(text)


def _put_together(parts: Iterable[str]) -> str:
    """The parts as one text; between two Chinese signs, of which one came with a value, stands no space."""
    whole = ""
    for part in parts:
        if _CHINESE.search(whole[-2:].rstrip(" ")[-1:]) and _CHINESE.match(part.lstrip(" ")[:1]):
            whole, part = whole.rstrip(" "), part.lstrip(" ")  # noqa: PLW2901
        whole += part
    return whole


def with_trailing_space(label: str) -> str:
    """The label or sentence with the space behind it that a full-width mark already holds."""
    return label if label.endswith(("：", "。")) else f"{label} "  # noqa: RUF001


def translate_document(document: Any) -> Any:
    """A JSON document with each of its messages in the language spoken; everything else as it is."""
    if isinstance(document, Message):
        return translate(document)
    if isinstance(document, dict):
        return {name: translate_document(row) for name, row in document.items()}
    if isinstance(document, (list, tuple)):
        return [translate_document(row) for row in document]
    return document


def _value(value: object) -> str:
    return translate(value) if isinstance(value, Message) else visible(str(value))


def _value_kept(name: str, value: object) -> object:
    """A number stays one, for the template's format; what the system says of a file is looked up whole."""
    if isinstance(value, Message):
        return translate(value)
    return gettext(value) if name in _SAID and isinstance(value, str) else value
