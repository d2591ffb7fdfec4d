"""The patterns that parsers look for, from their data files: what a sentence means, what a command prints.

The standard library alone, since the build hook runs this module.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from torchdoctor.diagnose.bounded import bounded
from torchdoctor.diagnose.compiled_data import DataFileError, load_compiled, parse_toml
from torchdoctor.diagnose.needed_words import NeededPattern, needed_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    WithWords = tuple[str, list[list[str]]]

__all__ = [
    "CommandOutput",
    "DescriptionMark",
    "EnvironmentHint",
    "command_outputs",
    "compile_descriptions",
    "compile_hints",
    "compile_outputs",
    "compile_prose",
    "compile_speakers",
    "description_marks",
    "environment_hints",
    "prose_patterns",
    "speaker_patterns",
]

_FOLDER = Path(__file__).parent


class EnvironmentHint(NamedTuple):
    """A fact with its value, the needles of which the text must have one, and the regex that must fit around it."""

    fact: str
    value: str
    needles: tuple[str, ...]
    regex: str | None


class CommandOutput(NamedTuple):
    """A command, the beginning of a line that it prints, and the facts that only its output gives."""

    command: NeededPattern
    printed: NeededPattern | None
    facts: tuple[str, ...]


class DescriptionMark(NamedTuple):
    """Forms of a text, and how many points one of them has; `in_title` if only at its beginning."""

    points: int
    in_title: bool
    patterns: tuple[NeededPattern, ...]


def command_outputs() -> list[CommandOutput]:
    """Return the rows of `command_outputs.toml`, the more special command first.

    Raises DataFileError in a checkout with a file that is wrong.
    """
    rows = load_compiled(_FOLDER / "command_outputs.toml", compile_outputs)
    return [
        CommandOutput(NeededPattern(*command), NeededPattern(*printed) if printed else None, tuple(facts))
        for command, printed, facts in rows
    ]


def environment_hints() -> list[EnvironmentHint]:
    """Return the hints of `environment_hints.toml`, the most trusted of a fact first.

    Raises DataFileError in a checkout with a file that is wrong.
    """
    hints = load_compiled(_FOLDER / "environment_hints.toml", compile_hints)
    return [EnvironmentHint(fact, value, tuple(needles), regex) for fact, value, needles, regex in hints]


def prose_patterns() -> list[tuple[str, list[NeededPattern]]]:
    """Return each meaning of `prose_patterns.toml`: the name of its fact, and patterns that a sentence has all of.

    Raises DataFileError in a checkout with a file that is wrong.
    """
    meanings = load_compiled(_FOLDER / "prose_patterns.toml", compile_prose)
    # In ASCII: a Chinese character beside a word is no part of it.
    return [
        (fact, [NeededPattern(regex, needed, re.ASCII) for regex, needed in patterns])
        for fact, patterns in meanings
    ]


def speaker_patterns() -> dict[str, list[NeededPattern]]:
    """Return the patterns of `speakers.toml` by their name.

    Raises DataFileError in a checkout with a file that is wrong.
    """
    patterns = load_compiled(_FOLDER / "speakers.toml", compile_speakers)
    return {name: [NeededPattern(*pattern) for pattern in each] for name, each in patterns.items()}


def description_marks() -> list[DescriptionMark]:
    """Return the marks of `descriptions.toml`. Raises DataFileError in a checkout with a file that is wrong."""
    rows = load_compiled(_FOLDER / "descriptions.toml", compile_descriptions)
    return [
        DescriptionMark(points, in_title, tuple(NeededPattern(*pattern) for pattern in patterns))
        for points, in_title, patterns in rows
    ]


def compile_descriptions(path: Path) -> list[tuple[int, bool, list[WithWords]]]:
    """Return the marks of a file, each pattern with the words that it needs.

    Raises DataFileError, which names the entry.
    """
    marks: list[tuple[int, bool, list[WithWords]]] = []
    for index, mark in enumerate(parse_toml(path)["mark"]):
        try:
            patterns = [_with_needed(_unwrapped(text)) for text in mark["patterns"]]
            marks.append((mark["points"], mark.get("in") == "title", patterns))
        except (KeyError, re.error) as error:
            raise DataFileError(f"{path.name}: mark[{index}]: {error!r}") from None
    return marks


def compile_speakers(path: Path) -> dict[str, list[WithWords]]:
    """Return the patterns of a file by their name, with the words that they need.

    Raises DataFileError, which names the entry.
    """
    patterns: dict[str, list[WithWords]] = {}
    for name, texts in parse_toml(path).items():
        try:
            patterns[name] = [_with_needed(_unwrapped(text)) for text in texts]
        except re.error as error:
            raise DataFileError(f"{path.name}: {name}: {error!r}") from None
    return patterns


def compile_hints(path: Path) -> list[EnvironmentHint]:
    """Return the hints of a file. Raises DataFileError, which names the entry."""
    hints: list[EnvironmentHint] = []
    for index, hint in enumerate(parse_toml(path)["hint"]):
        try:
            regex = _checked(_unwrapped(hint["regex"])) if "regex" in hint else None
            hints.append(EnvironmentHint(hint["fact"], hint["value"], tuple(hint["text"]), regex))
        except (KeyError, re.error) as error:
            raise DataFileError(f"{path.name}: hint[{index}]: {error!r}") from None
    return hints


def compile_outputs(path: Path) -> list[tuple[WithWords, WithWords | None, list[str]]]:
    """Return the rows of a file, each pattern with the words that it needs.

    Raises DataFileError, which names the entry.
    """
    rows: list[tuple[WithWords, WithWords | None, list[str]]] = []
    for index, row in enumerate(parse_toml(path)["output"]):
        try:
            # A prompt, a quote and a row of a table may stand before it.
            printed = rf"[\s>|$#*-]{{0,12}}(?:{_unwrapped(row['printed'])})" if "printed" in row else None
            rows.append(
                (
                    _with_needed(_unwrapped(row["command"])),
                    _with_needed(printed) if printed else None,
                    row.get("facts", []),
                )
            )
        except (KeyError, re.error) as error:
            raise DataFileError(f"{path.name}: output[{index}]: {error!r}") from None
    return rows


def compile_prose(path: Path) -> list[tuple[str, list[WithWords]]]:
    """Return the meanings of a file with every word put in, and the words that each pattern needs.

    Raises DataFileError, which names the entry.
    """
    document = parse_toml(path)
    words = {name: _unwrapped(pattern) for name, pattern in document["words"].items()}
    meanings: list[tuple[str, list[WithWords]]] = []
    for index, meaning in enumerate(document["meaning"]):
        try:
            patterns = [_with_needed(_with_words(pattern, words)) for pattern in meaning["all"]]
            meanings.append((meaning["fact"], patterns))
        except (KeyError, re.error) as error:
            raise DataFileError(f"{path.name}: meaning[{index}]: {error!r}") from None
    return meanings


def _with_words(pattern: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{([a-z_]+)\}", lambda match: words[match[1]], _unwrapped(pattern))


def _with_needed(pattern: str) -> WithWords:
    checked = _checked(pattern)
    return checked, needed_words(checked)


def _checked(pattern: str) -> str:
    re.compile(pattern, re.ASCII)
    return bounded(pattern)


def _unwrapped(pattern: str) -> str:
    """In a pattern of several lines, ends of lines and the blanks around them stand for nothing."""
    lines = pattern.split("\n")
    return pattern if len(lines) == 1 else "".join(line.strip() for line in lines)
