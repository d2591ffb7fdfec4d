"""A diagnosis as text for a terminal, or as Markdown to be pasted back into an issue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.core.i18n.messages import translate_document, with_trailing_space
from torchdoctor.report.terminal.wrap import cell_width, hanging, padded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torchdoctor.diagnose.model import Diagnosis, Finding

    Style = Callable[[str, str], str]

__all__ = ["VERDICTS", "diagnosis_markdown", "diagnosis_text", "fenced", "finding_lines"]

VERDICTS = {
    "problems-found": "Problems found: {count}. The first one is where to begin.",
    "nothing-wrong-found": "Nothing wrong found.",
    "not-enough-to-tell": "Not enough to tell.",
}
_MARKS = {"error": "✗", "warning": "!", "note": "·"}
# Everything that Markdown or HTML gives a meaning, also @name and #12 of the hosts that render issues.
_MEANING = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~&@$:])")


def diagnosis_text(found: Diagnosis, style: Style = lambda text, _kind: text) -> str:
    """Findings one after the other, the verdict in the last line; `style` colours by severity."""
    blocks = ["\n".join(finding_lines(row, style)) for row in found.findings]
    if found.verdict != "problems-found" and found.checked:
        blocks.append("\n".join([_("Looked at:"), *(f"  {row}" for row in found.checked)]))
    if found.next_steps:
        blocks.append("\n".join([_("To learn more:"), *(f"  - {row}" for row in found.next_steps)]))
    if found.left_out:
        blocks.append(
            _("{count} lines in the middle of this long text were not read.").format(count=found.left_out)
        )
    blocks.append(_(VERDICTS[found.verdict]).format(count=len(found.findings)))
    return "\n\n".join(blocks)


def finding_lines(row: Finding, style: Style, columns: int | None = None) -> list[str]:
    """One finding: mark and title, what was seen, why, and the steps of the fix."""
    sure = "" if row.confidence == "sure" else _(", ") + _(row.confidence)
    lines = [f"{style(_MARKS[row.severity], row.severity)} {style(row.title, 'title')}  [{row.id}{sure}]"]
    seen, why, fix = (with_trailing_space(text) for text in (_("seen:"), _("why:"), _("fix:")))
    width = max(map(cell_width, (seen, why, fix)))
    rows = [(translate_document(text), False) for text in row.evidence]
    lines += _under(seen, rows, width, columns)
    lines += _under(why, [(row.explanation, False)], width, columns)
    lines += _under(fix, [(translate_document(text), is_command(text)) for text in row.fix], width, columns)
    if row.explains:
        lines.append("    " + with_trailing_space(_("this explains:")) + _(", ").join(row.explains))
    if row.check and row.confidence != "sure":
        lines.append("    " + with_trailing_space(_("to make sure:")) + row.check)
    return lines


def _under(label: str, rows: list[tuple[str, bool]], width: int, columns: int | None) -> Iterator[str]:
    """Texts below each other, the label before the first; commands go in by two, and stay whole to be copied."""
    for number, (text, command) in enumerate(rows):
        before = f"    {padded(label if number == 0 else '', width)}"
        yield before + (f"  {text}" if command else hanging(text, width + 4, columns))


def diagnosis_markdown(found: Diagnosis) -> str:
    """The same as Markdown; whatever came from the paste stands in code that it cannot leave."""
    lines = [f"### torchdoctor: {_(VERDICTS[found.verdict]).format(count=len(found.findings))}", ""]
    for number, row in enumerate(found.findings, 1):
        lines += [
            f"**{number}. {_plain(row.title)}** "
            + _("({severity}, {confidence}: {id})").format(
                severity=_(row.severity), confidence=_(row.confidence), id=f"`{row.id}`"
            ),
            "",
        ]
        lines += [*fenced(tuple(map(translate_document, row.evidence))), "", _plain(row.explanation), ""]
        for step in row.fix:
            lines += (
                [*fenced((step,)), ""] if is_command(step) else [f"- {_plain(translate_document(step))}", ""]
            )
        if row.explains:
            names = _(", ").join(f"`{name}`" for name in row.explains)
            lines += [_("This explains {names}.").format(names=names), ""]
        if row.check and row.confidence != "sure":
            lines += [with_trailing_space(_("To make sure:")) + _plain(row.check), ""]
    if found.checked and found.verdict != "problems-found":
        lines += [_("Looked at:"), "", *fenced(found.checked), ""]
    lines += [f"- {_plain(row)}" for row in found.next_steps]
    return "\n".join(lines).rstrip() + "\n"


def is_command(step: str) -> bool:
    """Whether a step of a fix is a command; a sentence begins with a capital, ends with a colon, or is not English."""
    return step.isascii() and not step.endswith(":") and not re.match(r"[A-Z][A-Za-z]*[ ,:']|`", step)


def fenced(lines: tuple[str, ...]) -> list[str]:
    """A code block around lines, its fence longer than any run of backticks inside."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *lines, fence] if lines else []


def _plain(text: str) -> str:
    """A sentence in which nothing is markup but the code between single backticks that is ours."""
    # Our texts have `code`; of a value in them every sign that Markdown reads is escaped.
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _MEANING.sub(r"\\\1", text)
    return "`".join(part if n % 2 else _MEANING.sub(r"\\\1", part) for n, part in enumerate(parts))
