"""Options that decide the plan: what is wanted, and which sources are asked for it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

import click

from torchdoctor.cli.options import AsTyped
from torchdoctor.cli.param_types import MIRROR, TORCH, URL, VARIANT, WITH

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["choice_options", "source_options"]

F = TypeVar("F", bound="Callable[..., Any]")


def _stack(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


choice_options = _stack(
    click.option(
        "--torch",
        "torch",
        type=TORCH,
        metavar="VERSION",
        help="A torch release, such as 2.9.1, 2.9 or '>=2.8,<2.10'.",
    ),
    click.option(
        "--variant",
        type=VARIANT,
        default="auto",
        show_default=True,
        metavar="NAME",
        help="auto, cpu, cu126, rocm6.4, xpu, ...",
    ),
    click.option(
        "--with",
        "with_",
        cls=AsTyped,
        type=WITH,
        multiple=True,
        metavar="NAME[==VERSION]",
        help="Install this too; fail when no source has it.",
    ),
    click.option("--without", multiple=True, metavar="NAME", help="Leave this out."),
)

_source_options = _stack(
    click.option("--index-url", type=URL, metavar="URL", help="An index to ask first."),
    click.option(
        "--find-links", multiple=True, metavar="DIR|URL", help="A folder or page of wheels to ask first."
    ),
    click.option(
        "--mirror",
        type=MIRROR,
        metavar="NAME",
        help="A mirror of the PyTorch index to ask first: nju, aliyun, sjtu; auto takes the fastest.",
    ),
    click.option("--offline", is_flag=True, help="Use folders and the cache only."),
)


def source_options(function: F) -> F:
    """`--index-url`, `--find-links`, `--mirror` and `--offline`, which become one `sources`."""

    @_source_options
    @functools.wraps(function)
    def with_sources(*args: Any, **kwargs: Any) -> Any:
        from torchdoctor.workflows import SourceOptions

        names = ("index_url", "find_links", "mirror", "offline")
        sources = SourceOptions(**{name: kwargs.pop(name) for name in names})
        return function(*args, sources=sources, **kwargs)

    return with_sources  # type: ignore[return-value]
