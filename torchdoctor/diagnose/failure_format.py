"""The format of a failure file: what each key may hold, checked key by key, and the plain value that is kept.

The standard library alone, since the build of the package compiles the files with this module. `failure.schema.json`
says the same for editors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from torchdoctor.diagnose.bounded import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reader = Callable[[Any], Any]

__all__ = ["CONFIDENCES", "FormatError", "read_condition", "read_failure", "read_shared"]

CONFIDENCES = ("certain", "likely", "possible", "hint", "background")
_LAYERS = (
    "hardware", "kernel-module", "device-nodes", "driver-library", "container", "system", "install", "wheel",
    "companions", "packages", "environment", "notebook", "runtime",
)  # fmt: skip
_SYSTEMS = ("linux", "windows", "macos")
_KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# What a condition looks for: exactly one of these, or `none` alone.
_KINDS = ("shared", "text", "fact", "predicate", "any", "all")
# Keys that only go with another one.
_BELONGS_TO = {"regex": "text", "value": "fact", "below": "fact", "with": "predicate"}


class FormatError(ValueError):
    """What is wrong, and the path of keys to it, which grows while the error passes outwards."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path: list[str | int] = []

    def __str__(self) -> str:
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{path.removeprefix('.')}: {self.problem}" if path else self.problem


def read_failure(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the failure of a parsed file, without its cases and with its texts unwrapped.

    Raises FormatError, which names the key, for a key that is missing, unknown or holds the wrong thing.
    """
    failure: dict[str, Any] = _FAILURE(document)
    if ("kernel_problem" in failure) != (failure.get("repair") == "kernel"):
        raise FormatError('`repair = "kernel"` and `kernel_problem` go together')
    expected = {case.get("expect", "first") for case in failure.pop("case")}
    if expected != {"first", "absent"}:
        raise _at("case", FormatError('needs a case that shows the failure and one with `expect = "absent"`'))
    return failure


def read_condition(value: Any) -> Any:
    """Return a condition as signs have it: the name of a shared one, or a table. Raises FormatError."""
    return _condition(value)


def read_shared(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shared signs of `_shared.toml`: name -> condition. Raises FormatError."""
    return {name: _within(name, _condition, condition) for name, condition in document.items()}


def _at(step: str | int, error: FormatError) -> FormatError:
    error.path.insert(0, step)
    return error


def _within(step: str | int, read: Reader, value: Any) -> Any:
    try:
        return read(value)
    except FormatError as error:
        raise _at(step, error) from None


def _string(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise FormatError("must be a text that is not empty")
    return value


def _prose(value: Any) -> str:
    """In a text for people, the end of a line is a blank."""
    return " ".join(_string(value).split())


def _needle(value: Any) -> str:
    needle = _string(value)
    if needle != needle.lower():
        raise FormatError(f"{needle!r} must be in lower case, as the text is that it is looked for in")
    return needle


def _regex(value: Any) -> str:
    """In a regular expression, the end of a line and blanks around it stand for nothing; `*` and `+` get an end."""
    lines = _string(value).split("\n")
    pattern = lines[0] if len(lines) == 1 else "".join(line.strip() for line in lines)
    try:
        re.compile(pattern)
    except re.error as error:
        raise FormatError(f"is not a regular expression: {error}") from None
    return bounded(pattern)


def _version(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d+(?:\.\d+)*", value):
        raise FormatError('must be a version of numbers, such as "20.3"')
    return value


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not _KEBAB.fullmatch(value):
        raise FormatError("must be small letters, digits and hyphens")
    return value


def _one_of(*words: str) -> Reader:
    def read(value: Any) -> str:
        if value not in words:
            raise FormatError(f"must be one of {', '.join(words)}, not {value!r}")
        return str(value)

    return read


def _list_of(reader: Reader, *, least: int = 1) -> Reader:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) < least:
            raise FormatError(f"must be a list of {least} or more")
        return [_within(index, reader, item) for index, item in enumerate(value)]

    return read


def _table(fields: Mapping[str, Reader], *, required: tuple[str, ...] = ()) -> Reader:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise FormatError("must be a table")
        for key in value:
            if key not in fields:
                raise FormatError(f"has the unknown key {key!r}; known are {', '.join(fields)}")
        for key in required:
            if key not in value:
                raise FormatError(f"lacks the key {key!r}")
        return {key: _within(key, fields[key], item) for key, item in value.items()}

    return read


def _keywords(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormatError("must be a table of the predicate's keywords")
    return dict(value)


def _facts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        raise FormatError("must be a table of facts, each with its value")
    return {name: _within(name, _string, fact) for name, fact in value.items()}


def _condition(value: Any) -> Any:
    if isinstance(value, str):
        return _identifier(value)
    condition: dict[str, Any] = _CONDITION(value)
    _check_condition(condition)
    return condition


def _check_condition(condition: Mapping[str, Any]) -> None:
    kinds = [key for key in _KINDS if key in condition]
    if len(kinds) > 1:
        raise FormatError(f"looks for {' and '.join(kinds)}: put them into `all` or `any`")
    if not kinds and "none" not in condition:
        raise FormatError(f"needs one of {', '.join(_KINDS)}, none")
    for key, owner in _BELONGS_TO.items():
        if key in condition and owner not in condition:
            raise FormatError(f"{key!r} goes with {owner!r}")
    if "value" in condition and "below" in condition:
        raise FormatError("has both 'value' and 'below'")


def _sign(value: Any) -> dict[str, Any]:
    sign: dict[str, Any] = _SIGN(value)
    _check_condition(sign)
    return sign


def _unless(value: Any) -> dict[str, Any]:
    exclusion: dict[str, Any] = _UNLESS(value)
    _check_condition(exclusion)
    return exclusion


def _fix(value: Any) -> dict[str, Any]:
    step: dict[str, Any] = _FIX(value)
    if "text" not in step and "command" not in step:
        raise FormatError("needs a text, a command or both")
    return step


def _case(value: Any) -> dict[str, Any]:
    case: dict[str, Any] = _CASE(value)
    if ("text" in case) == ("facts" in case):
        raise FormatError("needs a text or facts")
    return case


_CONDITION_KEYS: dict[str, Reader] = {
    "shared": _identifier,
    "text": _list_of(_needle),
    "regex": _regex,
    "fact": _string,
    "value": _regex,
    "below": _version,
    "predicate": _string,
    "with": _keywords,
    "any": _list_of(_condition),
    "all": _list_of(_condition, least=2),
    "none": _list_of(_condition),
}
_CONDITION = _table(_CONDITION_KEYS)
_ON: dict[str, Reader] = {"on": _one_of("live")}
_SIGN = _table({"confidence": _one_of(*CONFIDENCES), **_ON, **_CONDITION_KEYS}, required=("confidence",))
_UNLESS = _table({**_ON, **_CONDITION_KEYS})
_FIX = _table(
    {
        "text": _prose,
        "command": _string,
        "who": _one_of("user", "host", "admin"),
        "os": _list_of(_one_of(*_SYSTEMS)),
        "installer": _list_of(_string),
        "when": _condition,
        "fallback": _fix,
    }
)
_CASE = _table(
    {"expect": _one_of("absent"), "source": _string, "text": _string, "facts": _facts},
    required=("source",),
)
_FAILURE = _table(
    {
        "id": _identifier,
        "layer": _one_of(*_LAYERS),
        "severity": _one_of("error", "warning", "note"),
        "os": _list_of(_one_of(*_SYSTEMS)),
        "frequency": _one_of("very common", "common", "occasional", "rare"),
        "title": _prose,
        "explanation": _prose,
        "details": _list_of(_prose),
        "confirm": _prose,
        "masks": _list_of(_identifier),
        "asks": _list_of(_identifier),
        "repair": _one_of("other-build", "same-build", "relocate", "unneeded", "kernel"),
        "kernel_problem": _identifier,
        "seen_as": _list_of(_string),
        "threads": _list_of(_string),
        "sign": _list_of(_sign),
        "unless": _list_of(_unless),
        "fix": _list_of(_fix),
        "case": _list_of(_case, least=2),
    },
    required=("id", "layer", "severity", "os", "title", "explanation", "confirm", "sign", "fix", "case"),
)
