"""Passwords for indexes: those of keyring, as uv asks for them, and those of a source for the files of a lock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from torchdoctor.core.net.urls import strip_credentials

if TYPE_CHECKING:
    from torchdoctor.core.system import System
    from torchdoctor.lock.model import Lock
    from torchdoctor.sources.order import Sources
    from torchdoctor.sources.source import Source

__all__ = ["with_credentials", "with_passwords"]

_SECONDS = 30.0


def with_passwords(sources: Sources, system: System) -> Sources:
    """The sources with keyring's passwords, where uv or pip is told to ask it and a URL names a user alone.

    https://docs.astral.sh/uv/concepts/authentication/http/#keyring-providers: `keyring get URL USER`, then its host.
    """
    providers = {system.environ.get(name, "") for name in ("UV_KEYRING_PROVIDER", "PIP_KEYRING_PROVIDER")}
    if not providers & {"subprocess", "import", "auto"}:
        return sources
    known: dict[str, str] = {}

    def filled(source: Source) -> Source:
        if source.url not in known:
            known[source.url] = _filled(source.url, system)
        return replace(source, url=known[source.url])

    return replace(
        sources,
        torch=tuple(map(filled, sources.torch)),
        indexes=tuple(map(filled, sources.indexes)),
        default_index=filled(sources.default_index) if sources.default_index else None,
        find_links=tuple(map(filled, sources.find_links)),
    )


def _filled(url: str, system: System) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.username or parts.password is not None:
        return url
    for service in (strip_credentials(url), parts.netloc.rpartition("@")[2]):
        answer = system.run(["keyring", "get", service, unquote(parts.username)], timeout=_SECONDS)
        password = answer.stdout.rstrip("\r\n")
        if answer.ok and password:
            host = parts.netloc.rpartition("@")[2]
            return urlunsplit(parts._replace(netloc=f"{parts.username}:{quote(password, safe='')}@{host}"))
    return url


def with_credentials(locked: Lock, sources: Sources) -> Lock:
    """The lock's files with the credentials of the source of the same host, which a lock never holds."""
    default = (sources.default_index,) if sources.default_index else ()
    known: dict[tuple[str, str], str] = {}
    for row in (*sources.torch, *sources.indexes, *sources.find_links, *default):
        parts = urlsplit(row.url)
        user, at, host = parts.netloc.rpartition("@")
        if at:
            known.setdefault((parts.scheme, host), user)

    def signed(url: str) -> str:
        parts = urlsplit(url)
        user = known.get((parts.scheme, parts.netloc))
        return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}")) if user else url

    return replace(locked, wheels=tuple(replace(row, url=signed(row.url)) for row in locked.wheels))
