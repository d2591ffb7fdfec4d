"""JSON to dataclasses and back: strict, with the path of a wrong field, and driven by the types of the fields.

cattrs would do it too, but takes longer to import than `resolve` takes to answer.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FieldError", "MaxItems", "Pattern", "ShortText", "WholeNumber", "from_json", "to_json"]

T = TypeVar("T")
_MAX_NUMBER = 1e300


class FieldError(ValueError):
    """A field of a document that cannot be read: its `path`, and what was `expected` and is `shown` there."""

    def __init__(self, path: str, expected: str, value: Any) -> None:
        self.path, self.expected, self.shown = path, expected, _short(value)
        super().__init__(
            message(
                "{path}: expected {expected}, found {shown}",
                path=path,
                expected=expected,
                shown=self.shown,
            )
        )


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text that matches the regular expression as a whole; `expected` is a description or an example of it."""

    regex: str
    expected: str


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number within limits, or one of a few."""

    allowed: range | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MaxItems:
    """A list of at most `count` entries."""

    count: int


ShortText = Annotated[str, Pattern(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}", "a short text")]


def from_json(document: Any, cls: type[T], *, path: str = "", whole: str = "the document") -> T:
    """Return the `cls` that a JSON document describes; `path` is where in its file the document stands.

    A missing field has its default, and null is as good as missing unless the field may be None. Fields that the class
    does not have are ignored. `whole` names the document where that itself is wrong. Raises `FieldError`.
    """
    try:
        return cast("T", _reader(cast("Any", cls))(document, path))
    except FieldError as error:
        if error.path:
            raise
        raise FieldError(whole, error.expected, document) from error


def to_json(value: Any) -> Any:
    """Return what JSON can hold: objects of dataclasses in the order of their fields, lists of tuples.

    Unknown is null. Bytes of a file name that are no text become `?`.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(item) for item in value]
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    return value if value is None or isinstance(value, (int, float, bool)) else str(value)


@cache
def _reader(kind: Any) -> Callable[[Any, str], Any]:
    """The function that reads a value of a type, given the value and its path."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda value, _: value
    if origin is Annotated:
        return _annotated_reader(arguments[0], arguments[1:])
    if origin is Literal:
        return _literal_reader(arguments)
    if origin in (Union, types.UnionType):
        return _union_reader(arguments)
    if origin is tuple:
        return _tuple_reader(arguments)
    if origin is not None and issubclass(origin, Sequence):
        return _tuple_reader((arguments[0], ...))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_reader(_reader(arguments[1]))
    if is_dataclass(origin or kind):
        return _dataclass_reader(origin or kind, arguments)
    return _plain_reader(kind)


_PLAIN: dict[type, str] = {
    str: message("a text"),
    int: message("a whole number"),
    float: message("a number"),
    bool: message("true or false"),
    dict: message("an object"),
    list: message("a list"),
}


def _plain_reader(kind: type) -> Callable[[Any, str], Any]:
    expected = _PLAIN[kind]
    accepted = (int, float) if kind is float else kind

    def read(value: Any, path: str) -> Any:
        # True is an int to Python.
        wrong_bool = isinstance(value, bool) and kind is not bool
        if not isinstance(value, accepted) or wrong_bool or (kind is float and not _finite(value)):
            raise FieldError(path, expected, value)
        return value

    return read


def _finite(value: Any) -> bool:
    return abs(value) < _MAX_NUMBER and math.isfinite(value)


def _annotated_reader(kind: Any, limits: tuple[Any, ...]) -> Callable[[Any, str], Any]:
    read = _reader(kind)

    def read_limited(value: Any, path: str) -> Any:
        for limit in limits:
            _check_limit(limit, value, path)
        return read(value, path)

    return read_limited


def _check_limit(limit: Any, value: Any, path: str) -> None:
    if isinstance(limit, Pattern):
        if not isinstance(value, str) or not re.fullmatch(limit.regex, value, re.ASCII):
            expected = limit.expected if " " in limit.expected else f'"{limit.expected}"'
            raise FieldError(path, expected, value)
    elif isinstance(limit, WholeNumber):
        if type(value) is not int or value not in limit.allowed:
            raise FieldError(path, _described(limit.allowed), value)
    elif isinstance(limit, MaxItems) and isinstance(value, list) and len(value) > limit.count:
        raise FieldError(path, message("at most {limit} entries", limit=limit.count), f"{len(value)} entries")


def _described(allowed: range | tuple[int, ...]) -> str:
    if isinstance(allowed, range):
        return message("a whole number from {least} to {most}", least=allowed[0], most=allowed[-1])
    return " or ".join(map(str, allowed))


def _literal_reader(words: tuple[Any, ...]) -> Callable[[Any, str], Any]:
    expected = " or ".join(f'"{word}"' for word in words)

    def read(value: Any, path: str) -> Any:
        if not isinstance(value, str) or value not in words:
            raise FieldError(path, expected, value)
        return value

    return read


def _union_reader(kinds: tuple[Any, ...]) -> Callable[[Any, str], Any]:
    readers = [_reader(kind) for kind in kinds if kind is not types.NoneType]

    def read(value: Any, path: str) -> Any:
        if value is None and types.NoneType in kinds:
            return None
        for reader in readers[:-1]:
            try:
                return reader(value, path)
            except FieldError:
                continue
        return readers[-1](value, path)

    return read


def _tuple_reader(kinds: tuple[Any, ...]) -> Callable[[Any, str], Any]:
    any_length = len(kinds) == 2 and kinds[1] is Ellipsis  # noqa: PLR2004
    readers = [_reader(kind) for kind in kinds if kind is not Ellipsis]

    def read(value: Any, path: str) -> Any:
        if not isinstance(value, (list, tuple)):
            raise FieldError(path, message("a list"), value)
        if any_length:
            return tuple(readers[0](item, f"{path}[{place}]") for place, item in enumerate(value))
        if len(value) != len(readers):
            raise FieldError(path, message("{count} entries", count=len(readers)), f"{len(value)} entries")
        pairs = zip(readers, value, strict=True)
        return tuple(reader(item, f"{path}[{place}]") for place, (reader, item) in enumerate(pairs))

    return read


def _mapping_reader(read_value: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    def read(value: Any, path: str) -> Any:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise FieldError(path, message("an object"), value)
        return {key: read_value(item, _below(path, key)) for key, item in value.items()}

    return read


def _dataclass_reader(cls: Any, arguments: tuple[Any, ...]) -> Callable[[Any, str], Any]:
    """A generic class such as `Fact[str]` is read with its arguments in place of its type variables."""
    variables = dict(zip(getattr(cls, "__parameters__", ()), arguments, strict=False))
    hints = get_type_hints(cls, include_extras=True)
    plan = [
        (field.name, _replaced(hints[field.name], variables), _has_default(field))
        for field in fields(cls)
        if field.init
    ]

    def read(value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            raise FieldError(path, message("an object"), value)
        given = {}
        for name, kind, optional in plan:
            item = value.get(name)
            if item is None and optional and not (name in value and _allows_none(kind)):
                continue
            if name not in value and _allows_none(kind):
                raise FieldError(_below(path, name), message("a value or null"), None)
            given[name] = _reader(kind)(item, _below(path, name))
        return cls(**given)

    return read


def _has_default(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


@cache
def _allows_none(kind: Any) -> bool:
    return kind is Any or types.NoneType in get_args(kind)


def _replaced(kind: Any, variables: Mapping[Any, Any]) -> Any:
    if not variables:
        return kind
    if isinstance(kind, TypeVar):
        return variables.get(kind, Any)
    parameters = getattr(kind, "__parameters__", ())
    return kind[tuple(variables.get(variable, Any) for variable in parameters)] if parameters else kind


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _short(value: Any) -> str:
    if value is None:
        return message("nothing")
    if isinstance(value, (Mapping, list, tuple)):
        return message("an object") if isinstance(value, Mapping) else message("a list")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**20:
        return message("a huge number")
    return f"{value!r:.60}" if isinstance(value, str) else f"{value}"[:60]
