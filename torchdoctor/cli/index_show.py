"""`torchdoctor index show`: the known releases, their variants and their files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.cli.param_types import RELEASE
from torchdoctor.core.fs.user_folders import data_folder
from torchdoctor.core.i18n import joined, message, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from wheels_index import Release, Snapshot

__all__ = ["show"]


@click.command("show", short_help="Show the releases that are known.")
@click.option("--torch", type=RELEASE, metavar="VERSION", help="One release in full, such as 2.9.1.")
@click.option(
    "--unsourced", is_flag=True, help="List the facts that name no source; status 1 where there is one."
)
@output_options
def show(*, torch: str | None, unsourced: bool, output: Output) -> int:
    """Show the releases that are known: variants by platform, files seen, and as of when.

    \b
    torchdoctor index show
    torchdoctor index show --torch 2.9.1
    torchdoctor index show --unsourced
    """
    if unsourced:
        return _show_unsourced(torch, output)
    from torchdoctor.sources.index_cache import known_index

    snapshot = known_index(
        data_folder(os.environ),
        lambda text: echo(translate(message("note: {text}", text=text)), err=True),
        unvouched=True,
    )
    releases = list(snapshot.releases()) if torch is None else [_release(snapshot, torch)]
    facts = {"as_of": snapshot.as_of, "digest": snapshot.digest}
    if output.json:
        rows = [_release_json(release) for release in releases]
        print_json({"schema": 1, "facts": facts, "releases": rows, "unsourced": None})
        return 0
    if not output.quiet:
        echo(translate(message("facts as of {as_of}, {digest}", **facts)))
    for release in releases:
        known_from = release.released or message("date unknown")
        echo(
            translate(
                message(
                    "torch {version}  {known_from}  {counted}  as of {as_of}",
                    version=release.version,
                    known_from=known_from,
                    counted=_file_counts(release),
                    as_of=release.as_of,
                )
            )
        )
        if torch is None and not output.verbose:
            everywhere = dict.fromkeys(
                name for builds in release.platforms.values() for name in builds.variants
            )
            echo(f"  {' '.join(everywhere)}")
            continue
        _show_platforms(release)
    return 0


def _show_unsourced(torch: str | None, output: Output) -> int:
    from torchdoctor.errors import UsageError
    from wheels_index import unsourced

    if torch is not None:
        raise UsageError(
            message("--unsourced looks at all facts"), fix=message("leave out --torch, or --unsourced")
        )
    lines = list(unsourced())
    if output.json:
        print_json({"schema": 1, "facts": None, "releases": [], "unsourced": lines})
    elif lines:
        echo("\n".join(lines))
    elif not output.quiet:
        echo(translate(message("every fact that comes with torchdoctor names its source")))
    return 1 if lines else 0


def _show_platforms(release: Release) -> None:
    for platform, builds in release.platforms.items():
        if not builds.variants:
            continue
        echo(f"  {platform:15} {' '.join(builds.variants)}")
        pythons = (*builds.pythons, *builds.index_only_pythons)
        if pythons:
            echo(f"  {'':15} Python {' '.join(pythons)}")
        for name, reason in builds.unmatrixed.items():
            echo(f"  {'':15} {name}: {translate(reason)}")
    for project, companion in release.companions.items():
        versions = ", ".join(map(str, companion.versions)) or translate(message("none known"))
        echo(f"  {project:15} {versions}" + (f"  ({translate(companion.note)})" if companion.note else ""))


def _release(snapshot: Snapshot, torch: str) -> Release:
    from packaging.version import InvalidVersion

    from torchdoctor.errors import UsageError
    from wheels_index import UnknownRelease

    try:
        return snapshot.release(torch)
    except (UnknownRelease, InvalidVersion) as error:
        raise UsageError(
            _unknown_release(torch, snapshot)
            if isinstance(error, UnknownRelease)
            else message("--torch {torch} is not a version", torch=torch),
            fix=message(
                "see `torchdoctor index show`, or ask the live index with `torchdoctor index update`"
            ),
            code="no-such-release",
        ) from error


def _unknown_release(torch: str, snapshot: Snapshot) -> str:
    newest = next((release.version for release in snapshot.releases()), None)
    if newest is None:
        return message("--torch {torch} is not in the index", torch=torch)
    return message(
        "--torch {torch} is not in the index; the newest known is {newest}", torch=torch, newest=newest
    )


def _layers(release: Release) -> dict[str, int]:
    """How many files are known by which layer."""
    live = sum(wheel.seen is not None for wheel in release.wheels)
    return {"listed": len(release.wheels) - live, "live": live}


def _file_counts(release: Release) -> str:
    layers = _layers(release)
    counts = [
        message("{count} listed", count=layers["listed"]) if layers["listed"] else "",
        message("{count} live", count=layers["live"]) if layers["live"] else "",
    ]
    return joined(filter(None, counts)) or message("no file seen")


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
            name: {
                "versions": list(map(str, companion.versions)),
                "constraint": companion.constraint,
                "note": companion.note,
            }
            for name, companion in release.companions.items()
        },
        "files": _layers(release),
    }
