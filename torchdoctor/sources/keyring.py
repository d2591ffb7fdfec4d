"""Passwords of indexes from the `keyring` command, which is asked as uv asks it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from torchdoctor.core.urls import strip_credentials

if TYPE_CHECKING:
    from torchdoctor.core.system import System
    from torchdoctor.sources.order import Sources
    from torchdoctor.sources.source import Source

__all__ = ["with_passwords"]

_TIMEOUT_SECONDS = 30.0


def with_passwords(sources: Sources, system: System) -> Sources:
    """Return the sources with passwords from keyring filled into URLs that name a user and no password.

    Nothing is asked unless a setting of uv or pip turns keyring on.
    https://docs.astral.sh/uv/concepts/authentication/http/#keyring-providers: uv runs
    `keyring get URL USER`, then `keyring get HOST USER`.
    """
    providers = {system.environ.get(name, "") for name in ("UV_KEYRING_PROVIDER", "PIP_KEYRING_PROVIDER")}
    if not providers & {"subprocess", "import", "auto"}:
        return sources
    completed: dict[str, str] = {}

    def with_password(source: Source) -> Source:
        if source.url not in completed:
            completed[source.url] = _with_password(source.url, system)
        return replace(source, url=completed[source.url])

    return replace(
        sources,
        torch=tuple(map(with_password, sources.torch)),
        indexes=tuple(map(with_password, sources.indexes)),
        default_index=with_password(sources.default_index) if sources.default_index else None,
        find_links=tuple(map(with_password, sources.find_links)),
    )


def _with_password(url: str, system: System) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.username or parts.password is not None:
        return url
    for service in (strip_credentials(url), parts.netloc.rpartition("@")[2]):
        answer = system.run(["keyring", "get", service, unquote(parts.username)], timeout=_TIMEOUT_SECONDS)
        password = answer.stdout.rstrip("\r\n")
        if answer.ok and password:
            host = parts.netloc.rpartition("@")[2]
            return urlunsplit(parts._replace(netloc=f"{parts.username}:{quote(password, safe='')}@{host}"))
    return url
