"""Which command's output a text has already: nobody is asked to run what was pasted."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.parsers.pattern_files import command_outputs

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.parsers.pattern_files import CommandOutput

__all__ = ["commands_in", "is_recognised", "output_line"]

_COMMAND = re.compile(r"`([^`\n]{2,300})`")


_outputs = functools.cache(command_outputs)


def commands_in(text: str) -> tuple[str, ...]:
    """Return the commands that a sentence names."""
    return tuple(_COMMAND.findall(text))


def is_recognised(command: str) -> bool:
    """Tell whether the output of a command is recognised in a text."""
    return _output_of(command.strip()) is not None


def output_line(command: str, evidence: Evidence) -> int | None:
    """Return the number of a line of the text that the command printed; None if the text has nothing of it.

    Facts of a live machine have no line, and are no pasted output.
    """
    output = _output_of(command.strip())
    if output is None:
        return None
    if output.printed and output.printed.may_match(evidence.text.flat.lower()):
        for number, line in zip(evidence.text.numbers, evidence.text.lines, strict=True):
            if output.printed.match(line.lower()):
                return number
    lines = (fact.line for name in output.facts for fact in evidence.observations(name))
    return next((line for line in lines if line), None)


@functools.cache
def _output_of(command: str) -> CommandOutput | None:
    lower = command.lower()
    return next((output for output in _outputs() if output.command.match(lower)), None)
