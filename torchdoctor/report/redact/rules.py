"""Redaction by the words that stand beside a secret or a name: the rows of `rules.toml`."""

from __future__ import annotations

import functools
import re
import sys
from dataclasses import dataclass
from importlib import resources

from torchdoctor.core.url_paths import is_public_host
from torchdoctor.report.redact.patterns import PUBLIC_PROJECTS, STRUCTURE, WORDS_OF_A_REPORT
from torchdoctor.report.redact.secrets import KEYS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Rule", "compile_rules", "redact_by_rules"]

_NAMES = {
    "{KEYS}": KEYS,
    "{HOST}": r"(?!<)[A-Za-z][\w.-]{0,200}(?:\[[\d,-]{1,100}\])?",
    "{NAME}": r"[^\s\"'<>|:,;)]{1,64}",
}
_PLACEHOLDER = re.compile(r"[\"']?<\w+>.*", re.DOTALL)
_NO_SECRET = re.compile(
    r"[\"']?(?:\$[A-Z_][A-Z0-9_]*|\$[({].*|\$env:\w+|%\w+%|\*{2,}.*|true|false|none|null|\d{1,3}|)[\"']?",
    re.IGNORECASE | re.DOTALL,
)
_NO_HOST = re.compile(
    r"localhost|auto|local|host|none|null|true|false|self|all|.*(?:linux|darwin|mingw|apple|windows).*|.*\.(?:py|toml|txt|json|ya?ml|so|dll)|"
    r"\w{0,10}:\d{1,5}|[a-z]{1,2}",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What is looked for where one of the words is in a text, and what stands for it."""

    kind: str
    words: tuple[str, ...]
    pattern: str

    def is_in(self, lower: str) -> bool:
        """Tell whether a text in lower case may have it."""
        return any(word in lower for word in self.words)

    def sub(self, text: str) -> str:
        """Return the text with the placeholder for each one found."""
        return _compiled(self.pattern, self.kind == "secret").sub(self._replaced, text)

    def _replaced(self, match: re.Match[str]) -> str:
        value, whole = match["x"], match[0]
        if _PLACEHOLDER.fullmatch(value) or _is_harmless(self.kind, value):
            return whole
        start, end = (place - match.start() for place in match.span("x"))
        return f"{whole[:start]}<{self.kind}>{whole[end:]}"


def redact_by_rules(text: str, *, only_secrets: bool = False) -> str:
    """Return the text without what the rules find, or only without secrets."""
    lower = text.lower()
    for rule in compile_rules():
        if rule.is_in(lower) and not (only_secrets and rule.kind != "secret"):
            text = rule.sub(text)
    return text


@functools.cache
def compile_rules() -> tuple[Rule, ...]:
    """Return the rows of `rules.toml`, with the names in their patterns filled in."""
    text = resources.files("torchdoctor.report.redact").joinpath("rules.toml").read_text("utf-8")
    return tuple(
        Rule(kind=row["kind"], words=tuple(row["words"]), pattern=_filled(row["pattern"]))
        for row in tomllib.loads(text)["rule"]
    )


def _filled(pattern: str) -> str:
    for name, form in _NAMES.items():
        pattern = pattern.replace(name, form)
    return pattern


@functools.cache
def _compiled(pattern: str, any_case: bool) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE | (re.IGNORECASE if any_case else 0))


def _is_harmless(kind: str, value: str) -> bool:
    """Whether what stands in the place of a secret or a name is none, such as a variable or a public host."""
    if kind == "secret":
        return _NO_SECRET.fullmatch(value) is not None
    lower = value.lower()
    if kind == "host":
        return _NO_HOST.fullmatch(value) is not None or is_public_host(value)
    return lower in WORDS_OF_A_REPORT or (kind == "project" and lower in STRUCTURE | PUBLIC_PROJECTS)
