"""Options that decide the plan: what is wanted, and which sources are asked for it."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from torchdoctor.cli.options import AsTyped
from torchdoctor.cli.param_types import MIRROR, OVERRIDE, TIME, TORCH, URL, VARIANT, VENDOR, WITH

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.workflows import SourceOptions

__all__ = ["added_options", "choice_options", "dated_source_options", "source_options", "stack_options"]

F = TypeVar("F", bound="Callable[..., Any]")


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


choice_options = _options(
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
    click.option("--without", multiple=True, metavar="NAME", help="Leave this out."),
)

_file_options = _options(
    click.option(
        "-r",
        "--requirements",
        "files",
        cls=AsTyped,
        multiple=True,
        metavar="FILE",
        help="What this file of requirements names too, as pip reads it.",
    ),
    click.option(
        "-c",
        "--constraints",
        "constraints",
        multiple=True,
        metavar="FILE",
        help="Only versions that this file allows.",
    ),
    click.option(
        "--project",
        "projects",
        cls=AsTyped,
        multiple=True,
        metavar="DIR[EXTRA,...]",
        help="What the project in this folder needs too.",
    ),
    click.option(
        "--override",
        "overrides",
        cls=AsTyped,
        type=OVERRIDE,
        multiple=True,
        metavar="REQUIREMENT",
        help="Versions that count instead of those that other packages and files want.",
    ),
    click.option(
        "--build",
        "builds",
        cls=AsTyped,
        multiple=True,
        metavar="NAME|:all:",
        help="Build this package from its source where it has no wheel: its code runs here.",
    ),
)

_source_options = _options(
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
    click.option(
        "--vendor",
        type=VENDOR,
        metavar="NAME",
        help="Take a vendor's own builds instead of PyTorch's: amd, jetson-jp6, jetson-jp7.",
    ),
    click.option(
        "--trust-mirror",
        is_flag=True,
        help="Take files of torch from a mirror, folder or index although nobody trusted vouches for them.",
    ),
    click.option("--offline", is_flag=True, help="Use folders and the cache only."),
    click.option(
        "--trust-project",
        is_flag=True,
        help="Use the indexes that the files of a project name; without it they are asked about.",
    ),
)


_with_option = _options(
    click.option(
        "--with",
        "with_",
        cls=AsTyped,
        type=WITH,
        multiple=True,
        metavar="REQUIREMENT",
        help="Install this too, such as timm or 'einops>=0.8'; fail when no source has it.",
    ),
)
_added_argument = _options(
    click.argument("with_", nargs=-1, type=WITH, metavar="[REQUIREMENT]..."),
)


def stack_options(function: F) -> F:
    """`-r`, `-c`, `--project`, `--with`, `--override` and `--build`, which become one `asked`."""
    return _file_options(_with_option(_with_asked(function)))


def added_options(function: F) -> F:
    """The same for a command whose arguments are the requirements."""
    return _added_argument(_file_options(_with_asked(function)))


def _with_asked(function: F) -> F:
    @functools.wraps(function)
    def with_asked(*args: Any, **kwargs: Any) -> Any:
        from torchdoctor.requirements import StackOptions

        names = ("files", "constraints", "projects", "with_", "overrides", "builds")
        asked = StackOptions(**{name: kwargs.pop(name) for name in names})
        return function(*args, asked=asked, **kwargs)

    return with_asked  # type: ignore[return-value]


_time_option = _options(
    click.option(
        "--exclude-newer",
        type=TIME,
        metavar="DATE|DURATION",
        help="Only what was uploaded before, such as 2026-01-31 or '7 days'; false lifts what pip and uv are told.",
    ),
)


def dated_source_options(function: F) -> F:
    """The options of sources, and which time their files must be of; they become one `sources`."""
    return source_options(_time_option(_with_time(function)))


def _with_time(function: F) -> F:
    @functools.wraps(function)
    def with_time(*args: Any, sources: SourceOptions, exclude_newer: str | None, **kwargs: Any) -> Any:
        return function(*args, sources=replace(sources, exclude_newer=exclude_newer), **kwargs)

    return with_time  # type: ignore[return-value]


def source_options(function: F) -> F:
    """`--index-url`, `--find-links`, `--mirror`, `--offline` and the others of sources, which become one `sources`."""

    @_source_options
    @functools.wraps(function)
    def with_sources(*args: Any, **kwargs: Any) -> Any:
        from torchdoctor.workflows import SourceOptions

        names = (
            "index_url", "find_links", "mirror", "vendor", "trust_mirror", "offline", "trust_project",
        )  # fmt: skip
        sources = SourceOptions(**{name: kwargs.pop(name) for name in names})
        return function(*args, sources=sources, **kwargs)

    return with_sources  # type: ignore[return-value]
