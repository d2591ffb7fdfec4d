"""Takes out what says who and where somebody is, and what opens doors: one pure function over text."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from torchdoctor.report.redact_facts import PUBLIC_HOSTS, TOKENS, WORDS_OF_A_REPORT

__all__ = ["Identity", "redact", "redact_document"]

_PLACEHOLDER = re.compile(r"(<(?:user|host|secret|email|ip|mac|uuid)>)")
_PASSES = 8
# Colours; left in, their last letter would be part of the next word.
_COLOUR = re.compile(r"\x1b\[[0-9;?]{0,30}[A-Za-z]")

_URL = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]{0,20})://([^\s\"'`<>|\\^{}]*)")
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
_MAC = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")
_UUID = re.compile(
    r"(?<![\w])(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![\w])", re.IGNORECASE
)
_IPV4 = re.compile(r"(?<![\d.])(?<!\w[.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w{1,16})?(?![\w:])")
_PRIVATE_NAME = re.compile(
    r"(?<![\w.@/-])(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"(?:com|org|net|edu|gov|mil|local|localdomain|internal|intern|corp|lan|intranet|cloud|home|private|test|example|"
    r"de|fr|cn|uk|jp|eu|ch|nl|kr|au|ca|se|es|it|in|ru|br|tw)(?![\w-]|\.\w)",
    re.IGNORECASE,
)
_DENSE = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z0-9]{24,}(?![A-Za-z0-9_])")
_FRAGMENT = re.compile(r"(?:sha256|sha384|sha512|md5|egg|subdirectory)=[\w./&=-]*")

# A cuBLAS of 12.4.5.8 looks as an address does: what stands around a number tells which it is.
_VERSION_BEFORE = re.compile(
    r"(?:(?:[=~!<>]=|===)\s{0,2}|\b[vV]|version\W{1,4}|"
    r"\b(?:nvidia-[a-z0-9-]{1,40}|(?:lib)?(?:cudnn|cublas|nccl|cufft|curand|cusolver|cusparse(?:lt)?|nvjitlink|cuda|mkl|dal|tbb)"
    r"(?:-?cu1\d)?)\W{1,3})$",
    re.IGNORECASE,
)
_VERSION_AFTER = re.compile(r"(?:\.dist-info|\.egg-info|\.post\d|\+\w|-(?:py|cp|\d{0,2}-py)\d)")
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
    """What is known of who runs this: user names, home folders, names of this computer."""

    users: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


def redact(text: str, identity: Identity = Identity()) -> str:
    """The text without user names, home paths, host names, addresses, tokens and credentials.

    Placeholders say what was there: `~`, `<user>`, `<host>`, `<ip>`, `<mac>`, `<email>`, `<uuid>`, `<secret>`.
    Versions, driver numbers and hashes stay, and so do addresses of this computer itself. Redacting twice is
    redacting once.
    """
    for _ in range(_PASSES):
        shorter = _once(text, identity)
        if shorter == text:
            break
        text = shorter
    return text


def redact_document(document: Any, identity: Identity = Identity(), *, key: str = "") -> Any:
    """Every text in parsed JSON redacted; a value that is a version by its key stays."""
    if isinstance(document, dict):
        return {
            redact(name, identity) if isinstance(name, str) else name: redact_document(
                row, identity, key=str(name)
            )
            for name, row in document.items()
        }
    if isinstance(document, (list, tuple)):
        return [redact_document(row, identity, key=key) for row in document]
    if isinstance(document, str) and (_SECRET_KEY.fullmatch(key) or re.fullmatch(_VARIABLE, key)):
        return "<secret>"
    if isinstance(document, str) and not (key in _VERSION_KEYS and _QUAD.fullmatch(document)):
        return redact(document, identity)
    return document


def _once(text: str, identity: Identity) -> str:
    text = _COLOUR.sub("", text)
    for pattern in TOKENS:
        text = pattern.sub("<secret>", text)
    text = _HEADER.sub(r"\1 <secret>", text)
    text = _URL.sub(_url, text)
    text = _BARE_LOGIN.sub("<secret>@", text)
    text = _OPTION.sub(r"\1<secret>", text)
    text = _ASSIGNED.sub(r"\1<secret>", text)
    text = _SET.sub(r"\1<secret>", text)
    text = _EMAIL.sub("<email>", text)
    text = _homes(text, identity.homes)
    text = _WINDOWS_HOME.sub(r"\1<user>", text)
    text = _UNIX_HOME.sub(r"\1<user>", text)
    text = _UNC.sub(r"\1<host>", text)
    text = _words(text, identity)
    text = _PRIVATE_NAME.sub(_name, text)
    text = _MAC.sub("<mac>", text)
    text = _UUID.sub("<uuid>", text)
    text = _IPV4.sub(_address, text)
    text = _IPV6.sub(_address, text)
    return _DENSE.sub(_dense, text)


def _url(match: re.Match[str]) -> str:
    """The scheme, a host that everybody knows, and the path; no login, no query, no token of conda's in the path."""
    scheme, rest = match[1], match[2]
    end = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    place, tail = rest[:end], rest[end:]
    login, at, host = place.rpartition("@")
    name, colon, port = host.rpartition(":") if re.search(r":\d{1,5}$", host) else (host, "", "")
    shown = name if name in ("", "~") or name.lower() in PUBLIC_HOSTS or _own(name) else "<host>"
    path, hash_, fragment = tail.partition("#")
    path, ask, query = path.partition("?")
    path = re.sub(r"(?<=/t/)[^/]{1,300}(?=/)", "<secret>", path)
    kept = f"#{fragment}" if hash_ and _FRAGMENT.fullmatch(fragment) else ""
    secret = "<secret>@" if at or login else ""
    return f"{scheme}://{secret}{shown}{colon}{port}{path}{ask}{'<secret>' if query else ''}{kept}"


def _own(host: str) -> bool:
    """Whether an address is one that every computer calls itself by, or that stands for all of them."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _homes(text: str, homes: tuple[str, ...]) -> str:
    for home in sorted({home.rstrip("\\/") for home in homes}, key=len, reverse=True):
        parts = [part for part in re.split(r"[\\/]+", home) if part]
        if parts:
            # Of a file URL the two slashes are not the path's.
            begin = r"(?<!file:)(?<!file:/)[\\/]{1,8}" if home[:1] in "\\/" else r"(?<![A-Za-z0-9])"
            body = r"[\\/]{1,8}".join(map(re.escape, parts))
            case = re.IGNORECASE if ":" in parts[0] else 0
            text = re.sub(rf"(?<![\w~.-]){begin}{body}(?![\w.-])", "~", text, flags=case)
    return text


def _words(text: str, identity: Identity) -> str:
    """User and host names wherever they stand as words, but for words that every report has in it."""
    named = [(name, "<user>") for name in identity.users]
    for host in identity.hosts:
        named += [(host, "<host>"), (host.partition(".")[0], "<host>")]
    names = [(form, kind) for name, kind in named for form in (name, name.lower(), name.upper())]
    pieces = _PLACEHOLDER.split(text)
    for name, placeholder in sorted(set(names), key=lambda row: -len(row[0])):
        if len(name) >= 3 and name.lower() not in WORDS_OF_A_REPORT and not name.isdigit():  # noqa: PLR2004
            word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])")
            pieces = [
                piece if _PLACEHOLDER.fullmatch(piece) else word.sub(placeholder, piece)
                for whole in pieces
                for piece in _PLACEHOLDER.split(whole)
            ]
    return "".join(pieces)


def _name(match: re.Match[str]) -> str:
    return match[0] if match[0].lower() in PUBLIC_HOSTS else "<host>"


def _address(match: re.Match[str]) -> str:
    """An address, unless it is this computer's own or what stands around it shows a version."""
    try:
        ipaddress.ip_address(match[0].partition("%")[0])
    except ValueError:
        return match[0]
    before, after = match.string[max(0, match.start() - 60) : match.start()], match.string[match.end() :][:20]
    version = "." in match[0] and (_VERSION_BEFORE.search(before) or _VERSION_AFTER.match(after))
    return match[0] if version or _own(match[0]) else "<ip>"


def _dense(match: re.Match[str]) -> str:
    """A long mixture of cases and digits is a key, unless it is a digest or a C++ symbol."""
    text, before = match[0], match.string[max(0, match.start() - 24) : match.start()]
    mixed = [sum(map(test, text)) for test in (str.islower, str.isupper, str.isdigit)]
    if min(mixed) < 2 or re.search(r"(?:sha\d{1,3}|md5)[=:-]$", before):  # noqa: PLR2004
        return text
    return "<secret>"
