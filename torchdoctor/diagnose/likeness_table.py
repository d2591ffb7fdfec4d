"""How like a text is to labelled reports of each failure: words, pairs of words and parts of words, counted.

`data/likeness.txt` holds the counts, made by `tools/likeness.py`: which term stands in how many reports of which
failure. A text is like the reports of a failure if it shares terms that few other reports have.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")

__all__ = ["HEALTHY", "Likeness", "LikenessTable", "shipped_table", "terms_of"]

# The beginning of what stands for a failure where nothing of the catalogue fails: these reports have little in common,
# so that each is one by itself.
HEALTHY = "-"
_FILE = Path(__file__).with_name("data") / "likeness.txt"
# Of a longer text the two ends count: what was done stands first, the error last.
_MAX_END_CHARACTERS = 4_000
_WORD = re.compile(r"[a-z_][a-z0-9_]*|[\u4e00-\u9fff]+|\d+(?:\.\d+)*")
# A path names folders, which say what somebody called them. Those of a package and of torch's sources stay, and those
# that the system makes.
_PATH = re.compile(r"(?<![\w./:~\\-])(?:[a-z]:|~|\.{1,2})?(?:[/\\]{1,4}[\w.@+%~-]{1,80}){2,30}")
_PACKAGES = re.compile(r".*(?:(?:site|dist)-packages|[/\\]pytorch)[/\\]{1,4}")
_FOLDERS = re.compile(r".*[/\\]")
_OF_SYSTEM = ("/dev/", "/proc/", "/sys/", "/run/")
_MAX_WORD_CHARACTERS, _MAX_NUMBER_CHARACTERS = 24, 12
_PART, _LONG_WORD = 5, 6
# Beginnings of terms that are no words: a part of a word, and a number.
_PART_MARK, _NUMBER_MARK = "~", "#"
_MIN_REPORTS = 2
_MAX_SHARE = 0.35
# A failure with few reports is no surer than one with many.
_FEWER = 1.5
_MAX_SHOWN_WORDS = 4
_MAX_FOUND = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Likeness:
    """How like a text is to the reports of a failure, from 0 to about 1, and the words that make it so."""

    failure: str
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LikenessTable:
    """The number of reports of each failure, and how many of them have a term.

    `norms` are the lengths of the failures' vectors; a report counts for each failure that it is labelled with.
    """

    reports: int
    sizes: Mapping[str, int]
    norms: Mapping[str, float]
    rarity: Mapping[str, float]
    counts: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, labelled: Iterable[tuple[str, Sequence[str]]]) -> LikenessTable:
        """Return the table of texts with their failures; a text without one is of a machine that works."""
        rows = [(terms_of(text), _names(text, failures)) for text, failures in labelled]
        in_reports = Counter(term for terms, _ in rows for term in terms)
        kept = {
            term
            for term, count in in_reports.items()
            if count >= _MIN_REPORTS and count < _MAX_SHARE * len(rows)
        }
        counts: dict[str, Counter[str]] = {term: Counter() for term in sorted(kept)}
        sizes: Counter[str] = Counter()
        for terms, failures in rows:
            for failure in failures:
                sizes[failure] += 1
                for term in terms & kept:
                    counts[term][failure] += 1
        rarity = {term: round(math.log(len(rows) / in_reports[term]), 2) for term in counts}
        return cls(
            reports=len(rows), sizes=sizes, norms=_norms(sizes, rarity, counts), rarity=rarity, counts=counts
        )

    def like(self, text: str, without: Sequence[tuple[str, Sequence[str]]] = ()) -> list[Likeness]:
        """Return the failures, the most like first; `without` are labelled texts of the table that do not count."""
        terms = [term for term in terms_of(text) if term in self.counts]
        fewer_sizes: Counter[str] = Counter()
        fewer: dict[str, Counter[str]] = {}
        for other, failures in without:
            for failure in _names(other, failures):
                fewer_sizes[failure] += 1
                fewer.setdefault(failure, Counter()).update(terms_of(other))
        shares: dict[str, dict[str, float]] = {}
        for term in terms:
            for failure, count in self.counts[term].items():
                left = count - (fewer[failure][term] if failure in fewer else 0)
                if left > 0:
                    size = self.sizes[failure] - fewer_sizes[failure]
                    shares.setdefault(failure, {})[term] = self.rarity[term] * left / (size + _FEWER)
        length = math.sqrt(len(terms) + 1)
        scores = {name: sum(share.values()) / (self.norms[name] * length) for name, share in shares.items()}
        first = sorted(scores, key=lambda name: (-scores[name], name))[:_MAX_FOUND]
        return [
            Likeness(failure=name, score=scores[name], words=_words(shares[name], self.rarity))
            for name in first
        ]

    def as_text(self) -> str:
        """Return the lines of the file: the number of reports, each failure, an empty line, each term."""
        names = sorted(self.sizes)
        number = {name: index for index, name in enumerate(names)}
        lines = [
            str(self.reports),
            *(f"{name} {self.sizes[name]} {self.norms[name]:.2f}" for name in names),
            "",
        ]
        for term, counted in self.counts.items():
            cells = " ".join(f"{number[name]}:{count}" for name, count in sorted(counted.items()))
            lines.append(f"{term}\t{self.rarity[term]:.2f}\t{cells}")
        return "\n".join(lines) + "\n"

    @classmethod
    def from_text(cls, text: str) -> LikenessTable:
        """Return the table of a file's lines."""
        head, _, body = text.partition("\n\n")
        first, *rows = head.split("\n")
        sizes, norms = {}, {}
        for row in rows:
            name, size, norm = row.split(" ")
            sizes[name], norms[name] = int(size), float(norm)
        names = tuple(sizes)
        lines = dict(line.split("\t", 1) for line in body.splitlines())
        return cls(
            reports=int(first),
            sizes=sizes,
            norms=norms,
            rarity=_Read(lines, lambda line: float(line.partition("\t")[0])),
            counts=_Read(lines, lambda line: _counts(line, names)),
        )


@functools.cache
def shipped_table() -> LikenessTable:
    """Return the table of the package."""
    return LikenessTable.from_text(_FILE.read_text("utf-8"))


def _names(text: str, failures: Sequence[str]) -> tuple[str, ...]:
    return tuple(failures) or (f"{HEALTHY}{zlib.crc32(text.encode()):08x}",)


def terms_of(text: str) -> set[str]:
    """Return the words of a text, each pair of words that follow each other, and the parts of long words.

    Folders in which something lies are no words. Of Chinese each pair of characters is a word; of a version the first
    two numbers count.
    """
    if len(text) > 2 * _MAX_END_CHARACTERS:
        text = f"{text[:_MAX_END_CHARACTERS]} {text[-_MAX_END_CHARACTERS:]}"
    words = list(_words_of(_PATH.sub(_without_folders, text.lower())))
    pairs = {f"{one} {other}" for one, other in itertools.pairwise(words)}
    parts = {
        _PART_MARK + word[at : at + _PART]
        for word in words
        if word.isascii() and len(word) >= _LONG_WORD and word[0] != _NUMBER_MARK
        for at in range(len(word) - _PART + 1)
    }
    return {*words, *pairs, *parts}


def _without_folders(path: re.Match[str]) -> str:
    if path[0].startswith(_OF_SYSTEM):
        return path[0]
    in_package = _PACKAGES.match(path[0])
    return path[0][in_package.end() :] if in_package else _FOLDERS.sub("", path[0])


def _words_of(lower: str) -> Iterator[str]:
    for word in _WORD.findall(lower):
        if not word.isascii():
            yield from (word[at : at + 2] for at in range(max(1, len(word) - 1)))
        elif word[0].isdigit():
            if len(word) < _MAX_NUMBER_CHARACTERS:
                yield _NUMBER_MARK + ".".join(word.split(".")[:2])
        elif len(word) > 1:
            yield word[:_MAX_WORD_CHARACTERS]


def _norms(
    sizes: Mapping[str, int], rarity: Mapping[str, float], counts: Mapping[str, Mapping[str, int]]
) -> dict[str, float]:
    squares = dict.fromkeys(sizes, 0.0)
    for term, counted in counts.items():
        for failure, count in counted.items():
            squares[failure] += (rarity[term] * count / (sizes[failure] + _FEWER)) ** 2
    # A failure none of whose terms were kept is like nothing.
    return {name: round(math.sqrt(square), 2) or math.inf for name, square in squares.items()}


def _words(share: Mapping[str, float], rarity: Mapping[str, float]) -> tuple[str, ...]:
    """Return the rarest words and pairs of words that make the likeness; none is a part of another."""
    telling = {term: part * rarity[term] for term, part in share.items()}
    chosen: list[str] = []
    for term in sorted(share, key=lambda term: (-telling[term], -len(term), term)):
        shown = term.replace(_NUMBER_MARK, "")
        if term[0] == _PART_MARK or any(shown in other or other in shown for other in chosen):
            continue
        chosen.append(shown)
        if len(chosen) == _MAX_SHOWN_WORDS:
            break
    return tuple(chosen)


class _Read(Mapping[str, T]):
    """The lines of the file by their term; one is read when it is asked for, since a text asks for few."""

    def __init__(self, lines: Mapping[str, str], read: Callable[[str], T]) -> None:
        self._lines = lines
        self._read = read

    def __getitem__(self, term: str) -> T:
        return self._read(self._lines[term])

    def __contains__(self, term: object) -> bool:
        return term in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def _counts(line: str, names: Sequence[str]) -> dict[str, int]:
    cells = (cell.split(":") for cell in line.partition("\t")[2].split(" "))
    return {names[int(number)]: int(count) for number, count in cells}
