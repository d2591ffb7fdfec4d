"""A diagnosis as text for a terminal, or as Markdown to paste into an issue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, translate
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.core.i18n.messages import translate_document, with_trailing_space
from torchdoctor.report.terminal.markdown_text import fenced, plain
from torchdoctor.report.terminal.wrap import cell_width, hanging, padded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torchdoctor.diagnose import Diagnosis, Finding, Question

    Style = Callable[[str, str], str]

__all__ = [
    "POSSIBLE_CAUSES",
    "VERDICTS",
    "asked",
    "diagnosis_markdown",
    "diagnosis_text",
    "finding_lines",
    "is_command",
    "machine_lines",
    "machine_name",
    "question_lines",
    "question_markdown",
    "titled",
    "told_apart",
]

VERDICTS = {
    "problems-found": "Problems found: {count}. Start with the first.",
    "nothing-wrong-found": "Nothing wrong found.",
    "not-enough-to-tell": "Not enough to tell.",
}
POSSIBLE_CAUSES = "Possible causes"
_MAX_POSSIBLE_EVIDENCE = 2
_MARKS = {"error": "✗", "warning": "!", "note": "·"}


def diagnosis_text(diagnosis: Diagnosis, style: Style = lambda text, _kind: text) -> str:
    """Return the findings one after the other, the verdict in the last line; `style` colours by severity."""
    blocks = ["\n".join(machine_lines(diagnosis, style))] if diagnosis.machines else []
    blocks += ["\n".join(finding_lines(finding, style)) for finding in diagnosis.findings]
    if diagnosis.possible:
        listed = [line for cause in diagnosis.possible for line in _possible_lines(cause, style)]
        blocks.append("\n".join([style(_(POSSIBLE_CAUSES), "title"), *listed]))
    if diagnosis.verdict != "problems-found" and diagnosis.checked and not diagnosis.machines:
        blocks.append("\n".join([_("Looked at:"), *(f"  {looked_at}" for looked_at in diagnosis.checked)]))
    if diagnosis.question is not None:
        blocks.append("\n".join(question_lines(diagnosis.question, style)))
    if diagnosis.next_steps:
        blocks.append("\n".join([_("To learn more:"), *(f"  - {step}" for step in diagnosis.next_steps)]))
    if diagnosis.left_out:
        blocks.append(
            _("{count} lines in the middle of this long text were not read.").format(count=diagnosis.left_out)
        )
    blocks.append(_(VERDICTS[diagnosis.verdict]).format(count=len(diagnosis.findings)))
    return "\n\n".join(blocks)


def machine_lines(diagnosis: Diagnosis, style: Style = lambda text, _kind: text) -> list[str]:
    """Return the lines that name the machines which the text tells apart, with what it says of each."""
    lines = [
        style(
            _("The text is about {count} machines or environments:").format(count=len(diagnosis.machines)),
            "title",
        )
    ]
    for machine in diagnosis.machines:
        known = _("; ").join(map(translate_document, machine.checked)) or _("no facts are given")
        said = _("{machine} (from line {line}): {what}").format(
            machine=machine_name(machine.name), line=machine.line, what=known
        )
        lines.append("  " + hanging(said, 4, None))
    return lines


def machine_name(name: str) -> str:
    """Return the name of a machine as it is shown: the text's own word, or which report it has."""
    kind, _space, number = name.rpartition(" ") if name[-1:].isdigit() else (name, "", "")
    if kind == "report":
        return _("report {number}").format(number=number)
    if kind == "quoted report":
        said = _("quoted report")
        return f"{said} {number}".rstrip()
    return _("own machine") if kind == "own machine" else name


def titled(finding: Finding) -> str:
    """Return the title of a finding, behind the machines that it belongs to where a text has several."""
    if not finding.machines:
        return finding.title
    names = _(", ").join(map(machine_name, finding.machines))
    return _("{machine}: {what}").format(machine=names, what=finding.title)


def asked(question: Question) -> str:
    """Return the text of a question, behind the machine that it is about where a text has several."""
    if not question.machine:
        return question.text
    return _("{machine}: {what}").format(machine=machine_name(question.machine), what=question.text)


def finding_lines(finding: Finding, style: Style, columns: int | None = None) -> list[str]:
    """Return the lines of one finding: sign and title, what was seen, why, and the steps of the fix."""
    sure = "" if finding.confidence == "certain" else _(", ") + _(finding.confidence)
    lines = [
        f"{style(_MARKS[finding.severity], finding.severity)} {style(titled(finding), 'title')}  [{finding.id}{sure}]"
    ]
    seen, why, fix = (with_trailing_space(text) for text in (_("seen:"), _("why:"), _("fix:")))
    width = max(map(cell_width, (seen, why, fix)))
    evidence = [(translate_document(text), False) for text in finding.evidence]
    lines += _under(seen, evidence, width, columns)
    lines += _under(why, [(finding.explanation, False)], width, columns)
    lines += _under(
        fix, [(translate_document(text), is_command(text)) for text in finding.fix], width, columns
    )
    if finding.explains:
        lines.append("    " + with_trailing_space(_("this explains:")) + _(", ").join(finding.explains))
    if finding.check and finding.confidence != "certain":
        lines.append("    " + with_trailing_space(_("to make sure:")) + finding.check)
    return lines


def question_lines(question: Question, style: Style = lambda text, _kind: text) -> list[str]:
    """Return the lines of the question: what is asked, the command whose output to add, what it tells apart."""
    lines = [style(_("What decides:"), "title"), f"  {hanging(asked(question), 2, None)}"]
    if question.command:
        run = _("Run this, and add what it prints:")
        lines += [f"  {run}", f"      {question.command}"]
    return lines + [f"  {text}" for text in told_apart(question)]


def told_apart(question: Question) -> list[str]:
    """Return the sentence that says which causes the answer shows or excludes; none if no cause is known."""
    if not question.decides:
        return []
    return [_("It shows whether it is {names}.").format(names=translate(joined(question.decides, " or ")))]


def _possible_lines(cause: Finding, style: Style) -> list[str]:
    """Return the lines of a possible cause: its title, what was seen, and what would confirm it."""
    lines = [f"  ? {style(titled(cause), 'title')}  [{cause.id}]"]
    seen, confirm = (with_trailing_space(text) for text in (_("seen:"), _("to make sure:")))
    width = max(map(cell_width, (seen, confirm)))
    evidence = [(translate_document(text), False) for text in cause.evidence[:_MAX_POSSIBLE_EVIDENCE]]
    lines += _under(seen, evidence, width, None)
    lines += _under(confirm, [(cause.check, False)] if cause.check else [], width, None)
    return lines


def _under(label: str, texts: list[tuple[str, bool]], width: int, columns: int | None) -> Iterator[str]:
    """Texts below each other, the label before the first; a command is indented and stays whole, to be copied."""
    for number, (text, is_whole) in enumerate(texts):
        before = f"    {padded(label if number == 0 else '', width)}"
        yield before + (f"  {text}" if is_whole else hanging(text, width + 4, columns))


def diagnosis_markdown(diagnosis: Diagnosis) -> str:
    """Return the same as Markdown; what came from the report stands in code blocks that it cannot end."""
    lines = [f"### torchdoctor: {_(VERDICTS[diagnosis.verdict]).format(count=len(diagnosis.findings))}", ""]
    if diagnosis.machines:
        lines += [*(f"- {plain(line.strip())}" for line in machine_lines(diagnosis)), ""]
    for number, finding in enumerate(diagnosis.findings, 1):
        lines += [
            f"**{number}. {plain(titled(finding))}** "
            + _("({severity}, {confidence}: {id})").format(
                severity=_(finding.severity), confidence=_(finding.confidence), id=f"`{finding.id}`"
            ),
            "",
        ]
        lines += [
            *fenced(tuple(map(translate_document, finding.evidence))),
            "",
            plain(finding.explanation),
            "",
        ]
        for step in finding.fix:
            lines += (
                [*fenced((step,)), ""] if is_command(step) else [f"- {plain(translate_document(step))}", ""]
            )
        if finding.explains:
            names = _(", ").join(f"`{name}`" for name in finding.explains)
            lines += [_("This explains {names}.").format(names=names), ""]
        if finding.check and finding.confidence != "certain":
            lines += [with_trailing_space(_("To make sure:")) + plain(finding.check), ""]
    if diagnosis.possible:
        lines += [f"**{_(POSSIBLE_CAUSES)}**", ""]
        for cause in diagnosis.possible:
            confirm = with_trailing_space(_("To make sure:")) + plain(cause.check) if cause.check else ""
            lines.append(f"- {plain(titled(cause))} (`{cause.id}`). {confirm}".rstrip())
        lines.append("")
    if diagnosis.checked and diagnosis.verdict != "problems-found" and not diagnosis.machines:
        lines += [_("Looked at:"), "", *fenced(diagnosis.checked), ""]
    if diagnosis.question is not None:
        lines += [*question_markdown(diagnosis.question), ""]
    lines += [f"- {plain(step)}" for step in diagnosis.next_steps]
    return "\n".join(lines).rstrip() + "\n"


def question_markdown(question: Question) -> list[str]:
    """Return the question as Markdown."""
    heading = _("What decides:")
    lines = [f"**{heading}** {plain(asked(question))}"]
    if question.command:
        lines += ["", _("Run this, and add what it prints:"), "", *fenced((question.command,))]
    return lines + [line for text in told_apart(question) for line in ("", plain(text))]


def is_command(step: str) -> bool:
    """Tell whether a step of a fix is a command: a sentence starts with a capital, ends with a colon or is no ASCII."""
    return step.isascii() and not step.endswith(":") and not re.match(r"[A-Z][A-Za-z]*[ ,:']|`", step)
