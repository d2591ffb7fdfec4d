"""Regular expressions that are compiled when a text has the words without which they cannot match.

Most patterns fit nothing of a given text, and one takes longer to compile than its words take to look for. The words
are found when the data is compiled. The standard library alone, since the build hook runs this module.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["NeededPattern", "needed_words"]

# A single letter is in nearly every text.
_MIN_ASCII_CHARACTERS = 2
_MAX_GROUPS, _MAX_WORDS = 3, 60
# They take no character, so that what stands on both sides of one follows each other.
_WITHOUT_WIDTH = frozenset(("AT", "ASSERT", "ASSERT_NOT"))
_REPEATS = frozenset(("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"))


class NeededPattern:
    """A regular expression with its `needed_words`, which is compiled when a text has them."""

    __slots__ = ("_compiled", "_flags", "_needed", "_regex")

    def __init__(self, regex: str, needed: Sequence[Sequence[str]], flags: int = 0) -> None:
        self._regex, self._needed, self._flags = regex, needed, flags
        self._compiled: re.Pattern[str] | None = None

    def search(self, text: str) -> re.Match[str] | None:
        """As `re.search`."""
        return self._pattern().search(text) if self.may_match(text) else None

    def match(self, text: str) -> re.Match[str] | None:
        """As `re.match`."""
        return self._pattern().match(text) if self.may_match(text) else None

    def sub(self, replaced: Callable[[re.Match[str]], str], text: str) -> str:
        """As `re.sub`."""
        return self._pattern().sub(replaced, text) if self.may_match(text) else text

    def may_match(self, text: str) -> bool:
        """Tell whether the text has the words."""
        # Loops and not `any`: this runs for each sentence and each pattern.
        for words in self._needed:
            for word in words:
                if word in text:
                    break
            else:
                return False
        return True

    def _pattern(self) -> re.Pattern[str]:
        if self._compiled is None:
            self._compiled = re.compile(self._regex, self._flags)
        return self._compiled


def needed_words(pattern: str) -> list[list[str]]:
    """Return groups of words; whatever the pattern matches has a word of each group, and those of few come first.

    An empty list says that nothing is known, as of a pattern that ignores case.

    >>> needed_words(r"no (?:gpu|cuda device)s? \\w+ (?:found|seen)")
    [['no '], ['cuda device', 'gpu'], ['found', 'seen']]
    """
    parse = _parser()
    if parse is None or re.compile(pattern).flags & re.IGNORECASE or "(?i" in pattern:
        return []
    groups = {frozenset(_shortest(group)) for group in _groups(parse(pattern)) if _is_telling(group)}
    return sorted((sorted(group) for group in groups), key=lambda group: (len(group), group))[:_MAX_GROUPS]


def _parser() -> Callable[[str], Any] | None:
    """Return Python's own parser of patterns, which has no public name; None where it has moved."""
    try:
        module = import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")
    except ImportError:
        return None
    parse: Callable[[str], Any] = module.parse
    return parse


def _is_telling(group: frozenset[str]) -> bool:
    return 0 < len(group) <= _MAX_WORDS and all(
        len(word) >= _MIN_ASCII_CHARACTERS or not word.isascii() for word in group
    )


def _shortest(group: frozenset[str]) -> Iterator[str]:
    """Yield the words of a group that have no other one in them: a text with "seen" has "see"."""
    return (word for word in group if not any(other != word and other in word for other in group))


def _groups(items: Iterable[tuple[Any, Any]]) -> Iterator[frozenset[str]]:
    """Yield the groups of a sequence: its runs of characters, and what its parts need."""
    run = ""
    for code, value in items:
        kind = str(code)
        if kind == "LITERAL":
            run += chr(value)
            continue
        if kind in _WITHOUT_WIDTH:
            continue
        if run:
            yield frozenset((run,))
        run = ""
        if kind == "SUBPATTERN":
            yield from _groups(value[-1])
        elif kind == "ATOMIC_GROUP":
            yield from _groups(value)
        elif kind in _REPEATS and value[0] > 0:
            yield from _groups(value[2])
        elif kind == "BRANCH":
            yield from _of_alternatives(value[1])
    if run:
        yield frozenset((run,))


def _of_alternatives(alternatives: Iterable[Any]) -> Iterator[frozenset[str]]:
    """Yield the words of which each alternative has one; nothing where one of them has none."""
    words: set[str] = set()
    for alternative in alternatives:
        telling = [group for group in _groups(alternative) if _is_telling(group)]
        if not telling:
            return
        words |= min(telling, key=lambda group: (len(group), -min(map(len, group)), sorted(group)))
    yield frozenset(words)
