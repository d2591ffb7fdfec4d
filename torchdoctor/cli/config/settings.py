"""Where the config file lies, and what it means for the commands' options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import EnvironmentUnusable, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.cli.config.parser import Config

__all__ = [
    "EVERYWHERE",
    "MAX_CONFIG_BYTES",
    "config_path",
    "defaults_for",
    "everywhere_in",
    "read_config",
    "refuse_unknown",
]

MAX_CONFIG_BYTES = 16 << 20  # what is read; the parser refuses a smaller one

# Settings of every command, at the top of the file: the kind of each, and what it may be.
EVERYWHERE: dict[str, tuple[type, tuple[object, ...]]] = {
    "lang": (str, ("en", "zh")),
    "quiet": (bool, (True, False)),
    "verbose": (int, (0, 1, 2)),
}


def config_path() -> Path:
    """`TORCHDOCTOR_CONFIG`, else config.toml in this user's config folder."""
    given = os.environ.get("TORCHDOCTOR_CONFIG")
    if given:
        return Path(given).expanduser()
    from platformdirs import user_config_path

    from torchdoctor.core.fs.user_folders import user_directory

    return user_directory(user_config_path, "TORCHDOCTOR_CONFIG") / "config.toml"


def read_config(path: Path | None = None) -> Config | None:
    """What the config file says; None where there is none. Raises `ConfigError` when it cannot be used."""
    try:
        path = path or config_path()
        if str(path) == os.devnull:
            return None
        content = read_regular(path, limit=MAX_CONFIG_BYTES)
    except (FileNotFoundError, NotADirectoryError, EnvironmentUnusable):
        return None
    except OSError as error:
        from torchdoctor.cli.config.parser import ConfigError

        raise ConfigError(
            message("{file} cannot be read: {why}", file=path, why=error.strerror or error),
            fix=message("make it readable, or name another with TORCHDOCTOR_CONFIG"),
        ) from error
    from torchdoctor.cli.config.parser import ConfigError, parse_config

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(
            message("{file}:{line} is not UTF-8", file=path, line=line),
            fix=message("save {file} as UTF-8", file=path),
        ) from error
    return parse_config(text, path=str(path))


def defaults_for(command: click.Command, name: str, config: Config) -> dict[str, Any]:
    """The config's table of this command as click's `default_map`; a group's holds those of its commands.

    Raises `ConfigError` for a key that is no option of it, and for a value that the option does not take.
    """
    options = {_spelling(row): row for row in command.params if isinstance(row, click.Option)}
    inner = command.commands if isinstance(command, click.Group) else {}
    defaults: dict[str, Any] = {}
    for key, value in config.table(name).items():
        dotted = f"{name.replace(' ', '.')}.{key}"
        if key in inner and isinstance(value, dict):
            defaults[key] = defaults_for(inner[key], f"{name} {key}", config)
        elif key in options:
            option = options[key]
            defaults[option.name or key] = _taken(option, value, dotted, config)
        else:
            _refuse(key, dotted, {**options, **inner}, config)
    return defaults


def everywhere_in(config: Config, commands: set[str]) -> dict[str, Any]:
    """The settings at the top of the file, for every command.

    Raises `ConfigError` for a name that is neither such a setting nor a command's table.
    """
    from torchdoctor.cli.config.parser import ConfigError

    found: dict[str, Any] = {}
    for key, value in config.values.items():
        if key in commands and isinstance(value, dict):
            continue
        if key not in EVERYWHERE:
            _refuse(key, key, {**EVERYWHERE, **dict.fromkeys(commands)}, config)
        kind, values = EVERYWHERE[key]
        if type(value) is not kind or value not in values:
            raise ConfigError(
                message(
                    "{place}: {key} is {value}", place=config.place(key), key=key, value=f"{value!r:.40}"
                ),
                fix=message("write one of {values}", values=joined(str(row).lower() for row in values)),
            )
        found[key] = value
    return found


def _spelling(option: click.Option) -> str:
    """The option as it is typed, without its dashes."""
    return max(option.opts, key=len).lstrip("-")


def _taken(option: click.Option, value: object, key: str, config: Config) -> object:
    from torchdoctor.cli.config.parser import ConfigError

    if option.is_flag and not isinstance(value, bool):
        raise ConfigError(
            message(
                "{place}: {key} is true or false, not {value}",
                place=config.place(key),
                key=key,
                value=f"{value!r:.40}",
            ),
            fix=message("write true or false"),
        )
    rows = value if isinstance(value, list) else [value]
    if isinstance(value, list) and not option.multiple:
        raise ConfigError(
            message("{place}: {key} takes one value, not a list", place=config.place(key), key=key),
            fix=message("give one value"),
        )
    try:
        taken = [option.type.convert(row if option.is_flag else str(row), option, None) for row in rows]
    except (click.BadParameter, UsageError) as error:
        fix = error.fix if isinstance(error, UsageError) else message("see what the option takes in --help")
        raise ConfigError(
            message("{place}: {key}: {why}", place=config.place(key), key=key, why=error.message), fix=fix
        ) from error
    return taken if option.multiple else taken[0]


def refuse_unknown(key: str, known: Iterable[str]) -> None:
    """Raise `ConfigError` for a key that is none of the settings known."""
    known = list(known)
    if key not in known:
        raise _unknown(message("there is no setting {key}", key=key), key, known)


def _refuse(key: str, dotted: str, known: Iterable[str], config: Config) -> NoReturn:
    text = message("{place}: there is no setting {key}", place=config.place(dotted), key=dotted)
    raise _unknown(text, key, known)


def _unknown(text: str, key: str, known: Iterable[str]) -> UsageError:
    import difflib

    from torchdoctor.cli.config.parser import ConfigError

    near = difflib.get_close_matches(key, list(known), n=1)
    return ConfigError(
        message("{text}; did you mean {near}?", text=text, near=near[0]) if near else text,
        fix=message("remove it, or see `torchdoctor config --all` for what there is"),
    )
