"""Options that all commands share: what is printed, and in which language."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from torchdoctor.cli.output import Output
from torchdoctor.cli.value_origin import remember, variable_of
from torchdoctor.core.i18n import set_program_language
from torchdoctor.core.i18n.catalog import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AsTyped", "group_options", "names", "output_options", "wants_json"]

_JSON = "torchdoctor.json"


def names(_ctx: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """`--only a,b --only c` as three names."""
    return tuple(name.strip() for text in given for name in text.split(",") if name.strip())


F = TypeVar("F", bound="Callable[..., Any]")


def wants_json(ctx: click.Context) -> bool:
    """Whether the command that ran was asked for JSON, by option or variable."""
    return bool(ctx.meta.get(_JSON))


class AsTyped(click.Option):
    """An option whose parameter has another name, as Python keeps the word; its variable is named as it is typed."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The variable's value; none where it is empty."""
        return os.environ.get(variable_of(self, ctx.auto_envvar_prefix or "")) or None


def output_options(function: F) -> F:
    """`--json`, `-q`, `-v` and `--lang`, before the command or after it; the first three become one `output`."""

    @click.option("--json", "json", is_flag=True, help="Print one JSON document on standard output.")
    @click.option("-q", "--quiet", is_flag=True, help="Print only the result and errors.")
    @click.option(
        "-v", "--verbose", count=True, help="Print more: every setting found, every variant rejected."
    )
    @click.option(
        "--lang",
        type=click.Choice(LANGUAGES),
        envvar="TORCHDOCTOR_LANG",
        help="The language of the output; by default the locale's.",
    )
    @click.pass_context
    @functools.wraps(function)
    def with_output(ctx: click.Context, *args: Any, **kwargs: Any) -> Any:
        remember(ctx)
        if language := kwargs.pop("lang"):
            set_program_language(language)
        given = Output(json=kwargs.pop("json"), quiet=kwargs.pop("quiet"), verbose=kwargs.pop("verbose"))
        outer = ctx.find_object(Output) or Output()
        merged = Output(
            json=given.json or outer.json,
            quiet=given.quiet or outer.quiet,
            verbose=given.verbose or outer.verbose,
        )
        ctx.meta[_JSON] = merged.json
        kwargs.setdefault("output", merged)
        return function(*args, **kwargs)

    return with_output  # type: ignore[return-value]


def group_options(function: Callable[[], None]) -> Callable[..., None]:
    """The same options on a group, for each of its commands."""

    @output_options
    @click.pass_context
    @functools.wraps(function)
    def with_output(ctx: click.Context, *, output: Output) -> None:
        ctx.obj = output
        function()

    return with_output
