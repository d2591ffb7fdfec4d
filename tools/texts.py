"""Collect the English texts of the code into the Chinese catalogue, and compile it for gettext.

`python tools/texts.py` adds new texts without a translation and drops unused ones; `--check` changes nothing
and lists what is missing. Needs Babel.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import io
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

if TYPE_CHECKING:
    from collections.abc import Iterator

# Header lines that say who and when.
_CHANGING = tuple(
    f'"{name}'.encode()
    for name in (
        "POT-Creation-Date", "PO-Revision-Date", "Report-Msgid-Bugs", "Last-Translator", "Language-Team",
        "Generated-By",
    )
)  # fmt: skip
ROOT = Path(__file__).parent.parent
PO = ROOT / "torchdoctor" / "core" / "i18n" / "locale" / "zh" / "LC_MESSAGES" / "torchdoctor.po"
# The functions that a text is given to where it is shown.
KEYWORDS = {"_": None, "gettext": None, "translate": None, "message": None, "sentence": None}
# click's own words in help and in errors: they are looked up in our catalogue.
CLICKS = (
    "Usage:", "Options", "Commands", "[OPTIONS]", "COMMAND [ARGS]...", "[COMMAND] [ARGS]...",
    "Positional arguments", "Show this message and exit.",
    "Show the version and exit.", "default: {default}", "required", "Try '{command} {option}' for help.",
    "No such option {name!r}.", "No such command {name!r}.",
    "Missing {param_type}", "Missing argument", "Missing option", "Missing parameter",
    "Invalid value: {message}", "Invalid value for {param_hint}: {message}", "Choose from:\n\t{choices}",
    "{value!r} is not a valid {number_type}.", "{name} {filename!r} does not exist.", "Error: invalid input",
    "Option {name!r} does not take a value.", "Do you want to continue?", "Aborted!", "Missing command.",
    "{value} is not in the range {range}.", "Could not open file {filename!r}: {message}",
    "{name} {filename!r} is a file.", "{name} {filename!r} is a directory.", "{name} {filename!r} is not readable.",
    "{name} {filename!r} is not writable.", "file", "directory", "path",
    "{value!r} is not a valid boolean. Recognized values: {states}",
)  # fmt: skip
# Those of click that depend on a count.
CLICKS_COUNTED = (
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("Takes {nargs} values but 1 was given.", "Takes {nargs} values but {len} were given."),
)
# What the system says of a file that it refuses; in `message(...)` the value that is named strerror.
SYSTEMS = (
    "No such file or directory", "Permission denied", "Operation not permitted", "Is a directory", "Not a directory",
    "No space left on device", "Read-only file system", "File exists", "File name too long", "Directory not empty",
    "Device or resource busy", "Too many open files", "Disk quota exceeded", "Input/output error", "Invalid argument",
    "Too many levels of symbolic links", "Invalid cross-device link", "Cannot allocate memory", "Text file busy",
    "Exec format error",
)  # fmt: skip

# What Python's tomllib says of a file that is not TOML; in `message(...)` the value that is named why.
TOMLS = (
    "Cannot overwrite a value", "Expected '=' after a key in a key/value pair", "Invalid statement",
    "Expected ']' at the end of a table declaration", "Expected ']]' at the end of an array declaration",
    "Expected newline or end of document after a statement", "Illegal character '\\n'", "Invalid value",
    "Invalid initial character for a key part", "Unclosed array", "Unclosed inline table", "Unterminated string",
    "Unescaped '\\' in a string", "Invalid hex value", "Invalid date or datetime",
)  # fmt: skip


def all_texts() -> Catalog:
    """Every text to translate, in the order of the files."""
    found = Catalog()
    rows = extract_from_dir(str(ROOT / "torchdoctor"), keywords=KEYWORDS, comment_tags=("Translators:",))
    for filename, _line, message, comments, context in sorted(rows, key=lambda row: row[0]):
        if isinstance(message, str) and message:
            found.add(
                message, locations=[(f"torchdoctor/{filename}", 0)], auto_comments=comments, context=context
            )
    for message in (
        *_pages(),
        *_help(),
        *CLICKS,
        *CLICKS_COUNTED,
        *SYSTEMS,
        *TOMLS,
        *_data(),
        *_failures(),
        *_checks(),
    ):
        found.add(message)
    return found


def _pages() -> Iterator[str]:
    """Texts of the pages of HTML, by their `_(...)`."""
    for path in sorted((ROOT / "torchdoctor" / "report" / "html").glob("*.html")):
        with path.open("rb") as file:
            for _line, _function, text, _comments in babel_extract(file, KEYWORDS, (), {"encoding": "utf-8"}):
                if isinstance(text, str):
                    yield text


def _data() -> Iterator[str]:
    """What the data that comes along says in words: of mirrors, and of builds."""
    from torchdoctor.report.terminal.stages import STAGES
    from torchdoctor.requirements.known_names import other_packages
    from torchdoctor.sources.mirrors import mirror_table
    from wheels_index import bundled
    from wheels_index.extension import extensions

    yield from (*STAGES, "config", "cache", "data", "pass", "fail", "skip", "warn")
    # Where a setting or a kernel is from.
    yield from ("default", "environment", "user", "system")
    for mirror in mirror_table().values():
        yield from mirror.get("lacks", ())
    for release in bundled().releases():
        for builds in release.platforms.values():
            yield from builds.unmatrixed.values()
        yield from (row.note for row in release.companions.values() if row.note)
    yield from (row["is"] for row in other_packages().values())
    # Where there is no build of an extension, what it needs besides packages, and how it is proven.
    for each in extensions().values():
        yield from (row.text for row in (*each.ways_out, *each.outside_pip))
        if each.proof is not None:
            yield each.proof.about


def _failures() -> Iterator[str]:
    from torchdoctor.diagnose import all_failures, messages, verify_findings
    from torchdoctor.diagnose.failure import Frequency
    from torchdoctor.diagnose.model import Confidence, Severity
    from torchdoctor.report.terminal import issue_comment
    from torchdoctor.report.terminal.diagnosis import POSSIBLE_CAUSES, VERDICTS

    yield from messages.messages()
    yield from verify_findings.messages()
    yield from VERDICTS.values()
    yield from issue_comment.messages()
    yield POSSIBLE_CAUSES
    yield from (*get_args(Confidence), *get_args(Severity))
    yield from get_args(Frequency)
    for failure in all_failures():
        yield from failure.messages()


def _checks() -> Iterator[str]:
    from torchdoctor.probe.suite import BENCH
    from torchdoctor.report.terminal.check_list import check_rows

    for row in check_rows():
        yield from (row[name] for name in ("proves", "where", "tolerance", "reason"))
    yield from (step.proves for step in BENCH)
    # What a comparison says of a case.
    yield from ("faster", "slower", "within noise")


def _help() -> Iterator[str]:
    from torchdoctor.cli.app import cli
    from torchdoctor.cli.commands import COMMANDS

    yield from _help_of(cli)
    for module in COMMANDS.values():
        yield from _help_of(importlib.import_module(module).command)


def _help_of(command: click.Command) -> Iterator[str]:
    # As click shows it: without the indent of the source.
    yield from map(inspect.cleandoc, filter(None, (command.help, command.short_help, command.epilog)))
    for row in command.params:
        if isinstance(row, click.Option) and row.help:
            yield row.help
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _help_of(inner)


def updated() -> Catalog:
    """The catalogue with exactly the texts there are; no guesses from like texts."""
    with PO.open("rb") if PO.exists() else io.BytesIO(b"") as file:
        catalog = read_po(file, locale="zh", domain="torchdoctor")
    catalog.update(all_texts(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy, catalog.header_comment = (
        False,
        "# The Chinese of every text; made by tools/texts.py, translated by hand.",
    )
    catalog.project, catalog.version = "torchdoctor", ""
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """The catalogue as text; without dates and line numbers, which would change with every edit."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=110, omit_header=False, include_lineno=False, sort_output=False)
    lines = buffer.getvalue().split(b"\n")
    return b"\n".join(line for line in lines if not line.startswith(_CHANGING))


def as_mo(catalog: Catalog) -> bytes:
    """The form that gettext reads; its date is fixed, so that the same catalogue gives the same bytes."""
    catalog.creation_date = datetime(2026, 1, 1, tzinfo=timezone.utc)
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def main() -> int:
    """Write both files, or with --check say what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    catalog = updated()
    missing = [row.id for row in catalog if row.id and not any(row.string or "")]
    po = as_po(catalog)
    made = {PO: po, PO.with_suffix(".mo"): as_mo(read_po(io.BytesIO(po), locale="zh"))}
    behind = [
        path.name for path, content in made.items() if not path.exists() or path.read_bytes() != content
    ]
    if not check:
        PO.parent.mkdir(parents=True, exist_ok=True)
        for path, content in made.items():
            path.write_bytes(content)
    for message in missing:
        print(f"not translated: {message!r:.100}")
    for name in behind if check else ():
        print(f"{name} is behind the program: run python tools/texts.py")
    print(f"{len(catalog)} texts, {len(missing)} without Chinese")
    return 1 if check and (missing or behind) else 0


if __name__ == "__main__":
    sys.exit(main())
