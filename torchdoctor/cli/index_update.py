"""`torchdoctor index update`: read what is new in the live index, and keep it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.cli.param_types import URL
from torchdoctor.core.fs.user_folders import data_folder
from torchdoctor.core.i18n import message, plural, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.sources.index_update import Update

__all__ = ["update"]

_SHOWN_FILES = 8  # names of files that are shown without -v


@click.command("update", short_help="Read what is new in the index, and keep it.")
@click.option(
    "--index-url",
    type=URL,
    metavar="URL",
    default="https://download.pytorch.org/whl",
    show_default=True,
    help="The index to read: the folder above torch/.",
)
@output_options
def update(*, index_url: str, output: Output) -> int:
    """Read what is new in the index, and keep it for all later commands.

    Pages that have not changed since the last update are not sent again.

    \b
    torchdoctor index update
    torchdoctor index update --index-url https://mirror.nju.edu.cn/pytorch/whl
    """
    from datetime import datetime, timezone

    from torchdoctor.errors import UsageError
    from torchdoctor.sources.index_update import update_index
    from torchdoctor.sources.source import as_url

    url = as_url(index_url, origin="--index-url")
    if not url.startswith(("http://", "https://")):
        raise UsageError(
            message("--index-url {index_url} is not http or https", index_url=index_url),
            fix=message("give the URL of an index"),
        )
    today = datetime.now(timezone.utc).date().isoformat()
    done = update_index(data_folder(os.environ), url, today=today)
    if output.json:
        print_json({"schema": 1, **_update_json(done)})
    else:
        _show_update(done, output)
    return 0


def _update_json(done: Update) -> dict[str, Any]:
    from torchdoctor.core.urls import redact_url

    return {
        "index_url": redact_url(done.base),
        "as_of": done.as_of,
        "unchanged": done.unchanged,
        "releases": list(done.releases),
        "variants": [
            {"torch": variant.torch, "platform": variant.platform, "variant": variant.variant}
            for variant in done.variants
        ],
        "files": list(done.files),
        "refused": [
            {
                "filename": refused.filename,
                "variant": refused.variant,
                "known": refused.known,
                "found": refused.found,
            }
            for refused in done.refused
        ],
        "rejected_links": done.rejected,
        "notes": list(done.notes),
    }


def _show_update(done: Update, output: Output) -> None:
    from torchdoctor.core.urls import redact_url

    _show_notes(done, output)
    if not (done.releases or done.variants or done.files):
        outcome = message("the index has not changed") if done.unchanged else message("nothing is new")
        click.echo(f"{redact_url(done.base)}: {translate(outcome)} ({done.as_of})")
        return
    click.echo(f"{redact_url(done.base)}, {done.as_of}:")
    for torch in done.releases:
        click.echo(translate(message("  new release: torch {torch}", torch=torch)))
    for variant in done.variants:
        text = message(
            "  new variant: torch {torch} {variant} for {platform}",
            torch=variant.torch,
            variant=variant.variant,
            platform=variant.platform,
        )
        click.echo(translate(text))
    _show_files(done.files, output)


def _show_notes(done: Update, output: Output) -> None:
    """Show on standard error what was odd about the index."""
    for note in done.notes:
        click.echo(translate(message("note: {note}", note=note)), err=True)
    for refused in done.refused:
        text = message(
            "warning: {filename} is listed with SHA-256 {found}…, and {known}… is known; the known one stays",
            filename=refused.filename,
            found=refused.found[:16],
            known=refused.known[:16],
        )
        click.echo(translate(text), err=True)
    if done.rejected and not output.quiet:
        text = plural(
            done.rejected,
            message("note: 1 link was turned down"),
            message("note: {rejected} links were turned down", rejected=done.rejected),
        )
        click.echo(translate(text), err=True)


def _show_files(names: Sequence[str], output: Output) -> None:
    """Show how many files are new, and the names of some; with -v of all."""
    count = plural(len(names), message("  1 new file"), message("  {count} new files", count=len(names)))
    click.echo(translate(count))
    listed = names if output.verbose else names[:_SHOWN_FILES] if not output.quiet else ()
    for name in listed:
        click.echo(f"    {name}")
    if not output.quiet and len(listed) < len(names):
        click.echo(translate(message("    ... {count} more (-v)", count=len(names) - len(listed))))
