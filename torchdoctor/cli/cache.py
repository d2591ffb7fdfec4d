"""`torchdoctor cache info|clean`: what the cache of wheels holds, and how to be rid of it."""

from __future__ import annotations

from typing import Any

import click

from torchdoctor.cli.options import Output, output_options
from torchdoctor.cli.place import cache_folder, say_json

__all__ = ["command"]

_SHOWN = 10  # files that are shown without -v
_DAY = 86_400.0


@click.group("cache", short_help="What was fetched and is kept.")
def command() -> None:
    """Show what the cache of wheels holds, or remove it.

    \b
    torchdoctor cache info
    torchdoctor cache clean --older-than 30
    """


@command.command("info")
@output_options
def info(*, output: Output) -> int:
    """Show where the cache is, what it holds, and what began and did not come whole."""
    from torchdoctor.kept import contents

    folder = cache_folder() / "wheels"
    found = contents(folder)
    if output.json:
        say_json(
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
    click.echo(f"{folder}: {_count(len(found.files), 'file')}, {found.size / 1e6:.1f} MB")
    if output.quiet:
        return 0
    shown = found.files if output.verbose else found.files[:_SHOWN]
    for row in shown:
        click.echo(f"  {row.size / 1e6:9.1f} MB  {row.path.name}")
    if len(shown) < len(found.files):
        click.echo(f"  ... {len(found.files) - len(shown)} more (-v)")
    if found.parts:
        size = sum(row.size for row in found.parts)
        click.echo(
            f"  {size / 1e6:9.1f} MB  in {_count(len(found.parts), 'part')} of files that did not come whole; "
            "the next fetch goes on from there"
        )
    return 0


@command.command("clean")
@click.option("--parts", is_flag=True, help="Only what began and did not come whole.")
@click.option(
    "--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Only what is older than this."
)
@output_options
def clean_command(*, parts: bool, older_than: float | None, output: Output) -> int:
    """Remove what is kept. A file that is being fetched now stays; environments lose nothing."""
    from torchdoctor.kept import clean

    folder = cache_folder() / "wheels"
    done = clean(folder, parts_only=parts, older_than=(older_than or 0.0) * _DAY)
    if output.json:
        document: dict[str, Any] = {
            "schema": 1,
            "path": str(folder),
            "files": done.files,
            "parts": done.parts,
        }
        say_json({**document, "size": done.size, "busy": list(done.busy)})
        return 0
    what = f"{_count(done.files, 'file')} and {_count(done.parts, 'part')}"
    click.echo(f"removed {what}, {done.size / 1e6:.1f} MB, from {folder}")
    for name in done.busy:
        click.echo(f"note: {name} is in use and stays", err=True)
    return 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
