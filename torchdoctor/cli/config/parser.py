"""The text of a config file -> options by command, each with the line that gives it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Config", "ConfigError", "parse_config"]

_SCALARS = (str, int, float, bool)
# How tomllib says what is wrong and where; what it says is in the catalogue (tools/texts.py).
_TOLD = re.compile(
    r"(?P<why>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)
_TWICE = re.compile(r"Cannot declare \((.*)\) twice")
_LONGEST = 1 << 20  # bytes; a config file is some lines


class ConfigError(UsageError):
    """The config file cannot be used; the message names the line and the column, or the key."""

    code = "config"


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """What a config file sets.

    `values` is nested as the commands are: `{"lang": "zh", "install": {"mirror": "nju"}}`; `lines` gives the
    line, from 1, of each dotted key.
    """

    path: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def place(self, key: str) -> str:
        """Where a dotted key is set: file and line."""
        line = self.lines.get(key)
        return f"{self.path}:{line}" if line else self.path

    def table(self, command: str) -> Mapping[str, Any]:
        """The table of a command, named as it is typed: `jupyter-kernel add`."""
        inside: Any = self.values
        for name in command.split():
            inside = inside.get(name) if isinstance(inside, dict) else None
        return inside if isinstance(inside, dict) else {}


def parse_config(text: str, *, path: str) -> Config:
    """Read TOML; raises `ConfigError` where it is not TOML, or where a value is no option's."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    if len(text) > _LONGEST:
        raise ConfigError(
            message("{path} is larger than 1 MiB", path=path),
            fix=message("a config file is a few lines long; check that {path} is the right file", path=path),
        )
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(
            message("{path} is not TOML: {what}", path=path, what=_wrong(error, text)),
            fix=message("correct that line of {path}", path=path),
        ) from error
    config = Config(path=path, values=values, lines=_lines(text))
    _check(config, values, "")
    return config


def _wrong(error: Exception, text: str) -> str:
    """What the reader of TOML says, in words of our own where it names a place."""
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


def _check(config: Config, table: Mapping[str, Any], above: str) -> None:
    for name, value in table.items():
        key = f"{above}{name}"
        if isinstance(value, dict):
            _check(config, value, f"{key}.")
        elif not isinstance(value, _SCALARS) and not _is_list_of_scalars(value):
            raise ConfigError(
                message(
                    "{place}: {key} is neither text, a number, true or false, nor a list of them",
                    place=config.place(key),
                    key=key,
                ),
                fix=message("give {key} as its option takes it", key=key),
            )


def _is_list_of_scalars(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, _SCALARS) for item in value)


def _lines(text: str) -> dict[str, int]:
    """The line of each plain `key = value`; keys written in another way are found by their table only."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := re.match(r"\s{0,20}\[([A-Za-z0-9_.\- ]{1,80})\]", line):
            table = heading[1].replace(" ", "") + "."
        elif key := re.match(r"\s{0,20}([A-Za-z0-9_.\-]{1,80})\s{0,20}=", line):
            found.setdefault(f"{table}{key[1]}", number)
    return found
