"""`torchdoctor explain [ID]`: every failure that is known, or the page of one."""

from __future__ import annotations

import click

from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.cli.param_types import FAILURE
from torchdoctor.core.i18n.catalog import gettext

__all__ = ["command"]


@click.command("explain", short_help="List the failures that are known, or explain one.")
@click.argument("id", type=FAILURE, required=False, metavar="[ID]")
@output_options
def command(*, id: str | None, output: Output) -> int:  # noqa: A002  (the word of the contract)
    """List every failure that torchdoctor knows, or print the page of one.

    \b
    torchdoctor explain
    torchdoctor explain driver-library-mismatch
    """
    from torchdoctor.cli.diagnose import show_page
    from torchdoctor.diagnose.rules import RULES

    if id is not None:
        return show_page(id, as_json=output.json)
    rows = sorted(RULES, key=lambda row: (row.layer, row.id))
    if output.json:
        print_json(
            {
                "schema": 1,
                "failures": [
                    {"id": row.id, "severity": row.severity, "title": gettext(row.title)} for row in rows
                ],
            }
        )
        return 0
    width = max(len(row.id) for row in rows)
    click.echo("\n".join(f"{row.id.ljust(width)}  {gettext(row.title)}" for row in rows))
    return 0
