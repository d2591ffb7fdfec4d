"""How a command answers: one JSON document or text, in the user's language."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.core.i18n.messages import translate_document
from torchdoctor.core.visible import visible
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from torchdoctor.report.terminal.stages import StageLines

__all__ = ["Output", "print_json", "stage_lines", "styled"]

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red", "note": "blue"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """The options `--json`, `--quiet` and `--verbose` (how often it was given)."""

    json: bool = False
    quiet: bool = False
    verbose: int = 0


def stage_lines(output: Output, *, may_ask: bool = True) -> StageLines:
    """Return the reporter that writes progress to standard error; with `--json` it writes nothing and asks nothing."""
    from torchdoctor.report.terminal.stages import StageLines

    return StageLines(
        quiet=output.quiet or output.json, verbose=output.verbose, may_ask=may_ask and not output.json
    )


def print_json(document: dict[str, Any]) -> None:
    """Print the one document of `--json`: its texts are translated, its keys and codes never are."""
    import json

    text = json.dumps(translate_document(document), ensure_ascii=not _stdout_is_utf8())
    # What acts on a terminal is written as JSON's escapes: the document is the same.
    echo(text if visible(text) == text else json.dumps(json.loads(text)))


def styled(text: str, kind: str) -> str:
    """Colour a text by the severity of a finding or the mark of a check; titles are bold."""
    return click.style(visible(text), fg=_COLOURS.get(kind), bold=kind == "title")


def _stdout_is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
