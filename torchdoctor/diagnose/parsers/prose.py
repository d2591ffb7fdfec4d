"""What a post tells in its own words: the GPU is not used, the driver is old, the download is slow."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation
from torchdoctor.diagnose.parsers.pattern_files import prose_patterns
from torchdoctor.diagnose.parsers.sentences import sentence_spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.text import Text

__all__ = ["parse_prose"]

# Lines of programs, logs and tables say nothing in words.
_NOT_PROSE = re.compile(
    r"^\W{0,4}(?:file \"|def |(?:el)?if [^\n]{1,200}:$|raise |assert |import |from \S{1,60} import|return |#|\|"
    r"|pip3? (?:install|list|show|freeze)|conda (?:install|create|list)|python3? (?:-|\S{1,60}\.py)"
    r"|docker (?:run|build|pull)|sudo |[+-]{1,3} )|^\W{0,4}\d{4}-\d\d-\d\d|\bmsg="
    r"|^\W{0,4}nvidia-smi (?:couldn't|has failed)"
)
# What the writer does not want or have is no failure, nor what a manual says of a case.
_NO_FAILURE = re.compile(
    r"\b(?:i|we|you|they)(?:'m|'re| am| are| do| did)?(?: not|n't) (?:us(?:e|ing)|have|need|want|own|plan)"
    r"|^\W{0,6}(?:if|in case|unless|whether|make sure|ensure|check that|note that)\b|如果|若"
    r"|\bknow how\b|\bfigure out (?:how|what|why)\b|\bhow (?:to|can|do) (?:i |we )?(?:detect|check|tell|find out)\b"
)
_FAILURES = {"prose.gpu_unused", "prose.mps_unused", "prose.notebook_fails", "prose.gpu_gone"}


_meanings = functools.cache(prose_patterns)


def parse_prose(text: Text) -> Iterator[Observation]:
    """Yield facts `prose.*`: what a sentence means, by the things that it names and the words around them."""
    found: set[str] = set()
    # Most texts, and most sentences, lack the words of most meanings.
    meanings = [row for row in _meanings() if all(pattern.may_match(text.rows) for pattern in row[1])]
    for start, end in sentence_spans(text.rows):
        sentence = text.rows[start:end].strip()
        if _NOT_PROSE.search(sentence):
            continue
        plain = not _NO_FAILURE.search(sentence)
        for name, patterns in meanings:
            if (
                patterns[0].may_match(sentence)
                and name not in found
                and (name not in _FAILURES or plain)
                and all(pattern.may_match(sentence) for pattern in patterns)
                and all(pattern.search(sentence) for pattern in patterns)
            ):
                found.add(name)
                number, line = text.line_at(start)
                yield Observation(name=name, value="true", source=line, line=number)
