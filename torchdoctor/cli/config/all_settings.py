"""Every setting of every command, its value, and where the value comes from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.commands import COMMANDS, load_command
from torchdoctor.cli.config.settings import EVERYWHERE, defaults_for, everywhere_in
from torchdoctor.cli.value_origin import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torchdoctor.cli.config.parser import Config

__all__ = ["Setting", "check_config", "every_setting", "setting_names"]

DEFAULT = "default"  # the origin of a value that nobody set


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One setting: `key` as the config file writes it, and the `origin` of its value: variable, file, or default."""

    key: str
    value: Any
    origin: str


def check_config(config: Config) -> None:
    """Raise `ConfigError` unless every key is a setting and its option takes every value."""
    everywhere_in(config, set(COMMANDS))
    for name in config.values:
        if name in COMMANDS:
            defaults_for(load_command(name), name, config)


def every_setting(config: Config | None, *, everything: bool) -> Iterator[Setting]:
    """Yield the settings that are not at their default; with `everything` all of them.

    Raises `ConfigError` for a config file that cannot be used.
    """
    if config is not None:
        check_config(config)
    top = everywhere_in(config, set(COMMANDS)) if config else {}
    for key in EVERYWHERE:
        variable = f"TORCHDOCTOR_{key.upper()}"
        if variable in os.environ:
            yield Setting(key=key, value=os.environ[variable], origin=variable)
        elif config is not None and key in top:
            yield Setting(key=key, value=top[key], origin=config.place(key))
        elif everything:
            yield Setting(key=key, value=None, origin=DEFAULT)
    for name in COMMANDS:
        defaults = defaults_for(load_command(name), name, config) if config else {}
        yield from _settings_of(load_command(name), name, defaults, config, everything=everything)


def setting_names() -> tuple[str, ...]:
    """Return every key that the config file may have."""
    return tuple(setting.key for setting in every_setting(None, everything=True))


def _settings_of(
    command: click.Command,
    name: str,
    defaults: Mapping[str, Any],
    config: Config | None,
    *,
    everything: bool,
) -> Iterator[Setting]:
    """Yield the settings of a command and of the commands in it; `defaults` are the config file's."""
    prefix = f"TORCHDOCTOR_{name.replace(' ', '_').replace('-', '_').upper()}"
    for option in command.params:
        if not isinstance(option, click.Option) or option.name in (*EVERYWHERE, "json", "help"):
            continue
        word = max(option.opts, key=len).lstrip("-")
        key = f"{name.replace(' ', '.')}.{word}"
        variable = variable_of(option, prefix)
        if os.environ.get(variable):
            yield Setting(key=key, value=os.environ[variable], origin=variable)
        elif config is not None and option.name in defaults:
            yield Setting(key=key, value=defaults[option.name], origin=config.place(key))
        elif everything:
            yield Setting(key=key, value=_default_of(option), origin=DEFAULT)
    for word, inner in command.commands.items() if isinstance(command, click.Group) else ():
        inner_defaults = defaults.get(word, {})
        yield from _settings_of(inner, f"{name} {word}", inner_defaults, config, everything=everything)


def _default_of(option: click.Option) -> Any:
    if option.multiple:
        return []
    return option.default if isinstance(option.default, str | int | float | bool) else None
