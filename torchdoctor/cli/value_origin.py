"""Where an option's value came from when nobody typed it: said where an error is about that value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from click.core import ParameterSource

from torchdoctor.core.i18n import joined, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

    from torchdoctor.cli.config.parser import Config

__all__ = ["innermost", "remember", "remember_config", "variable_of", "with_origin"]

# What all contexts of one run share: the innermost of them, the option whose value is looked at, the config file.
_INNERMOST = "torchdoctor.innermost"
_LOOKED_AT = "torchdoctor.looked_at"
_CONFIG = "torchdoctor.config"


def remember(ctx: click.Context, option: click.Parameter | None = None) -> None:
    """Keep the context of the command that runs, and the option at work, for an error that comes out of it."""
    ctx.meta[_INNERMOST], ctx.meta[_LOOKED_AT] = ctx, option


def innermost(ctx: click.Context | None) -> click.Context | None:
    """The context of the command that ran."""
    return None if ctx is None else ctx.meta.get(_INNERMOST, ctx)


def remember_config(ctx: click.Context, config: Config) -> None:
    """Keep the config file, whose lines are the origin of what it gives."""
    ctx.meta[_CONFIG] = config


def variable_of(option: click.Parameter, prefix: str) -> str:
    """The option's variable, named as the option is typed."""
    if isinstance(option.envvar, str):
        return option.envvar
    return f"{prefix}_{max(option.opts, key=len).lstrip('-').replace('-', '_').upper()}"


def with_origin(text: str, ctx: click.Context | None) -> str:
    """The text of an error, with the origin of each value in it that came from a variable or the config file."""
    if ctx is None:
        return text
    told = list(_origins(text, ctx))
    return message("{text} ({origins})", text=text, origins=joined(told, "; ")) if told else text


def _origins(text: str, ctx: click.Context) -> Iterator[str]:
    for option in ctx.command.params:
        source = ctx.get_parameter_source(option.name or "")
        if source not in (ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP):
            continue
        typed, looked_at = max(option.opts, key=len), option is ctx.meta.get(_LOOKED_AT)
        origin = _origin(option, typed, ctx, from_variable=source is ParameterSource.ENVIRONMENT)
        if origin not in text and (
            looked_at or any(_names(text, word) for word in (typed, *_values(option, ctx)))
        ):
            yield message("{option} comes from {origin}", option=typed, origin=origin)


def _origin(option: click.Parameter, typed: str, ctx: click.Context, *, from_variable: bool) -> str:
    if from_variable:
        return variable_of(option, ctx.auto_envvar_prefix or "")
    key = ".".join([*ctx.command_path.split()[1:], typed.lstrip("-")])
    config: Config | None = ctx.meta.get(_CONFIG)
    return config.place(key) if config is not None else key


def _values(option: click.Parameter, ctx: click.Context) -> list[str]:
    """The words of the option's value that are long enough to be known again in a text."""
    value = ctx.params.get(option.name or "")
    rows = value if isinstance(value, list | tuple) else [value]
    return [row for row in rows if isinstance(row, str) and len(row) > 1]


def _names(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None
