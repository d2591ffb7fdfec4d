"""A diagnosis as the comment of a bot on an issue: short and polite, the evidence folded, the question last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.core.i18n.messages import translate_document, with_trailing_space
from torchdoctor.report.terminal.diagnosis import asked, is_command, machine_lines, titled
from torchdoctor.report.terminal.markdown_text import fenced, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose import Diagnosis, Finding, Question

__all__ = ["MARKER", "issue_comment", "messages"]

# A bot finds its own comment by this line.
MARKER = "<!-- torchdoctor -->"
_MAX_FINDINGS = 2
_MAX_POSSIBLE = 3
_MAX_EVIDENCE_LINES = 4

_CERTAIN = "Thank you for the report. What it shows is a known problem:"
_LIKELY = "Thank you for the report. What it shows looks like a known problem:"
_POSSIBLE = "Thank you for the report. It does not show the cause for certain; it may be one of these:"
_NOTHING_WRONG = "Thank you for the report. What it says of the installation looks right."
_NOT_ENOUGH = "Thank you for the report. It does not say enough to find the cause."
_SIGNED = "Written by torchdoctor, a program that has read the text above and nothing else. It can be wrong."


def issue_comment(diagnosis: Diagnosis) -> str:
    """Return the comment as Markdown; nothing of the report is markup, a mention or a reference in it."""
    shown, further = diagnosis.findings[:_MAX_FINDINGS], diagnosis.findings[_MAX_FINDINGS:]
    lines = [MARKER, _opening(diagnosis), ""]
    for finding in shown:
        lines += [*_problem(finding), ""]
    # A cause that is only possible beside one that is certain would only confuse.
    certain = bool(shown) and shown[0].confidence == "certain"
    possible = () if certain else diagnosis.possible[:_MAX_POSSIBLE]
    if possible:
        lines += [_("It may also be:"), ""] if shown else []
        lines += [*map(_possible, possible), ""]
    if diagnosis.question is not None:
        lines += [*_asked(diagnosis.question), ""]
    machines = machine_lines(diagnosis) if diagnosis.machines else []
    lines += [*_folded((*shown, *possible), further, machines)]
    text = "\n".join([*lines, f"<sub>{_(_SIGNED)}</sub>"]) + "\n"
    return re.sub(r"\n{3,}", "\n\n", text)


def _opening(diagnosis: Diagnosis) -> str:
    if diagnosis.findings:
        return _(_CERTAIN if diagnosis.findings[0].confidence == "certain" else _LIKELY)
    if diagnosis.possible:
        return _(_POSSIBLE)
    return _(_NOTHING_WRONG if diagnosis.verdict == "nothing-wrong-found" else _NOT_ENOUGH)


def _problem(finding: Finding) -> Iterator[str]:
    yield f"**{plain(titled(finding))}**"
    yield ""
    yield plain(finding.explanation)
    yield ""
    for step in finding.fix:
        if is_command(step):
            yield from fenced((step,), "sh")
            yield ""
        else:
            yield plain(translate_document(step))
            yield ""
    if finding.check and finding.confidence != "certain":
        yield with_trailing_space(_("To make sure:")) + plain(finding.check)


def _possible(cause: Finding) -> str:
    confirm = with_trailing_space(_("To make sure:")) + plain(cause.check) if cause.check else ""
    return "\n".join(filter(None, (f"- **{plain(titled(cause))}**", confirm and f"  {confirm}")))


def _asked(question: Question) -> Iterator[str]:
    heading = _("One fact would decide:")
    yield f"**{heading}** {plain(asked(question))}"
    if question.command:
        yield ""
        yield _("Please run this where it fails, and add what it prints:")
        yield ""
        yield from fenced((question.command,), "sh")


def _folded(shown: tuple[Finding, ...], further: tuple[Finding, ...], machines: list[str]) -> Iterator[str]:
    """Yield what the answer is based on, folded: the machines that the text is about, the lines of each finding."""
    if not shown:
        return
    summary = _("What this is based on")
    yield f"<details><summary>{summary}</summary>"
    yield ""
    for line in machines:
        yield f"- {plain(line.strip())}" if line.startswith(" ") else f"{plain(line)}\n"
    if machines:
        yield ""
    for finding in (*shown, *further):
        name = _("({severity}, {confidence}: {id})").format(
            severity=_(finding.severity), confidence=_(finding.confidence), id=f"`{finding.id}`"
        )
        yield plain(titled(finding)) + ("" if name.startswith("\uff08") else " ") + name
        yield ""
        yield from fenced(tuple(map(translate_document, finding.evidence[:_MAX_EVIDENCE_LINES])))
        yield ""
    yield "</details>"
    yield ""


def messages() -> tuple[str, ...]:
    """Every text here that is to be translated and is not beside its `_`."""
    return (_CERTAIN, _LIKELY, _POSSIBLE, _NOTHING_WRONG, _NOT_ENOUGH, _SIGNED)
