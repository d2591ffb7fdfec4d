"""Redaction of what opens doors: tokens by their form, values by their key, headers, options, logins, random text."""

from __future__ import annotations

import math
import re
from collections import Counter

from torchdoctor.core.tokens import replace_tokens

__all__ = ["KEYS", "is_secret_key", "redact_assigned", "redact_random", "redact_tokens"]

_SECRET = "<secret>"  # noqa: S105  (what stands for one)
_HEADER = re.compile(
    r"\b(Bearer|Basic|Digest|Negotiate|ApiKey)\s{1,3}(?!<secret>)[\w.~+/=-]{6,4000}", re.IGNORECASE
)
# The rest of such a line is the secret, in as many words as it has.
_HEADER_LINE = re.compile(
    r"((?<![\w-])(?:(?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]{0,30}(?:key|token|auth|secret)[a-z-]{0,20})"
    r"\s{0,3}:\s{0,3}(?:(?:bearer|basic|digest|token|negotiate|apikey)\s{1,3})?)"
    r"(?![\"'\s<]|(?:bearer|basic|digest|token|negotiate|apikey)\s{1,3}<)[^\r\n\"'|`]{1,4000}",
    re.IGNORECASE,
)
KEYS = (
    r"(?:token(?!iz)|secret|passw(?:or)?d|passwd|passphrase|pwd(?=[\"']?\s{0,3}[:=])|api[_-]?key|access[_-]?key|"
    r"account[_-]?key|private[_-]?key|encryption[_-]?key|signing[_-]?key|deploy[_-]?key|key[_-]?data|shared[_-]?access|"
    r"credential|authorization|cookie|sess(?:ion)?[_-]?id|client[_-]?id|webhook|signature(?=[\"']?\s{0,3}[:=])|"
    r"(?<![a-z])auth(?=[\"']\s{0,3}:)|密码|口令|令牌|密钥)"
)
_ASSIGNED = re.compile(
    rf"([\w.-]{{0,60}}{KEYS}[\w-]{{0,40}}[\"']?\s{{0,3}}(?:[:=]|：|=>)\s{{0,3}}(?:(?:Bearer|Basic|Token)\s{{1,3}})?)"  # noqa: RUF001
    r"(\"[^\"]{1,4000}\"|'[^']{1,4000}'|[^\s,;&\"'{}\[\]]{1,4000})",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"(--[\w-]{{0,40}}{KEYS}[\w-]{{0,20}}[\s=]{{1,3}})([^\s-][^\s]{{0,4000}})", re.IGNORECASE
)
_SHORT_OPTION = re.compile(
    r"((?:\bcurl\b|\bwget\b)[^\n]{0,200}? (?:-u|--user)[ =]|\bsshpass -p ?|\b(?:docker|podman|az|helm)[^\n]{0,60} login"
    r"[^\n]{0,100}? -p ?|\bmysql[^\n]{0,100}? -p"
    r"|\bwandb login (?:--\S{1,30} ){0,3}|\bhuggingface-cli login[^\n]{0,20}? -t )"
    r"(?!<)([^\s-][^\s]{0,400})"
)
_VARIABLE = r"[A-Z][A-Z0-9_]{0,60}_(?:KEY|PASS|PWD|AUTH|SAS|DSN|JWT|SIG|PAT|CREDS?|AK|SK)"
_SET = re.compile(
    rf"(?<![A-Za-z0-9_])({_VARIABLE}[\"']?\s{{0,3}}[:=]\s{{0,3}})(\"[^\"]{{1,4000}}\"|'[^']{{1,4000}}'|[^\s,;&\"']{{1,4000}})"
)
_SECRET_KEY = re.compile(
    rf"[\w-]{{0,60}}(?:{KEYS}|^pwd$|^auth$|_auth(?:token)?$)[\w-]{{0,40}}", re.IGNORECASE
)
# A file that curl and git read (netrc), and one of PostgreSQL.
_NETRC = re.compile(
    r"((?:\b(?:machine|login|account)\s{1,8}\S{1,200}\s{1,8}|^[ \t]{0,20})password\s{1,8})"
    r"(?!<|is\b|was\b|:|=)(\S{1,400})",
    re.MULTILINE,
)
_PGPASS = re.compile(
    r"(?<![\w.-])([\w.*-]{1,253}:(?:5432|5433|6432|\*):[\w.*-]{1,63}:[\w.*-]{1,63}:)(?!<)(\S{1,400})"
)
_QUERY = re.compile(
    r"((?<![A-Za-z0-9])(?:sig|se|skn|sv|signature|x-amz-[a-z]{1,20}|x-goog-[a-z]{1,20}|accountkey|sharedaccesssignature)=)"
    r"(?!<)([\w%+/.~=-]{8,4000})",
    re.IGNORECASE,
)
_BARE_LOGIN = re.compile(r"(?<![\w/@:.<])(?![A-Za-z]:\\)[^\s/@:<>\"']{1,100}:[^\s/@<>\"']{1,300}@(?=[\w\[])")
# A word that says that the next one is secret: only where that looks as if nobody had thought it up.
_NEAR = re.compile(
    r"(\b(?:api[ _-]?key|access key|token|secret|password|passwd|passphrase|credential|wandb|login key|licen[cs]e key|"
    r"private key|bearer)s?\b[^\n\w<]{0,6}(?:[a-z]{1,8}[ :=]{1,3}){0,2}[\"'`(]?)([A-Za-z0-9_+/=.~-]{12,400})(?![\w.])",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z0-9]{24,4000}(?![A-Za-z0-9_])")
_DIGEST_BEFORE = re.compile(r"(?:sha\d{1,3}|md5|blake2b)[=:-][\w+/-]{0,100}$")
_VERSION_IN = re.compile(r"\d\.\d|\.(?:whl|py|so|dll|json|txt|toml|md|log|org|com|io|net)\b")
_LEAST_BITS = 3.2  # a sign, of a text that is no word


def is_secret_key(name: str) -> bool:
    """Tell whether a key of a document, or a variable, has a secret as its value."""
    return _SECRET_KEY.fullmatch(name) is not None or re.fullmatch(_VARIABLE, name) is not None


def redact_tokens(text: str) -> str:
    """Return the text without tokens of known forms and without headers that hold one."""
    text = replace_tokens(text, _SECRET)
    text = _HEADER_LINE.sub(r"\1<secret>", text)
    return _HEADER.sub(r"\1 <secret>", text)


def redact_assigned(text: str) -> str:
    """Return the text without what is given to a name, an option or a file of credentials that says it is secret."""
    text = _BARE_LOGIN.sub("<secret>@", text)
    for pattern in (_OPTION, _SHORT_OPTION, _NETRC, _PGPASS, _ASSIGNED, _SET, _QUERY):
        text = pattern.sub(r"\1<secret>", text)
    return _NEAR.sub(_near, text)


def redact_random(text: str) -> str:
    """Return the text without long mixtures of cases and digits, unless they are digests or C++ symbols."""
    return _RANDOM.sub(_random, text)


def _near(match: re.Match[str]) -> str:
    value = match[2]
    mixed = any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)
    if (
        not mixed
        or _VERSION_IN.search(value)
        or value.startswith(("/", "_Z", "--"))
        or _bits(value) < _LEAST_BITS
    ):
        return match[0]
    return match[1] + _SECRET


def _bits(text: str) -> float:
    """Shannon's entropy of a sign of the text."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _random(match: re.Match[str]) -> str:
    text, before = match[0], match.string[max(0, match.start() - 100) : match.start()]
    mixed = [sum(map(test, text)) for test in (str.islower, str.isupper, str.isdigit)]
    if min(mixed) < 2 or _DIGEST_BEFORE.search(before):  # noqa: PLR2004
        return text
    return _SECRET
