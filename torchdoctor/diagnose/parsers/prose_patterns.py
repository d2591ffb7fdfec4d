"""The patterns of `prose_patterns.toml`: what a sentence of a post means.

The standard library alone, since the build hook runs this module.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.diagnose.compiled_data import DataFileError, load_compiled, parse_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["compile_patterns", "prose_patterns"]


def prose_patterns() -> list[tuple[str, list[str]]]:
    """Return each meaning: the name of its fact, and the patterns that all fit in a sentence that says so.

    Raises DataFileError in a checkout with a file that is wrong.
    """
    return [
        (fact, patterns)
        for fact, patterns in load_compiled(Path(__file__).with_suffix(".toml"), compile_patterns)
    ]


def compile_patterns(path: Path) -> list[tuple[str, list[str]]]:
    """Return the meanings of the file with every word put in. Raises DataFileError, which names the entry."""
    document = parse_toml(path)
    words = {name: _unwrapped(pattern) for name, pattern in document["words"].items()}
    meanings: list[tuple[str, list[str]]] = []
    for index, meaning in enumerate(document["meaning"]):
        try:
            meanings.append((meaning["fact"], [_pattern(pattern, words) for pattern in meaning["all"]]))
        except (KeyError, re.error) as error:
            raise DataFileError(f"{path.name}: meaning[{index}]: {error!r}") from None
    return meanings


def _pattern(text: str, words: Mapping[str, str]) -> str:
    pattern = re.sub(r"\{([a-z_]+)\}", lambda match: words[match[1]], _unwrapped(text))
    re.compile(pattern, re.ASCII)
    return pattern


def _unwrapped(value: Any) -> str:
    lines = str(value).split("\n")
    return lines[0] if len(lines) == 1 else "".join(line.strip() for line in lines)
