"""How to make sure of a finding; where the text has the output of a command already, that is said instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import with_trailing_space
from torchdoctor.diagnose import messages
from torchdoctor.diagnose.parsers.command_output import commands_in, output_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.failure import Failure

__all__ = ["how_to_confirm"]


def how_to_confirm(failure: Failure, evidence: Evidence, translate: Callable[[str], str]) -> str:
    """Return how to make sure; of commands that were run already it says where in the text their output is."""
    confirm = translate(failure.confirm)
    lines = {command: output_line(command, evidence) for command in commands_in(failure.confirm)}
    there = {command: line for command, line in lines.items() if line is not None}
    if not there:
        return confirm
    where = translate(messages.ALREADY_THERE).format(
        commands=translate(", ").join(f"`{command}`" for command in there),
        lines=translate(", ").join(map(str, dict.fromkeys(there.values()))),
    )
    return with_trailing_space(where) + confirm
