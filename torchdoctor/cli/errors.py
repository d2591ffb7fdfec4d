"""Turns every error into text, or JSON, and an exit status."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import click

from torchdoctor.cli.commands import COMMANDS
from torchdoctor.cli.process import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_USAGE, use_colour
from torchdoctor.cli.value_origin import innermost, with_origin
from torchdoctor.core.i18n import current_language, message, translate
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.core.i18n.messages import with_trailing_space
from torchdoctor.core.urls import redact_urls_in
from torchdoctor.errors import TorchdoctorError
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ErrorReport", "failure_of", "print_failure"]

_MAX_CHARACTERS = 4000


class ErrorReport(NamedTuple):
    """What the user is told of an error: the exit `status`, the stable `code`, what happened and what to do next.

    It is a tuple because a dataclass takes a millisecond of every start to make.
    """

    status: int
    code: str
    text: str
    fix: str


def failure_of(
    error: BaseException, *, argv: Sequence[str], root: click.Context | None
) -> ErrorReport | None:
    """Return the failure that an error means; None when the reader of our output has gone away, which is none.

    `root` is the context of the program, if its options could be read.
    """
    if isinstance(error, TorchdoctorError):
        text = with_origin(error.message, innermost(root))
        return ErrorReport(status=error.exit_status, code=error.code, text=text, fix=error.fix)
    if isinstance(error, click.ClickException):
        return _usage_failure(error, argv)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return ErrorReport(
            status=EXIT_INTERRUPTED,
            code="interrupted",
            text=message("interrupted; what existed before is unchanged"),
            fix=message("run the command again"),
        )
    # rich answers a broken pipe with an exit.
    if isinstance(error.__context__ if isinstance(error, SystemExit) else error, BrokenPipeError):
        return None
    if (refused := _refused_by_system(error)) is not None:
        return refused
    return ErrorReport(
        status=EXIT_INTERNAL,
        code="internal",
        text=message("torchdoctor itself failed: {kind}: {what}", kind=type(error).__name__, what=str(error)),
        fix=message("run it again with -v and report what it prints"),
    )


def _refused_by_system(error: BaseException) -> ErrorReport | None:
    """An error of the system, with the limit that is behind it where one is known; None for any other error."""
    from torchdoctor.probe.surroundings import behind

    limits = behind(error)
    if not limits and not isinstance(error, OSError):
        return None
    what = _describe_os_error(error) if isinstance(error, OSError) else str(error) or type(error).__name__
    if not limits:
        text = message("the system refused: {what}", what=what)
        return ErrorReport(
            EXIT_USAGE, "system", text, message("check that file, folder or device, then run it again")
        )
    text = message("the system refused: {what}; {limits}", what=what, limits="; ".join(limits))
    fix = message("`torchdoctor explain {failure}` says what to do", failure=_failure_of_limit(limits[0]))
    return ErrorReport(EXIT_USAGE, "system", text, fix)


def _failure_of_limit(limit: str) -> str:
    from torchdoctor.diagnose import diagnose_text

    return next((finding.id for finding in diagnose_text(limit).findings), "disk-full")


def print_failure(failure: ErrorReport, *, as_json: bool) -> None:
    """Print it to standard error, or as the one document of `--json` to standard output."""
    text, fix = (
        redact_urls_in(translate(failure.text)[:_MAX_CHARACTERS]),
        redact_urls_in(translate(failure.fix)),
    )
    # If not even this can be written, only the exit status tells of it.
    with contextlib.suppress(OSError):
        if as_json:
            import json

            error = {"kind": failure.code, "message": text, "fix": fix}
            echo(json.dumps({"schema": 1, "error": error}))
        else:
            # Outside of the f-strings, where the tool that collects texts does not look.
            labels = (with_trailing_space(gettext("error:")), with_trailing_space(gettext("fix:")))
            colour = use_colour()
            echo(f"{click.style(labels[0], fg='red', bold=True)}{text}", err=True, color=colour)
            echo(f"  {click.style(labels[1], bold=True)}{fix}", err=True, color=colour)


def _usage_failure(error: click.ClickException, argv: Sequence[str]) -> ErrorReport:
    meant = _meant(error, argv)
    # click adds options that are spelled alike, which are not meant.
    shown = error.message if meant else error.format_message()
    text = with_origin(shown, getattr(error, "ctx", None))
    if current_language() == "zh":
        from torchdoctor.cli.full_width import in_full_width

        text = in_full_width(text)
    help_text = message("see `{command} --help`", command=_command_path(error, argv))
    return ErrorReport(status=EXIT_USAGE, code="usage", text=text, fix=meant or help_text)


def _meant(error: click.ClickException, argv: Sequence[str]) -> str | None:
    """Return what to write instead of an option that there is not; None where nobody can tell."""
    if not isinstance(error, click.NoSuchOption):
        return None
    from torchdoctor.cli.typed_hints import hint_for_option

    option = error.option_name
    place = next((index for index, word in enumerate(argv) if word.partition("=")[0] == option), len(argv))
    word = argv[place] if place < len(argv) else ""
    after = argv[place + 1] if place + 1 < len(argv) else None
    command = _command_path(error, argv).rpartition(" ")[2]
    hint = hint_for_option(command, option, word.partition("=")[2] or after)
    return message("did you mean {names}?", names=hint) if hint else None


def _command_path(error: click.ClickException, argv: Sequence[str]) -> str:
    """Return the command that was wrongly used; click does not name it when an option has no value."""
    if isinstance(error, click.UsageError) and error.ctx:
        return error.ctx.command_path
    return " ".join(["torchdoctor", *[word for word in argv if word in COMMANDS][:1]])


def _describe_os_error(error: OSError) -> str:
    reason = str(error.strerror or error)
    if not error.filename:
        return message("{strerror}", strerror=reason)
    return message("{path}: {strerror}", path=error.filename, strerror=reason)
