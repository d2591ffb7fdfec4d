"""The dialog of `diagnose --ask`: the deciding question, an answer, and what is wrong with the answer added."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import TextIO

    from torchdoctor.diagnose import Diagnosis

    Judge = Callable[[str, tuple[str, ...]], Diagnosis]

__all__ = ["ask_until_certain"]

_MAX_QUESTIONS = 6
_MAX_ANSWER_LINES = 2_000


def ask_until_certain(text: str, judge: Judge, *, text_was_piped: bool) -> Diagnosis:
    """Ask until the answer is certain or nothing is left to ask; return the last diagnosis.

    `judge` diagnoses a text, given the questions that nobody could answer. Questions go to standard error. Raises
    `UsageError` if the text came from standard input and there is no terminal to ask on.
    """
    from torchdoctor.diagnose.question_answers import with_answer

    asked: tuple[str, ...] = ()
    found = judge(text, asked)
    with _answers(text_was_piped=text_was_piped) as answers:
        for _ in range(_MAX_QUESTIONS):
            if found.question is None:
                break
            _show(found)
            answer = _read_answer(answers)
            if answer is None:
                break
            # Answered or not: what was asked once is not asked again.
            asked = (*asked, found.question.id)
            if answer.strip():
                text = with_answer(text, found.question.id, answer, found.question.machine)
            found = judge(text, asked)
    return found


def _show(found: Diagnosis) -> None:
    from torchdoctor.report.terminal.diagnosis import question_lines

    if found.question is not None:
        for line in question_lines(found.question):
            echo(line, err=True)
        how = gettext(
            "Type or paste the answer, then an empty line (after several: two); an empty line alone: not known."
        )
        echo(how, err=True)


def _read_answer(answers: TextIO) -> str | None:
    """Return the answer; None where the input ends before any.

    One line ends with an empty one. Several, such as a table or a traceback, may have empty lines of their own: they
    end with two.
    """
    lines: list[str] = []
    for line in answers:
        if not line.strip() and (len(lines) < 2 or not lines[-1].strip()):  # noqa: PLR2004
            return "".join(lines)
        lines.append(line)
        if len(lines) >= _MAX_ANSWER_LINES:
            break
    return "".join(lines) if lines else None


def _answers(*, text_was_piped: bool) -> AbstractContextManager[TextIO]:
    if not text_was_piped:
        return nullcontext(sys.stdin)
    from torchdoctor.errors import UsageError

    try:
        return open("CONIN$" if sys.platform == "win32" else "/dev/tty", encoding="utf-8", errors="replace")  # noqa: PTH123  (no path)
    except OSError as error:
        raise UsageError(
            message("there is no terminal to ask on, since the text came from standard input"),
            fix=message("name a file: torchdoctor diagnose report.txt --ask"),
        ) from error
