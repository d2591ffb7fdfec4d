"""Tokens in a text, known by their form: what their issuers let them begin with, and a few forms of their own.

Every pattern is linear: it begins with fixed characters or at the beginning of a word, and what is repeated is bounded.
"""

from __future__ import annotations

import functools
import re
from importlib import resources

__all__ = ["holds_token", "replace_tokens"]

_SIGNS = {"h": "[0-9A-Fa-f]", "a": "[A-Za-z0-9]", "d": "[A-Za-z0-9_-]", "b": "[A-Za-z0-9_.+/=~-]"}
# RFC 7468, PGP: to the end of the text where the key was cut off.
_PRIVATE_KEY = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?!-----END)[\s\S]){0,20000}(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?"
)
# A text with none of the words has none of the tokens, and no pattern is compiled for it.
_OTHERS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("PRIVATE KEY",), _PRIVATE_KEY),
    (("PuTTY-User-Key-File",), r"PuTTY-User-Key-File(?:(?!Private-MAC)[\s\S]){0,20000}(?:Private-MAC: ?\w{0,128})?"),
    # RFC 7519, also without its signature, and in base64 once more.
    (("eyJ",), r"(?<![A-Za-z0-9_-])eyJ[\w-]{8,4000}\.[\w-]{8,4000}(?:\.[\w-]{0,4000})?"),
    (("ZXlK",), r"(?<![A-Za-z0-9_-])ZXlK[\w+/=-]{40,4000}"),
    (("hooks.slack.com",), r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/+-]{8,200}"),
    (("/api/webhooks/",), r"(?<=/api/webhooks/)\d{5,30}/[\w-]{16,200}"),
    (("webhook.office.com",), r"(?<=webhook\.office\.com/)webhookb2/[\w/@-]{16,300}"),
    (("bot", ":AA"), r"(?<![A-Za-z0-9])(?:bot)?\d{6,12}:AA[\w-]{30,60}"),
    ((".",), r"(?<![\w.-])[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{26,64}(?![\w.-])"),
    (("Q~",), r"(?<![\w~.-])[\w~.]{3}\dQ~[\w~.-]{30,36}"),
    ((".atlasv1.",), r"(?<![\w.-])[A-Za-z0-9]{10,20}\.atlasv1\.[\w=-]{40,90}"),
    (("SK", "AC"), r"(?<![A-Za-z0-9_])(?:SK|AC)[0-9a-f]{32}(?![0-9A-Za-z])"),
    (("s.",), r"(?<![\w./-])s\.(?=[a-z0-9]{0,23}[A-Z])[A-Za-z0-9]{24}(?![A-Za-z0-9])"),
    (("|", "%"), r"(?<!\d)\d{15,16}(?:\||%7C)[0-9A-Za-z_-]{27,40}(?![\w-])"),
    (("_mmk",), r"(?<!\w)[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?!\w)"),
    (("-us",), r"(?<![0-9a-z])[0-9a-f]{32}-us\d{1,2}(?!\w)"),  # Mailchimp
    (("pat",), r"(?<!\w)pat[A-Za-z0-9]{14}\.[0-9a-f]{40,64}"),  # Airtable
)  # fmt: skip


def replace_tokens(text: str, placeholder: str) -> str:
    """Return the text with the placeholder for each token that its form shows."""
    for pattern in _patterns_for(text):
        text = pattern.sub(placeholder, text)
    return text


def holds_token(text: str) -> bool:
    """Whether a token is in the text."""
    return any(pattern.search(text) for pattern in _patterns_for(text))


def _patterns_for(text: str) -> list[re.Pattern[str]]:
    """The patterns whose fixed words are in the text."""
    found: dict[tuple[str, int], list[str]] = {}
    for prefix, signs, least in _forms():
        if prefix in text:
            found.setdefault((signs, least), []).append(prefix)
    made = [_of_prefixes(tuple(prefixes), *form) for form, prefixes in found.items()]
    return made + [_compiled(pattern) for words, pattern in _OTHERS if any(word in text for word in words)]


@functools.cache
def _forms() -> tuple[tuple[str, str, int], ...]:
    """The rows of `token_forms.txt`: what begins a token, the letter of its characters, at least how many there are."""
    lines = resources.files("torchdoctor.core").joinpath("token_forms.txt").read_text("utf-8").splitlines()
    rows = [line.split(" ", 3) for line in lines if line and not line.startswith("#")]
    return tuple((prefix, signs, int(least)) for prefix, signs, least, _ in rows)


@functools.cache
def _of_prefixes(prefixes: tuple[str, ...], signs: str, least: int) -> re.Pattern[str]:
    words = "|".join(re.escape(prefix) for prefix in sorted(prefixes, key=len, reverse=True))
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{words}){_SIGNS[signs]}{{{least},2000}}")


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
