"""`torchdoctor cache info|clean`: show or remove the wheels in the cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.options import group_options, output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.core.fs.user_folders import cache_folder
from torchdoctor.core.i18n import joined, message, plural, plurals, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from torchdoctor.fetch.cache import CacheContents

__all__ = ["command"]

_SHOWN_FILES = 10  # without -v
_DAY_SECONDS = 86_400.0


@click.group("cache", short_help="The wheels that were fetched and kept.")
@group_options
def command() -> None:
    """Show what the cache of wheels holds, or remove it.

    \b
    torchdoctor cache info
    torchdoctor cache clean --older-than 30
    """


@command.command("info", short_help="Show where the cache is and what it holds.")
@output_options
def info(*, output: Output) -> int:
    """Show where the cache is, what it holds, and which downloads are unfinished.

    \b
    torchdoctor cache info
    torchdoctor cache info -v
    """
    from torchdoctor.fetch import cache_contents

    folder = cache_folder(os.environ) / "wheels"
    contents = cache_contents(folder)
    if output.json:
        files = [
            {"filename": wheel.path.name, "size": wheel.size, "path": str(wheel.path)}
            for wheel in contents.files
        ]
        parts = [{"key": part.key, "size": part.size} for part in contents.parts]
        document = {"schema": 1, "path": str(folder), "size": contents.size, "files": files}
        print_json({**document, "parts": parts})
        return 0
    summary = message(
        "{folder}: {count}, {size:.1f} MB",
        folder=folder,
        count=_files(len(contents.files)),
        size=contents.size / 1e6,
    )
    echo(translate(summary))
    if not output.quiet:
        _show_contents(contents, output)
    return 0


def _show_contents(contents: CacheContents, output: Output) -> None:
    """Show the largest wheels, with -v all of them, and the unfinished downloads together."""
    listed = contents.files if output.verbose else contents.files[:_SHOWN_FILES]
    for wheel in listed:
        text = message("  {size:9.1f} MB  {name}", size=wheel.size / 1e6, name=wheel.path.name)
        echo(translate(text))
    if len(listed) < len(contents.files):
        echo(translate(message("  ... {count} more (-v)", count=len(contents.files) - len(listed))))
    if contents.parts:
        text = message(
            "  {size:9.1f} MB  in {count} of unfinished downloads, which the next fetch continues",
            size=sum(part.size for part in contents.parts) / 1e6,
            count=_parts(len(contents.parts)),
        )
        echo(translate(text))


@command.command("clean", short_help="Remove wheels from the cache.")
@click.option("--parts", is_flag=True, help="Only unfinished downloads.")
@click.option(
    "--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Only what is older than this."
)
@output_options
def clean_command(*, parts: bool, older_than: float | None, output: Output) -> int:
    """Remove wheels from the cache. Files that are being fetched now stay; environments do not change.

    \b
    torchdoctor cache clean
    torchdoctor cache clean --older-than 30
    torchdoctor cache clean --parts
    """
    from torchdoctor.fetch import clean_cache

    folder = cache_folder(os.environ) / "wheels"
    done = clean_cache(folder, parts_only=parts, older_than=(older_than or 0.0) * _DAY_SECONDS)
    if output.json:
        document: dict[str, Any] = {
            "schema": 1,
            "path": str(folder),
            "files": done.files,
            "parts": done.parts,
        }
        print_json({**document, "size": done.size, "busy": list(done.busy)})
        return 0
    what = joined([_files(done.files), _parts(done.parts)], " and ")
    echo(
        translate(
            message(
                "removed {what}, {size:.1f} MB, from {folder}", what=what, size=done.size / 1e6, folder=folder
            )
        )
    )
    for name in done.busy:
        echo(translate(message("note: {name} is in use and stays", name=name)), err=True)
    return 0


def _files(number: int) -> str:
    return plurals.files(number)


def _parts(number: int) -> str:
    return plural(number, message("1 part"), message("{count} parts", count=number))
