"""`torchdoctor cache info|clean`: what the cache of wheels holds, and how to be rid of it."""

from __future__ import annotations

import os
from typing import Any

import click

from torchdoctor.cli.options import group_options, output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.core.fs.user_folders import cache_folder
from torchdoctor.core.i18n import plurals
from torchdoctor.core.i18n.messages import joined, message, plural, translate

__all__ = ["command"]

_SHOWN = 10  # files that are shown without -v
_DAY = 86_400.0


@click.group("cache", short_help="What was fetched and is kept.")
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
    """Show where the cache is, what it holds, and what began and did not come whole.

    \b
    torchdoctor cache info
    torchdoctor cache info -v
    """
    from torchdoctor.fetch import cache_contents

    folder = cache_folder(os.environ) / "wheels"
    found = cache_contents(folder)
    if output.json:
        print_json(
            {
                "schema": 1,
                "path": str(folder),
                "size": found.size,
                "files": [
                    {"filename": row.path.name, "size": row.size, "path": str(row.path)}
                    for row in found.files
                ],
                "parts": [{"key": row.key, "size": row.size} for row in found.parts],
            }
        )
        return 0
    click.echo(
        translate(
            message(
                "{folder}: {count}, {size:.1f} MB",
                folder=folder,
                count=_files(len(found.files)),
                size=found.size / 1e6,
            )
        )
    )
    if output.quiet:
        return 0
    listed = found.files if output.verbose else found.files[:_SHOWN]
    for row in listed:
        click.echo(translate(message("  {size:9.1f} MB  {name}", size=row.size / 1e6, name=row.path.name)))
    if len(listed) < len(found.files):
        click.echo(translate(message("  ... {count} more (-v)", count=len(found.files) - len(listed))))
    if found.parts:
        size = sum(row.size for row in found.parts)
        click.echo(
            translate(
                message(
                    "  {size:9.1f} MB  in {count} of files that did not come whole; the next fetch goes on "
                    "from there",
                    size=size / 1e6,
                    count=_parts(len(found.parts)),
                )
            )
        )
    return 0


@command.command("clean", short_help="Remove what is kept.")
@click.option("--parts", is_flag=True, help="Only what began and did not come whole.")
@click.option(
    "--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Only what is older than this."
)
@output_options
def clean_command(*, parts: bool, older_than: float | None, output: Output) -> int:
    """Remove what is kept. A file that is being fetched now stays; environments lose nothing.

    \b
    torchdoctor cache clean
    torchdoctor cache clean --older-than 30
    torchdoctor cache clean --parts
    """
    from torchdoctor.fetch import clean_cache

    folder = cache_folder(os.environ) / "wheels"
    done = clean_cache(folder, parts_only=parts, older_than=(older_than or 0.0) * _DAY)
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
    click.echo(
        translate(
            message(
                "removed {what}, {size:.1f} MB, from {folder}", what=what, size=done.size / 1e6, folder=folder
            )
        )
    )
    for name in done.busy:
        click.echo(translate(message("note: {name} is in use and stays", name=name)), err=True)
    return 0


def _files(number: int) -> str:
    return plurals.files(number)


def _parts(number: int) -> str:
    return plural(number, message("1 part"), message("{count} parts", count=number))
