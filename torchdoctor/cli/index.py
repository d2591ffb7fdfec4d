"""`torchdoctor index show|update|mirrors`: what is known of PyTorch's wheels, and how to know more."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.options import group_options, output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.cli.param_types import RELEASE, URL
from torchdoctor.core.fs.user_folders import data_folder
from torchdoctor.core.i18n.messages import joined, message, plural, translate

if TYPE_CHECKING:
    from torchdoctor.sources.index_update import Update
    from torchdoctor.sources.speed import Measurement
    from wheels_index import Release, Snapshot

__all__ = ["command"]

_SHOWN = 8  # names of files that are shown without -v


@click.group("index", short_help="What is known of PyTorch's wheels.")
@group_options
def command() -> None:
    """Show what is known of PyTorch's wheels, refresh it from the live index, list the mirrors.

    \b
    torchdoctor index update
    torchdoctor index show --torch 2.9.1
    torchdoctor index mirrors
    """


@command.command("update", short_help="Ask the index what is new, and keep it.")
@click.option(
    "--index-url",
    type=URL,
    metavar="URL",
    default="https://download.pytorch.org/whl",
    show_default=True,
    help="The index to read: the folder above torch/.",
)
@output_options
def update_command(*, index_url: str, output: Output) -> int:
    """Ask the index what is new, and keep it for every later command.

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
        _say_update(done, output)
    return 0


def _update_json(done: Update) -> dict[str, Any]:
    from torchdoctor.core.urls import redact_url

    return {
        "index_url": redact_url(done.base),
        "as_of": done.as_of,
        "unchanged": done.unchanged,
        "releases": list(done.releases),
        "variants": [
            {"torch": row.torch, "platform": row.platform, "variant": row.variant} for row in done.variants
        ],
        "files": list(done.files),
        "refused": [
            {"filename": row.filename, "variant": row.variant, "known": row.known, "found": row.found}
            for row in done.refused
        ],
        "rejected_links": done.rejected,
        "notes": list(done.notes),
    }


def _say_update(done: Update, output: Output) -> None:
    from torchdoctor.core.urls import redact_url

    for note in done.notes:
        click.echo(translate(message("note: {note}", note=note)), err=True)
    for row in done.refused:
        click.echo(
            translate(
                message(
                    "warning: {filename} is listed with SHA-256 {found}…, and {known}… is known; the known "
                    "one stays",
                    filename=row.filename,
                    found=row.found[:16],
                    known=row.known[:16],
                )
            ),
            err=True,
        )
    if done.rejected and not output.quiet:
        told = plural(
            done.rejected,
            message("note: 1 link was turned down"),
            message("note: {rejected} links were turned down", rejected=done.rejected),
        )
        click.echo(translate(told), err=True)
    if not (done.releases or done.variants or done.files):
        said = message("the index has not changed") if done.unchanged else message("nothing is new")
        click.echo(f"{redact_url(done.base)}: {translate(said)} ({done.as_of})")
        return
    click.echo(f"{redact_url(done.base)}, {done.as_of}:")
    for torch in done.releases:
        click.echo(translate(message("  new release: torch {torch}", torch=torch)))
    for variant in done.variants:
        click.echo(
            translate(
                message(
                    "  new variant: torch {torch} {variant} for {platform}",
                    torch=variant.torch,
                    variant=variant.variant,
                    platform=variant.platform,
                )
            )
        )
    new = plural(
        len(done.files), message("  1 new file"), message("  {count} new files", count=len(done.files))
    )
    click.echo(translate(new))
    listed = done.files if output.verbose else done.files[:_SHOWN] if not output.quiet else ()
    for name in listed:
        click.echo(f"    {name}")
    if not output.quiet and len(listed) < len(done.files):
        click.echo(translate(message("    ... {count} more (-v)", count=len(done.files) - len(listed))))


@command.command("show", short_help="Show the releases that are known.")
@click.option("--torch", type=RELEASE, metavar="VERSION", help="One release in full, such as 2.9.1.")
@output_options
def show(*, torch: str | None, output: Output) -> int:
    """Show the releases that are known: variants by platform, files seen, and as of when.

    \b
    torchdoctor index show
    torchdoctor index show --torch 2.9.1
    """
    from torchdoctor.sources.index_cache import known_index

    snapshot = known_index(
        data_folder(os.environ),
        lambda text: click.echo(translate(message("note: {text}", text=text)), err=True),
    )
    releases = list(snapshot.releases()) if torch is None else [_asked(snapshot, torch)]
    if output.json:
        print_json({"schema": 1, "releases": [_release_json(row) for row in releases]})
        return 0
    for row in releases:
        known_from = row.released or message("date unknown")
        click.echo(
            translate(
                message(
                    "torch {version}  {known_from}  {counted}  as of {as_of}",
                    version=row.version,
                    known_from=known_from,
                    counted=_counted(row),
                    as_of=row.as_of,
                )
            )
        )
        if torch is None and not output.verbose:
            everywhere = dict.fromkeys(name for builds in row.platforms.values() for name in builds.variants)
            click.echo(f"  {' '.join(everywhere)}")
            continue
        _say_platforms(row)
    return 0


def _say_platforms(release: Release) -> None:
    for platform, builds in release.platforms.items():
        if not builds.variants:
            continue
        click.echo(f"  {platform:15} {' '.join(builds.variants)}")
        pythons = (*builds.pythons, *builds.index_only_pythons)
        if pythons:
            click.echo(f"  {'':15} Python {' '.join(pythons)}")
        for name, why in builds.unmatrixed.items():
            click.echo(f"  {'':15} {name}: {translate(why)}")
    for project, row in release.companions.items():
        versions = ", ".join(map(str, row.versions)) or translate(message("none known"))
        click.echo(f"  {project:15} {versions}" + (f"  ({translate(row.note)})" if row.note else ""))


def _asked(snapshot: Snapshot, torch: str) -> Release:
    from packaging.version import InvalidVersion

    from torchdoctor.errors import UsageError
    from wheels_index import UnknownRelease

    try:
        return snapshot.release(torch)
    except (UnknownRelease, InvalidVersion) as error:
        raise UsageError(
            _unknown(torch, snapshot)
            if isinstance(error, UnknownRelease)
            else message("--torch {torch} is not a version", torch=torch),
            fix=message(
                "see `torchdoctor index show`, or ask the live index with `torchdoctor index update`"
            ),
            code="no-such-release",
        ) from error


def _unknown(torch: str, snapshot: Snapshot) -> str:
    newest = next((row.version for row in snapshot.releases()), None)
    if newest is None:
        return message("--torch {torch} is not in the index", torch=torch)
    return message(
        "--torch {torch} is not in the index; the newest known is {newest}", torch=torch, newest=newest
    )


def _layers(release: Release) -> dict[str, int]:
    """How many files are known by which layer."""
    live = sum(wheel.seen is not None for wheel in release.wheels)
    return {"listed": len(release.wheels) - live, "live": live}


def _counted(release: Release) -> str:
    layers = _layers(release)
    rows = [
        message("{count} listed", count=layers["listed"]) if layers["listed"] else "",
        message("{count} live", count=layers["live"]) if layers["live"] else "",
    ]
    return joined(filter(None, rows)) or message("no file seen")


def _release_json(release: Release) -> dict[str, Any]:
    return {
        "torch": str(release.version),
        "released": release.released,
        "as_of": release.as_of,
        "live": release.sources.get("live"),
        "platforms": {
            name: {
                "variants": list(builds.variants),
                "pythons": [*builds.pythons, *builds.index_only_pythons],
                "unmatrixed": dict(builds.unmatrixed),
                "unconfirmed": dict(builds.unconfirmed),
            }
            for name, builds in release.platforms.items()
        },
        "companions": {
            name: {"versions": list(map(str, row.versions)), "constraint": row.constraint, "note": row.note}
            for name, row in release.companions.items()
        },
        "files": _layers(release),
    }


@command.command("mirrors", short_help="List the mirrors, and how fast each answers.")
@click.option(
    "--measure/--no-measure",
    default=True,
    show_default=True,
    help="Ask each for a short range of a page and time it.",
)
@output_options
def mirrors(*, measure: bool, output: Output) -> int:
    """List the mirrors that --mirror takes, and how fast each answers from here.

    Nothing else contacts a mirror unasked.

    \b
    torchdoctor index mirrors
    torchdoctor index mirrors --no-measure
    """
    from torchdoctor.sources.mirrors import mirror_table
    from torchdoctor.sources.speed import measure_all, mirror_page

    rows = mirror_table()
    found = measure_all(mirror_page(row) for row in rows.values()) if measure else ()
    timed = dict(zip(rows, found, strict=bool(found)))
    if output.json:
        print_json(
            {"schema": 1, "mirrors": [_mirror_json(name, row, timed.get(name)) for name, row in rows.items()]}
        )
        return 0
    width = max(map(len, rows), default=0)
    for name, row in rows.items():
        click.echo(f"{name:{width}}  {row['base']}  ({row['layout']}){translate(_speed(timed.get(name)))}")
        if output.quiet:
            continue
        if row.get("companion_pypi"):
            click.echo(f"{'':{width}}    PyPI: {row['companion_pypi']}")
        for text in row.get("lacks", ()):
            lacks = message("lacks: {what}", what=message(text))
            click.echo(f"{'':{width}}    {translate(lacks)}")
        source = message("source: {url}", url=row["source"])
        click.echo(f"{'':{width}}    {translate(source)}")
    return 0


def _mirror_json(name: str, row: dict[str, Any], found: Measurement | None) -> dict[str, Any]:
    return {
        "name": name,
        "companion_pypi": None,
        **row,
        "latency_s": None if found is None else found.latency,
        "bytes_per_s": None if found is None else found.rate,
        "failure": None if found is None else found.failure,
    }


def _speed(found: Measurement | None) -> str:
    if found is None:
        return ""
    if found.rate is None or found.latency is None:
        return message("  out of reach: {failure}", failure=found.failure)
    return message(
        "  {rate:.1f} MB/s, first byte after {latency:.0f} ms",
        rate=found.rate / 1e6,
        latency=1000 * found.latency,
    )
