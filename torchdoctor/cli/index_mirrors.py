"""`torchdoctor index mirrors`: the mirrors of the PyTorch index, and how fast each answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.core.i18n import message, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from torchdoctor.sources.speed import Measurement

__all__ = ["mirrors"]


@click.command("mirrors", short_help="List the mirrors, and how fast each answers.")
@click.option(
    "--measure/--no-measure",
    default=True,
    show_default=True,
    help="Ask each for a short range of a page and time it.",
)
@output_options
def mirrors(*, measure: bool, output: Output) -> int:
    """List the mirrors that --mirror takes, and how fast each answers from here.

    No other command contacts a mirror that was not named.

    \b
    torchdoctor index mirrors
    torchdoctor index mirrors --no-measure
    """
    from torchdoctor.sources.mirrors import mirror_table
    from torchdoctor.sources.speed import measure_all, mirror_page

    table = mirror_table()
    measured = measure_all(mirror_page(mirror) for mirror in table.values()) if measure else ()
    timed = dict(zip(table, measured, strict=bool(measured)))
    if output.json:
        print_json(
            {
                "schema": 1,
                "mirrors": [_mirror_json(name, mirror, timed.get(name)) for name, mirror in table.items()],
            }
        )
        return 0
    width = max(map(len, table), default=0)
    for name, mirror in table.items():
        echo(f"{name:{width}}  {mirror['base']}  ({mirror['layout']}){translate(_speed(timed.get(name)))}")
        if output.quiet:
            continue
        if mirror.get("companion_pypi"):
            echo(f"{'':{width}}    PyPI: {mirror['companion_pypi']}")
        for text in mirror.get("lacks", ()):
            lacks = message("lacks: {what}", what=message(text))
            echo(f"{'':{width}}    {translate(lacks)}")
        source = message("source: {url}", url=mirror["source"])
        echo(f"{'':{width}}    {translate(source)}")
    return 0


def _mirror_json(name: str, mirror: dict[str, Any], measured: Measurement | None) -> dict[str, Any]:
    return {
        "name": name,
        "companion_pypi": None,
        **mirror,
        "latency_s": None if measured is None else measured.latency,
        "bytes_per_s": None if measured is None else measured.rate,
        "failure": None if measured is None else measured.failure,
    }


def _speed(measured: Measurement | None) -> str:
    if measured is None:
        return ""
    if measured.rate is None or measured.latency is None:
        return message("  out of reach: {failure}", failure=measured.failure)
    return message(
        "  {rate:.1f} MB/s, first byte after {latency:.0f} ms",
        rate=measured.rate / 1e6,
        latency=1000 * measured.latency,
    )
