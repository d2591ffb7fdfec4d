"""What is left of English in an output that should be Chinese: for every test that runs a command with `--lang zh`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["english_in", "stray_marks_in"]

# A sentence has at least so many words in a row.
_RUN = 3
# What is written the same in every language: they are no words, and end no sentence either.
_NAMES = {
    *("torch", "torchvision", "torchaudio", "torchdoctor", "pip", "uv", "python", "conda", "numpy", "triton"),
    *("cpu", "cuda", "rocm", "xpu", "install", "verify", "bench", "diagnose", "explain", "report", "resolve"),
    *("download", "doctor", "index", "cache", "config", "completion", "show", "update", "mirrors"),
}
# Words of ours at the beginning of a line.
_LABELS = re.compile(
    r"^\s*(?:warning|note|error|fix|why|seen|source|lacks|reason|usage|options|commands)(?=[:：])",  # noqa: RUF001
    re.MULTILINE | re.IGNORECASE,
)
_CODE = re.compile(r"`[^`\n]+`|\b\w+://\S+|\"[^\"\n]*\"")
# One word of prose; what has a digit, a dot inside, a slash, a dash before it or a sign of equality is a name.
_WORD = re.compile(r"\(?[A-Za-z][a-z]*(?:['’-][a-z]+)*\)?[,;:.?!]?")  # noqa: RUF001


def english_in(text: str, *, names: Iterable[str] = ()) -> list[str]:
    """Each run of three or more English words, and each English label; empty where the text is Chinese.

    Commands in backticks, URLs, paths, options and what stands in double quotes are not prose. `names` are words or
    phrases of the case itself, such as a GPU's name, that stay as they are.
    """
    found = [match[0].strip() for match in _LABELS.finditer(text)]
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " · ")
    for line in _CODE.sub(" · ", text).splitlines():
        found += [" ".join(run) for run in _runs(line) if _is_prose(run)]
    return found


def stray_marks_in(text: str) -> list[str]:
    """Each mark of ASCII at a Chinese sign, and each space beside a full-width mark, with what stands around it."""
    return re.findall(r".{0,9}(?:[\u4e00-\u9fff][,;:?!.]|[，；：？！。、（] (?! )).{0,9}", text)  # noqa: RUF001


def _runs(line: str) -> Iterable[list[str]]:
    """Words with one space between them; two spaces part the columns of a table."""
    run: list[str] = []
    for token in line.split(" "):
        if _WORD.fullmatch(token):
            run.append(token)
            continue
        yield run
        run = []
    yield run


def _is_prose(run: list[str]) -> bool:
    """Three words, not all of them with a capital as in `NVIDIA GeForce RTX`."""
    words = [word for row in run if (word := row.strip("(),;:.?!")).lower() not in _NAMES]
    return len(words) >= _RUN and sum(word.islower() for word in words) > 1
