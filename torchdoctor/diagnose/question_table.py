"""The questions of `questions.toml`: what is asked, with which command, and what in a text answers it already.

The standard library alone, since the build hook runs this module.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from torchdoctor.diagnose.compiled_data import DataFileError, load_compiled, parse_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ERROR", "QuestionEntry", "compile_questions", "questions"]

# The question that asks for the error itself, and for no fact.
ERROR = "error"
_SYSTEMS = ("linux", "windows", "macos", "any")
_KEYS = {"text", "command", "facts", "seen", "answer"}


class QuestionEntry(NamedTuple):
    """What is asked, its commands by system, the facts and words that answer it, and the form of an answer."""

    id: str
    text: str
    commands: Mapping[str, str]
    facts: tuple[tuple[str, ...], ...]
    seen: tuple[str, ...]
    answer: str

    def command_for(self, system: str | None) -> str | None:
        """Return the command for a system, "" if the question needs none, None if that system has none."""
        if not self.commands:
            return ""
        known = self.commands.get(system) if system else None
        if known is None and "any" in self.commands:
            return self.commands["any"]
        if known is None and system is None and len(self.commands) == 1:
            return next(iter(self.commands.values()))
        return known


@functools.cache
def questions() -> Mapping[str, QuestionEntry]:
    """Return every question by its id. Raises DataFileError in a checkout with a file that is wrong."""
    rows = load_compiled(Path(__file__).with_name("questions.toml"), compile_questions)
    return {
        name: QuestionEntry(
            id=name,
            text=row["text"],
            commands=row["command"],
            facts=tuple(tuple(group) for group in row["facts"]),
            seen=tuple(row["seen"]),
            answer=row["answer"],
        )
        for name, row in rows.items()
    }


def compile_questions(path: Path) -> dict[str, Any]:
    """Return the questions of a file by their id. Raises DataFileError, which names the entry."""
    rows: dict[str, Any] = {}
    for name, row in parse_toml(path).items():
        command = row.get("command", {})
        if "text" not in row or set(row) - _KEYS or set(command) - set(_SYSTEMS):
            raise DataFileError(f"{path.name}: {name}: needs `text`, and may have {', '.join(sorted(_KEYS))}")
        rows[name] = {
            "text": " ".join(row["text"].split()),
            "command": command,
            "facts": row.get("facts", []),
            "seen": row.get("seen", []),
            "answer": row.get("answer", "{answer}"),
        }
    return rows
