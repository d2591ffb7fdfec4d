"""The lines of a failure's fix for one machine: the steps that are for it, with the values that its evidence gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose import messages
from torchdoctor.diagnose.asked import pinned_torch
from torchdoctor.diagnose.derived import operating_system
from torchdoctor.diagnose.fix_commands import installs_torch, release_in, rewrite_for_environment
from torchdoctor.diagnose.parsers.command_output import output_line
from torchdoctor.diagnose.placeholders import Placeholders, command_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.failure import Failure, FixStep

    Translate = Callable[[str], str]

# After who must do it, in English and in Chinese.
_ALTERNATIVE = re.compile(r"([^:\uff1a]{1,24}[:\uff1a] ?)?(?:Or |\u6216\u8005?[\uff0c,]? ?)(?=.)")

__all__ = ["filled", "fix_lines", "step_lines"]


def fix_lines(
    failure: Failure, captured: Mapping[str, str], evidence: Evidence, translate: Translate
) -> Iterator[str]:
    """Yield sentences and commands in order; `captured` are values that a sign of the failure took from the text."""
    values = Placeholders(evidence, captured), command_values(evidence, captured)
    said: set[str] = set()
    for fix in failure.fixes:
        if _is_for_another(fix, evidence) or _was_looked_at(fix, failure, evidence):
            continue
        heading, lines = _first_that_fits(fix, evidence, values, translate)
        new = [line for line in dict.fromkeys(lines) if line not in said]
        if heading and new:
            yield heading
        for line in new:
            shown = line if said else _as_first(line)
            said.add(line)
            yield shown
    if not said:
        # Nothing else can be said without it: look again, at all of it.
        heading, lines = _first_that_fits(failure.fixes[0], evidence, values, translate)
        yield from filter(None, (heading, *lines))


def _was_looked_at(fix: FixStep, failure: Failure, evidence: Evidence) -> bool:
    """Tell whether a first step that only looks has been done: the text has what its command prints."""
    is_first = fix is failure.fixes[0] and len(failure.fixes) > 1
    return is_first and bool(fix.command) and output_line(fix.command, evidence) is not None


def _as_first(line: str) -> str:
    """A step that stands first is no alternative: "Or use ..." is "Use ..."."""
    match = _ALTERNATIVE.match(line)
    return f"{match[1] or ''}{line[match.end()].upper()}{line[match.end() + 1 :]}" if match else line


def _is_for_another(step: FixStep, evidence: Evidence) -> bool:
    """Whether the step is for another system, or for another installer than those that are in use."""
    system, installers = operating_system(evidence), evidence.all("installer")
    if step.os and system is not None and system not in step.os:
        return True
    return bool(step.installer and installers and not set(step.installer) & set(installers))


def _first_that_fits(
    fix: FixStep, evidence: Evidence, values: tuple[Placeholders, Placeholders], translate: Translate
) -> tuple[str, tuple[str, ...]]:
    """The lines of the step, else of what stands in for it; before them which system they are for, if that is open."""
    step: FixStep | None = fix
    while step is not None:
        lines = () if _is_for_another(step, evidence) else step_lines(step, evidence, values, translate)
        if lines:
            is_open = step.os and operating_system(evidence) is None
            heading = translate(messages.FOR_SYSTEM).format(system=_names(step.os)) if is_open else ""
            return heading, lines
        step = step.fallback
    return "", ()


def _names(systems: tuple[str, ...]) -> str:
    return ", ".join(messages.SYSTEMS[name] for name in systems)


def step_lines(
    step: FixStep, evidence: Evidence, values: tuple[Placeholders, Placeholders], translate: Translate
) -> tuple[str, ...]:
    """Return the lines of the step, none if it is not for this evidence or a value is not known.

    `values` are those of its text and of its command.
    """
    if step.when is not None and step.when(evidence) is None:
        return ()
    text = filled(translate(step.text), values[0]) if step.text else ""
    command = filled(step.command, values[1]) if step.command else ""
    if text is None or command is None:
        return ()
    if installs_torch(command) and (image := evidence.first("image.with_torch")):
        # What else is in such an image was compiled against the torch in it.
        return (translate(messages.IMAGE_HAS_TORCH).format(image=image),)
    command = rewrite_for_environment(command, evidence)
    who = translate(messages.WHO[step.who]) if step.who in messages.WHO else ""
    sentence = " ".join(part for part in (who, text) if part)
    pinned, put_in = pinned_torch(evidence), release_in(command)
    against = (
        translate(messages.AGAINST_THE_PIN).format(pinned=pinned)
        if pinned and put_in and pinned != put_in
        else ""
    )
    return tuple(part for part in (sentence, command, against) if part)


def filled(template: str, values: Placeholders) -> str | None:
    """Return the template with its values; None if one is not known."""
    try:
        return template.format_map(values)
    except KeyError:
        return None
