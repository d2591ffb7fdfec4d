"""Removes from a text what tells who and where somebody is, and every secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from torchdoctor.report.redact.network import (
    is_proxy,
    redact_addresses,
    redact_hosts,
    redact_proxy,
    redact_urls,
)
from torchdoctor.report.redact.patterns import TOKENS, WORDS_OF_A_REPORT

__all__ = ["Identity", "redact", "redact_document"]

_PLACEHOLDER = re.compile(r"(<(?:user|host|secret|email|ip|mac|uuid)>)")
_MAX_PASSES = 8
_SHORTEST_WORD = 3  # a shorter name is replaced in paths only
# Colours; left in, their last letter would be part of the next word.
_COLOUR = re.compile(r"\x1b\[[0-9;?]{0,30}[A-Za-z]")

_BARE_LOGIN = re.compile(r"(?<![\w/@:.<])[^\s/@:<>\"']{1,100}:[^\s/@<>\"']{1,300}@(?=[\w\[])")
_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}(?![\w-])")
_HEADER = re.compile(r"\b(Bearer|Basic|Digest)\s+(?!<secret>)[\w.~+/=-]{6,}", re.IGNORECASE)
_KEYS = (
    r"(?:token(?!iz)|secret|passw(?:or)?d|passwd|passphrase|pwd(?=[\"']?\s*[:=])|api[_-]?key|access[_-]?key|"
    r"private[_-]?key|credential|authorization|cookie|session[_-]?id|client[_-]?id)"
)
_ASSIGNED = re.compile(
    rf"([\w.-]{{0,60}}{_KEYS}[\w-]{{0,40}}[\"']?\s{{0,3}}[:=]\s{{0,3}}(?:Bearer\s+|Basic\s+)?)"
    r"(\"[^\"]{1,500}\"|'[^']{1,500}'|[^\s,;&\"'{}\[\]]{1,500})",
    re.IGNORECASE,
)
_OPTION = re.compile(rf"(--[\w-]{{0,40}}{_KEYS}[\w-]{{0,20}}[\s=]+)([^\s-][^\s]{{0,500}})", re.IGNORECASE)
_VARIABLE = r"[A-Z][A-Z0-9_]{0,60}_(?:KEY|PASS|PWD|AUTH)"
_SET = re.compile(
    rf"(?<![A-Za-z0-9_])({_VARIABLE}[\"']?\s{{0,3}}[:=]\s{{0,3}})"
    r"(\"[^\"]{1,500}\"|'[^']{1,500}'|[^\s,;&\"']{1,500})"
)
_SECRET_KEY = re.compile(rf"[\w-]{{0,60}}{_KEYS}[\w-]{{0,40}}", re.IGNORECASE)
_UNIX_HOME = re.compile(r"(/{1,4}(?:home\d{0,2}|users)/{1,4})([^/\\\s\"'<>|:,;)\]]{1,64})", re.IGNORECASE)
# A name in Windows may have blanks in it, where something follows that ends it.
_WINDOWS_HOME = re.compile(
    r"((?:\\{1,8}(?:users|home)\\{1,8}|[A-Za-z]:/{1,4}users/{1,4}))"
    r"([^\\/:*?\"<>|\r\n]{1,64}?(?=[\\/])|[^\\/\s:*?\"'<>|,;)\]]{1,64})",
    re.IGNORECASE,
)
_UNC = re.compile(r"(?<![\\:\w])(\\\\(?:\\\\)?)([A-Za-z0-9][\w.-]{0,62})(?=\\{1,8}[\w$])")
_UUID = re.compile(
    r"(?<![\w])(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![\w])", re.IGNORECASE
)
_RANDOM = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z0-9]{24,}(?![A-Za-z0-9_])")
_VERSION_KEYS = (
    "version",
    "versions",
    "os_version",
    "driver",
    "belongs",
    "torch",
    "needed",
    "declared",
    "cuda",
)
_QUAD = re.compile(r"\d{1,5}(?:\.\d{1,5}){3}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who runs this and where, as far as it is known."""

    users: tuple[str, ...] = ()  # user names
    homes: tuple[str, ...] = ()  # paths of home folders
    hosts: tuple[str, ...] = ()  # names of this computer


def redact(text: str, identity: Identity = Identity()) -> str:
    """Return the text without user names, home paths, host names, addresses, tokens and credentials.

    Placeholders show what was removed: `~`, `<user>`, `<host>`, `<ip>`, `<mac>`, `<email>`, `<uuid>`, `<secret>`.
    Versions, driver numbers, hashes and loopback addresses stay. Redacting twice gives the same as redacting once.
    """
    for _ in range(_MAX_PASSES):
        shorter = _redact_once(text, identity)
        if shorter == text:
            break
        text = shorter
    return text


def redact_document(document: Any, identity: Identity = Identity(), *, key: str = "") -> Any:
    """Return parsed JSON with every text in it redacted; a value that its `key` shows to be a version stays."""
    if isinstance(document, dict):
        # The name of a setting or variable shows what its value is.
        label = document.get("name") or document.get("key")
        if isinstance(label, str) and is_proxy(label) and isinstance(document.get("value"), str):
            document = {**document, "value": redact_proxy(document["value"])}
        return {
            redact(name, identity) if isinstance(name, str) else name: redact_document(
                value, identity, key=str(name)
            )
            for name, value in document.items()
        }
    if isinstance(document, (list, tuple)):
        return [redact_document(value, identity, key=key) for value in document]
    if isinstance(document, str) and (_SECRET_KEY.fullmatch(key) or re.fullmatch(_VARIABLE, key)):
        return "<secret>"
    if isinstance(document, str) and not (key in _VERSION_KEYS and _QUAD.fullmatch(document)):
        return redact(document, identity)
    return document


def _redact_once(text: str, identity: Identity) -> str:
    text = _COLOUR.sub("", text)
    for pattern in TOKENS:
        text = pattern.sub("<secret>", text)
    text = _HEADER.sub(r"\1 <secret>", text)
    text = redact_urls(text)
    text = _BARE_LOGIN.sub("<secret>@", text)
    text = _OPTION.sub(r"\1<secret>", text)
    text = _ASSIGNED.sub(r"\1<secret>", text)
    text = _SET.sub(r"\1<secret>", text)
    text = _EMAIL.sub("<email>", text)
    text = _replace_homes(text, identity.homes)
    text = _WINDOWS_HOME.sub(r"\1<user>", text)
    text = _UNIX_HOME.sub(r"\1<user>", text)
    text = _UNC.sub(r"\1<host>", text)
    text = _replace_names(text, identity)
    text = redact_hosts(text)
    text = _UUID.sub("<uuid>", text)
    text = redact_addresses(text)
    return _RANDOM.sub(_random_text, text)


def _replace_homes(text: str, homes: tuple[str, ...]) -> str:
    for home in sorted({home.rstrip("\\/") for home in homes}, key=len, reverse=True):
        parts = [part for part in re.split(r"[\\/]+", home) if part]
        if parts:
            # Of a file URL the two slashes are not the path's.
            begin = r"(?<!file:)(?<!file:/)[\\/]{1,8}" if home[:1] in "\\/" else r"(?<![A-Za-z0-9])"
            body = r"[\\/]{1,8}".join(map(re.escape, parts))
            case = re.IGNORECASE if ":" in parts[0] else 0
            text = re.sub(rf"(?<![\w~.-]){begin}{body}(?![\w.-])", "~", text, flags=case)
    return text


def _replace_names(text: str, identity: Identity) -> str:
    """User and host names wherever they are words, except words that every report contains."""
    named = [(name, "<user>") for name in identity.users]
    for host in identity.hosts:
        named += [(host, "<host>"), (host.partition(".")[0], "<host>")]
    names = [(form, kind) for name, kind in named for form in (name, name.lower(), name.upper())]
    pieces = _PLACEHOLDER.split(text)
    for name, placeholder in sorted(set(names), key=lambda pair: -len(pair[0])):
        if name.lower() not in WORDS_OF_A_REPORT and not name.isdigit():
            # A word of one or two letters is a name only as a part of a path.
            around = (
                (r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])")
                if len(name) >= _SHORTEST_WORD
                else (r"(?<=[\\/])", r"(?=[\\/])")
            )
            word = re.compile(rf"{around[0]}{re.escape(name)}{around[1]}")
            pieces = [
                piece if _PLACEHOLDER.fullmatch(piece) else word.sub(placeholder, piece)
                for whole in pieces
                for piece in _PLACEHOLDER.split(whole)
            ]
    return "".join(pieces)


def _random_text(match: re.Match[str]) -> str:
    """A long mixture of cases and digits is a key, unless it is a digest or a C++ symbol."""
    text, before = match[0], match.string[max(0, match.start() - 100) : match.start()]
    mixed = [sum(map(test, text)) for test in (str.islower, str.isupper, str.isdigit)]
    if min(mixed) < 2 or re.search(r"(?:sha\d{1,3}|md5)[=:-][\w+/-]*$", before):  # noqa: PLR2004
        return text
    return "<secret>"
