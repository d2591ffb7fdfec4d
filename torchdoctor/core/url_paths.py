"""Which parts of a URL's path may be a secret: some indexes take a token as a folder.

Cloudsmith's entitlement tokens (https://docs.cloudsmith.com/software-distribution/entitlement-tokens), Gemfury's
(https://gemfury.com/help/private-repo-urls/), conda's `/t/TOKEN/`, and whatever a proxy of a company lets stand there.
"""

from __future__ import annotations

import functools
import re
from importlib import resources
from urllib.parse import unquote

__all__ = ["HIDDEN_PART", "is_public_host", "is_usual_path", "may_be_secret", "public_hosts", "secret_parts"]

HIDDEN_PART = "****"

_WORDS = re.compile(r"[-_.+ ~,=]")
# One case of letters and a number behind them: what people and programs name things. A token mixes more.
_PLAIN_WORD = re.compile(r"(?:[A-Z]?[a-z]{0,20}|[A-Z]{1,8})\d{0,4}|\d{1,8}[a-z]{0,3}")
_BUILD = re.compile(r"(?:cu\d{2,3}|rocm\d[\d.]{0,6}|xpu|cpu|cp\d{2,3}t?|py\d{1,3}|v\d{1,3})(?:_full)?")
_VERSION = re.compile(
    r"\d{1,6}(?:\.(?:\d{1,8}|dev|post|rc|a|b)[a-z]{0,4}\d{0,8}){1,6}(?:[-+][a-z0-9.]{1,30})?"
)
_FILE = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._+~%!-]{0,250}"
    r"\.(?:whl|tar\.gz|tar\.bz2|tgz|zip|conda|html?|json|txt|toml|metadata|git|exe|ya?ml)(?:@[\w./-]{1,100})?"
)
_DIGEST = re.compile(r"[0-9a-f]{2,4}|[0-9a-f]{8,128}")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_NAMES_A_SECRET = re.compile(r"token(?!iz)|secret|passw|apikey|api-key|api_key|credential", re.IGNORECASE)
_DIGEST_FOLDER = re.compile(r"[0-9a-f]{2}|[0-9a-f]{56,64}")
_USUAL = frozenset((
    "api", "artifactory", "content", "download", "dist", "dists", "f", "files", "index", "legacy", "nightly", "p",
    "packages", "projects", "pypi", "python", "pytorch", "pytorch-wheels", "repo", "repos", "repository", "root",
    "simple", "stable", "test", "torch", "torchaudio", "torchvision", "web", "wheels", "whl", "v1", "v2", "v3",
    "v4", "+simple",
))  # fmt: skip
_VOWELS = re.compile(r"[aeiouyAEIOUY]")
_LONG_WORD, _LONGEST_PART = 9, 100
# Behind such a folder stands a token.
_BEFORE_SECRET = frozenset(("t", "auth", "token", "tokens", "_token", "key", "apikey", "secret"))
_FOLDERS_OF_DIGESTS = frozenset(("files", "packages", "+f", "blobs", "objects", "sha256"))
# Azure DevOps names projects and feeds by such ids, and takes credentials before the host.
_HOSTS_WITH_GUIDS = (".dev.azure.com", ".visualstudio.com")


def secret_parts(host: str, path: str) -> list[bool]:
    """Return for each part of a path between slashes whether it may be a secret."""
    parts = path.split("/")
    if not host or is_public_host(host):
        return [False] * len(parts)
    has_file = _FILE.fullmatch(unquote(parts[-1])) is not None
    found = []
    for number, part in enumerate(parts):
        before = parts[number - 1] if number else ""
        is_stored = has_file and _stands_for_bytes(parts, number)
        guid = host.endswith(_HOSTS_WITH_GUIDS) and _GUID.fullmatch(part) is not None
        plain = is_stored or guid or not may_be_secret(part)
        found.append(
            bool(part) and (not plain or before in _BEFORE_SECRET or _is_first_of_tokens(host, parts, number))
        )
    return found


def _stands_for_bytes(parts: list[str], number: int) -> bool:
    """Whether a digest names the file that follows: directly before it, or in a folder of such folders."""
    if not _DIGEST.fullmatch(parts[number]):
        return False
    return number == len(parts) - 2 or any(part in _FOLDERS_OF_DIGESTS for part in parts[:number])


def _is_first_of_tokens(host: str, parts: list[str], number: int) -> bool:
    """Whether a host that takes a token as the first folder has one there."""
    if number != 1:
        return False
    if host.endswith("dl.cloudsmith.io"):
        return parts[1] not in ("public", "basic")
    names = [part for part in parts if part not in ("", "simple", "index", "python")]
    return host.endswith("fury.io") and len(names) > 1 and names[1] != "-"


def may_be_secret(part: str) -> bool:
    """Whether a name is something else than words, a version, a build or a file, which a token may be.

    >>> [may_be_secret(name) for name in ("pypi-local", "cu126", "2.9.1+cu126", "a8fK2mQ9xLtB", "s3cr3t")]
    [False, False, False, True, True]
    """
    text = unquote(part)
    if not text or _FILE.fullmatch(text) or _BUILD.fullmatch(text):
        return _holds_token(text)
    if len(text) > _LONGEST_PART or _NAMES_A_SECRET.search(text):
        return True
    if _VERSION.fullmatch(text) or text in ("+f", "+simple", ".."):
        return False
    words = _WORDS.split(text)
    return not all(_PLAIN_WORD.fullmatch(word) and _can_be_spoken(word) for word in words) or _holds_token(
        text
    )


def is_usual_path(path: str) -> bool:
    """Whether a path has only words that every index has, and a file or a project at its end."""
    *folders, last = [part for part in path.split("/") if part] or [""]
    usual = all(
        part in _USUAL or _BUILD.fullmatch(part) or _DIGEST_FOLDER.fullmatch(part) for part in folders
    )
    return usual and (last in _USUAL or not may_be_secret(last))


def _can_be_spoken(word: str) -> bool:
    letters = word.rstrip("0123456789")
    return len(letters) < _LONG_WORD or len(_VOWELS.findall(letters)) * 5 >= len(letters)


def _holds_token(text: str) -> bool:
    from torchdoctor.core.tokens import holds_token

    return holds_token(text)


def is_public_host(host: str) -> bool:
    """Whether everybody may see which paths are asked for there."""
    return host.lower() in public_hosts()


@functools.cache
def public_hosts() -> frozenset[str]:
    """Return the hosts of `public_hosts.txt`."""
    text = resources.files("torchdoctor.core").joinpath("public_hosts.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
