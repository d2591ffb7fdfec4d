"""The text of a config file -> options by command, each with the line that gives it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.core.toml_text import explain_toml_error
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Config", "ConfigError", "parse_config"]

_SCALARS = (str, int, float, bool)
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
            message("{path} is not TOML: {what}", path=path, what=explain_toml_error(error, text)),
            fix=message("correct that line of {path}", path=path),
        ) from error
    config = Config(path=path, values=values, lines=_lines(text))
    _check(config, values, "")
    return config


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
