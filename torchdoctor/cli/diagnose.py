"""`torchdoctor diagnose FILE|-`: what a pasted report, log or traceback says is wrong."""

from __future__ import annotations

import gc
import os
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.options import AsTyped, output_options
from torchdoctor.cli.output import Output, print_json, styled
from torchdoctor.cli.param_types import FAILURE
from torchdoctor.core.i18n import joined, message
from torchdoctor.core.i18n.catalog import gettext

if TYPE_CHECKING:
    from typing import BinaryIO

    from torchdoctor.diagnose import Diagnosis

__all__ = ["command", "show_page"]

# Of a longer input the beginning and the end are read: what was run stands first, the error last.
_KEPT_BYTES = 6 * 1024 * 1024
_CHUNK = 1024 * 1024
# A stream is given up after this much: something that never ends is no report.
_STREAM = 512 * 1024 * 1024


@click.command("diagnose", short_help="Say what is wrong from a report, a log or a traceback.")
@click.argument("file", required=False, metavar="FILE|-")
@click.option(
    "--format", "form", cls=AsTyped, type=click.Choice(["text", "md", "json"]), default="text", show_default=True,
    help="What to print: md is for pasting back into an issue.",
)  # fmt: skip
@click.option(
    "--text",
    "words",
    cls=AsTyped,
    metavar="TEXT",
    help="Take the text itself, a line of an error for instance.",
)
@click.option("--explain", type=FAILURE, metavar="ID", help="Print the page of a failure instead.")
@output_options
def command(*, file: str | None, form: str, words: str | None, explain: str | None, output: Output) -> int:
    """Read a collect_env report, nvidia-smi, a pip log or a traceback from FILE and say what is wrong.

    Nothing of this machine is looked at. Exit status 1 when a problem is found;
    what is only a possible cause is listed, with what would confirm it, and is exit status 0.

    \b
    torchdoctor diagnose report.txt
    pip install torch 2>&1 | torchdoctor diagnose -
    torchdoctor diagnose issue.md --format md
    torchdoctor diagnose --explain cpu-only-wheel
    """
    from torchdoctor.errors import UsageError

    if explain is not None:
        return show_page(explain, as_json=output.json or form == "json")
    if words is None:
        if file is None:
            raise UsageError(
                message("no text was named"),
                fix=message("name a file, or pipe the text in: ... | torchdoctor diagnose -"),
            )
        words = _read(file)
    elif file is not None:
        raise UsageError(message("a file and --text were both named"), fix=message("name one of the two"))
    # The process ends with its answer: collecting garbage on the way is a tenth of the time.
    gc.disable()
    try:
        from torchdoctor.diagnose import diagnose_text

        found = diagnose_text(words, gettext)
    finally:
        gc.enable()
    if output.json or form == "json":
        print_json(found.to_json())
    else:
        click.echo(_shown(found, form))
    return 1 if any(finding.severity != "note" for finding in found.findings) else 0


def _shown(found: Diagnosis, form: str) -> str:
    from torchdoctor.report.terminal.diagnosis import diagnosis_markdown, diagnosis_text

    if form == "md":
        return diagnosis_markdown(found)
    return diagnosis_text(found, styled)


def show_page(name: str, *, as_json: bool) -> int:
    """Print the page of a failure, or raise `UsageError` naming the nearest ones."""
    import difflib

    from torchdoctor.diagnose.catalogue import failures_by_id
    from torchdoctor.diagnose.pages import page_json, page_of
    from torchdoctor.errors import UsageError

    failure = failures_by_id().get(name)
    if failure is None:
        near = difflib.get_close_matches(name, failures_by_id(), n=3)
        see = message("`torchdoctor explain` lists all of them")
        raise UsageError(
            message("there is no failure named {name!r}", name=name[:80]),
            fix=message("did you mean {near}? {see}", near=joined(near, " or "), see=see) if near else see,
        )
    if as_json:
        print_json(page_json(failure, gettext))
    else:
        click.echo(page_of(failure, gettext))
    return 0


def _read(name: str) -> str:
    if name == "-":
        if sys.stdin.isatty():
            end = gettext("Ctrl-Z and Enter") if os.name == "nt" else "Ctrl-D"
            click.echo(gettext("Paste the text, then press {key}.").format(key=end), err=True)
        return _decoded(_ends_of_stream(sys.stdin.buffer))
    from torchdoctor.errors import UsageError

    try:
        with Path(name).open("rb") as file:
            seekable = os.fstat(file.fileno()).st_size if file.seekable() else 0
            return _decoded(_ends_of_file(file, seekable) if seekable else _ends_of_stream(file))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            message("{name!r} cannot be read: {why}", name=name[:200], why=reason),
            fix=message("name a text file, or - for standard input"),
        ) from error


def _ends_of_file(file: BinaryIO, size: int) -> bytes:
    if size <= 2 * _KEPT_BYTES:
        return file.read(2 * _KEPT_BYTES)
    head = file.read(_KEPT_BYTES)
    file.seek(size - _KEPT_BYTES)
    return head + b"\n" + file.read(_KEPT_BYTES)


def _ends_of_stream(file: BinaryIO) -> bytes:
    head = file.read(_KEPT_BYTES)
    tail: deque[bytes] = deque(maxlen=_KEPT_BYTES // _CHUNK)
    taken = len(head)
    while taken < _STREAM and (chunk := file.read(_CHUNK)):
        taken += len(chunk)
        tail.append(chunk)
    return head + b"".join(tail)


def _decoded(raw: bytes) -> str:
    """The text of bytes in the encodings that consoles write: UTF-8, PowerShell's UTF-16, a Chinese Windows' GBK."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    chinese = raw.decode("gb18030", errors="replace")
    letters = sum("\u4e00" <= sign <= "\u9fff" for sign in chinese[:100_000])
    wrong = chinese[:100_000].count("\ufffd")
    return chinese if letters > 4 * wrong else raw.decode("utf-8", errors="replace")
