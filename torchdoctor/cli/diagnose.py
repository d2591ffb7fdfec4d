"""`torchdoctor diagnose FILE|-`: what a pasted report, log or traceback says is wrong."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.options import AsTyped, output_options
from torchdoctor.cli.output import Output, print_json, stage_lines, styled
from torchdoctor.cli.param_types import FAILURE
from torchdoctor.cli.text_input import read_text
from torchdoctor.cli.trust import ask_to_trust, trust_option
from torchdoctor.core.i18n import joined, message, translate
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from typing import Any

    from torchdoctor.diagnose import Diagnosis
    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.workflows.diagnose_here import HereDiagnosis

__all__ = ["command", "show_page"]

# How far down the confidence goes that ends with 1.
_FAILING = {
    "certain": ("certain",),
    "likely": ("certain", "likely"),
    "possible": ("certain", "likely", "possible"),
    "never": (),
}


@click.command("diagnose", short_help="Say what is wrong from a report, a log or a traceback.")
@click.argument("file", required=False, metavar="FILE|-")
@click.option(
    "--format", "form", cls=AsTyped, type=click.Choice(["text", "md", "comment", "json"]), default="text",
    show_default=True,
    help="What to print: md is for pasting back into an issue, comment for a bot that answers there.",
)  # fmt: skip
@click.option(
    "--text",
    "words",
    cls=AsTyped,
    metavar="TEXT",
    help="Take the text itself, a line of an error for instance.",
)
@click.option("--ask", is_flag=True, help="Ask for the fact that decides, and go on with the answer.")
@click.option("--here", is_flag=True, help="Join the text with what this machine and its environment show.")
@click.option(
    "--fail-on", cls=AsTyped, type=click.Choice([*_FAILING]), default="likely", show_default=True,
    help="The least confidence of a finding that ends with exit status 1.",
)  # fmt: skip
@click.option("--explain", type=FAILURE, metavar="ID", help="Print the page of a failure instead.")
@trust_option
@output_options
def command(*, file: str | None, words: str | None, explain: str | None, output: Output, **given: Any) -> int:
    """Read a collect_env report, nvidia-smi, a pip log or a traceback from FILE and say what is wrong.

    Nothing of this machine is looked at unless --here is given. Exit status 1 when a problem is found;
    what is only a possible cause is listed, with what would confirm it, and is exit status 0. Where nothing is
    certain, the one fact is asked for that decides best.

    \b
    torchdoctor diagnose report.txt
    pip install torch 2>&1 | torchdoctor diagnose -
    torchdoctor diagnose report.txt --ask
    torchdoctor diagnose issue.md --format comment --fail-on certain
    torchdoctor diagnose --explain cpu-only-wheel
    """
    from torchdoctor.errors import UsageError

    as_json = output.json or given["form"] == "json"
    if explain is not None:
        return show_page(explain, as_json=as_json)
    if words is None:
        if file is None:
            raise UsageError(
                message("no text was named"),
                fix=message("name a file, or pipe the text in: ... | torchdoctor diagnose -"),
            )
        words = read_text(file)
    elif file is not None:
        raise UsageError(message("a file and --text were both named"), fix=message("name one of the two"))
    if given["ask"] and as_json:
        raise UsageError(
            message("--ask does not go with JSON, which has the question"),
            fix=message("leave one of the two out"),
        )
    if given["here"] and given["form"] == "comment":
        raise UsageError(
            message("--format comment does not go with --here: it is written about the text alone"),
            fix=message("leave one of the two out"),
        )
    # The process ends with its answer: collecting garbage on the way is a tenth of the time.
    gc.disable()
    try:
        found, here = _diagnosed(words, given, output, text_was_piped=file == "-")
    finally:
        gc.enable()
    if as_json:
        from torchdoctor.report.evidence import document_for_issue

        print_json(document_for_issue((here or found).to_json()))
    else:
        echo(_shown(found, here, given["form"]))
    failing = _FAILING[given["fail_on"]]
    return 1 if any(one.confidence in failing and one.severity != "note" for one in found.in_order) else 0


def _diagnosed(
    words: str, given: dict[str, Any], output: Output, *, text_was_piped: bool
) -> tuple[Diagnosis, HereDiagnosis | None]:
    """Return the diagnosis; with --here joined with this machine, with --ask after the answers."""
    from torchdoctor.diagnose import diagnose_text

    last: HereDiagnosis | None = None
    if given["here"]:
        from torchdoctor.workflows.diagnose_here import diagnose_here

        seen = _evidence_here(output)

    def judge(text: str, asked: tuple[str, ...]) -> Diagnosis:
        nonlocal last
        if not given["here"]:
            return diagnose_text(text, gettext, asked=asked)
        last = diagnose_here(text, seen, gettext, asked)
        return last.diagnosis

    if not given["ask"]:
        return judge(words, ()), last
    from torchdoctor.cli.question_dialog import ask_until_certain

    return ask_until_certain(words, judge, text_was_piped=text_was_piped), last


def _evidence_here(output: Output) -> Evidence:
    from torchdoctor.cli.locations import environment_python_or_own
    from torchdoctor.core.fs.user_folders import user_folders
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows.diagnose_here import evidence_here

    report = stage_lines(output)
    python = environment_python_or_own(None)
    ask_to_trust(python)
    try:
        return evidence_here(
            python,
            system=host_system(os.environ),
            folders=user_folders(os.environ),
            report=report,
        )
    finally:
        report.close()


def _shown(found: Diagnosis, here: HereDiagnosis | None, form: str) -> str:
    from torchdoctor.report.evidence import for_issue, without_secrets
    from torchdoctor.report.terminal.diagnosis import diagnosis_markdown, diagnosis_text

    if form == "comment":
        from torchdoctor.report.terminal.issue_comment import issue_comment

        return issue_comment(for_issue(found))
    in_issue = form == "md"
    shown = (
        diagnosis_markdown(for_issue(found)) if in_issue else diagnosis_text(without_secrets(found), styled)
    )
    if here is not None and here.contradictions:
        return "\n".join([*_contradictions(here), "", shown])
    return shown


def _contradictions(here: HereDiagnosis) -> list[str]:
    """Say that the text is of another machine or environment, and by which facts."""
    if here.joined == "nothing":
        first = gettext("The text is of another machine, so only the text was read:")
    else:
        first = gettext(
            "The text is of another environment, so of this machine only the hardware and system count:"
        )
    return [first, *(f"  - {translate(str(row))}" for row in here.contradictions)]


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
        echo(page_of(failure, gettext))
    return 0
