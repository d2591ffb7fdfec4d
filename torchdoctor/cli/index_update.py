"""`torchdoctor index update`: read what is new in the live indexes, and keep it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.cli.param_types import URL
from torchdoctor.core.fs.user_folders import data_folder
from torchdoctor.core.i18n import message, plural, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.sources.index_update import Unanswered, Update

__all__ = ["update"]

_SHOWN_FILES = 8  # names of files that are shown without -v


@click.command("update", short_help="Read what is new in the indexes, and keep it.")
@click.option(
    "--index-url",
    type=URL,
    metavar="URL",
    help="Read this index alone: the folder above torch/. Without it: PyTorch's own, and PyPI or your mirror of it.",
)
@click.option(
    "--accept-older",
    is_flag=True,
    help="Take a list as it is that lacks a release which the index listed before.",
)
@output_options
def update(*, index_url: str | None, accept_older: bool, output: Output) -> int:
    """Read what is new in the indexes, and keep it for all later commands.

    Pages that have not changed since the last update are not sent again. An index that cannot be read does not stop
    the others.

    \b
    torchdoctor index update
    torchdoctor index update --index-url https://mirror.nju.edu.cn/pytorch/whl
    """
    from datetime import datetime, timezone

    from torchdoctor.sources.index_update import update_indexes

    today = datetime.now(timezone.utc).date().isoformat()
    bases = _bases(index_url, output)
    done = update_indexes(data_folder(os.environ), bases, today=today, accept_older=accept_older)
    if output.json:
        print_json({"schema": 1, **_update_json(done)})
        return 0
    for each in done:
        _show(each, output)
    return 0


def _bases(index_url: str | None, output: Output) -> tuple[str, ...]:
    """The index that was named; without one PyTorch's own, and where the user's pip and uv find packages."""
    from torchdoctor.errors import UsageError
    from torchdoctor.sources import OFFICIAL, PYPI
    from torchdoctor.sources.pypi_copies import is_place_of_copy
    from torchdoctor.sources.source import as_url

    if index_url is None:
        from torchdoctor.requirements.torch_indexes import is_torch_index

        default = _default_index(output)
        # An index of one family, which pip is told to use, would stand in the place of the whole.
        if default is None or is_torch_index(default):
            return (OFFICIAL.url,)
        # A copy of PyPI says nothing that PyPI does not say itself.
        return (OFFICIAL.url, PYPI.url if is_place_of_copy(default) else default)
    url = as_url(index_url, origin="--index-url")
    if not url.startswith(("http://", "https://")):
        raise UsageError(
            message("--index-url {index_url} is not http or https", index_url=index_url),
            fix=message("give the URL of an index"),
        )
    return (url,)


def _default_index(output: Output) -> str | None:
    from torchdoctor.cli.output import stage_lines
    from torchdoctor.core.system import host_system
    from torchdoctor.detect import find_python
    from torchdoctor.workflows.source_options import SourceOptions
    from torchdoctor.workflows.sources import gather_sources

    system = host_system(os.environ)
    sources = gather_sources(
        SourceOptions(), system, find_python(system, None), stage_lines(output), limited=False
    )
    default = sources.default_index
    return default.url if default is not None and not default.local else None


def _update_json(done: Sequence[Update | Unanswered]) -> dict[str, Any]:
    """One document for all indexes: what each brought stands together, and `sources` says how each answered."""
    from torchdoctor.core.urls import redact_url
    from torchdoctor.sources.index_update import Update
    from torchdoctor.sources.rollback import OLDER_LIST

    read = [each for each in done if isinstance(each, Update)]
    return {
        "index_url": redact_url(read[0].base),
        "as_of": read[0].as_of,
        "unchanged": all(each.unchanged for each in read),
        "releases": list(dict.fromkeys(name for each in read for name in each.releases)),
        "variants": [
            {"torch": variant.torch, "platform": variant.platform, "variant": variant.variant}
            for each in read
            for variant in each.variants
        ],
        "companions": [
            {"project": new.project, "version": new.version, "torch": new.torch}
            for each in read
            for new in each.companions
        ],
        "files": list(dict.fromkeys(name for each in read for name in each.files)),
        "refused": [
            {
                "filename": refused.filename,
                "variant": refused.variant,
                "known": refused.known,
                "found": refused.found,
            }
            for each in read
            for refused in each.refused
        ],
        "rejected_links": sum(each.rejected for each in read),
        "notes": [note for each in read for note in each.notes],
        "sources": [
            {
                "index_url": redact_url(each.base),
                "status": ("unchanged" if each.unchanged else "read")
                if isinstance(each, Update)
                else ("older" if each.error.code == OLDER_LIST else "unreachable"),
                "because": None if isinstance(each, Update) else each.error.message,
            }
            for each in done
        ],
    }


def _show(done: Update | Unanswered, output: Output) -> None:
    from torchdoctor.sources.index_update import Update

    if isinstance(done, Update):
        _show_update(done, output)
        return
    text = message("not read: {why}", why=done.error.message)
    echo(translate(text), err=True)
    echo(translate(message("  fix: {fix}", fix=done.error.fix)), err=True)


def _show_update(done: Update, output: Output) -> None:
    from torchdoctor.core.urls import redact_url

    _show_notes(done, output)
    if not (done.releases or done.variants or done.companions or done.files):
        outcome = message("the index has not changed") if done.unchanged else message("nothing is new")
        echo(f"{redact_url(done.base)}: {translate(outcome)} ({done.as_of})")
        return
    echo(f"{redact_url(done.base)}, {done.as_of}:")
    for torch in done.releases:
        echo(translate(message("  new release: torch {torch}", torch=torch)))
    for variant in done.variants:
        text = message(
            "  new variant: torch {torch} {variant} for {platform}",
            torch=variant.torch,
            variant=variant.variant,
            platform=variant.platform,
        )
        echo(translate(text))
    for new in done.companions:
        text = message(
            "  new: {project} {version}, which goes with {torch}",
            project=new.project,
            version=new.version,
            torch=new.torch,
        )
        echo(translate(text))
    _show_files(done.files, output)


def _show_notes(done: Update, output: Output) -> None:
    """Show on standard error what was odd about the index."""
    for note in done.notes:
        echo(translate(message("note: {note}", note=note)), err=True)
    for refused in done.refused:
        text = message(
            "warning: {filename} is listed with SHA-256 {found}…, and {known}… is known; the known one stays",
            filename=refused.filename,
            found=refused.found[:16],
            known=refused.known[:16],
        )
        echo(translate(text), err=True)
    if done.rejected and not output.quiet:
        text = plural(
            done.rejected,
            message("note: 1 link was turned down"),
            message("note: {rejected} links were turned down", rejected=done.rejected),
        )
        echo(translate(text), err=True)


def _show_files(names: Sequence[str], output: Output) -> None:
    """Show how many files are new, and the names of some; with -v of all."""
    count = plural(len(names), message("  1 new file"), message("  {count} new files", count=len(names)))
    echo(translate(count))
    listed = names if output.verbose else names[:_SHOWN_FILES] if not output.quiet else ()
    for name in listed:
        echo(f"    {name}")
    if not output.quiet and len(listed) < len(names):
        echo(translate(message("    ... {count} more (-v)", count=len(names) - len(listed))))
