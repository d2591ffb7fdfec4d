"""`torchdoctor explain [ID]`: every failure that is known, or the page of one."""

from __future__ import annotations

import click

from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.cli.param_types import FAILURE
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.report.terminal.echo import echo

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
    from torchdoctor.diagnose import all_failures

    if id is not None:
        return show_page(id, as_json=output.json)
    failures = sorted(all_failures(), key=lambda failure: (failure.layer, failure.id))
    if output.json:
        print_json(
            {
                "schema": 1,
                "failures": [
                    {"id": failure.id, "severity": failure.severity, "title": gettext(failure.title)}
                    for failure in failures
                ],
            }
        )
        return 0
    width = max(len(failure.id) for failure in failures)
    echo("\n".join(f"{failure.id.ljust(width)}  {gettext(failure.title)}" for failure in failures))
    return 0
