"""Sessions of requests with the system's certificates; a module of its own, because requests is slow to import."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import truststore
from requests.adapters import HTTPAdapter

from torchdoctor._version import __version__
from torchdoctor.core.i18n import message
from torchdoctor.core.urls import InsecureRedirect, redact_url

__all__ = ["SessionParts"]

_MAX_REDIRECTS = 10
_POOL_SIZE = 32  # connections kept to one host; a fetch uses half of that


class SessionParts:
    """The connections that all sessions share."""

    def __init__(self) -> None:
        self._https, self._http = (
            _SystemStoreAdapter(pool_maxsize=_POOL_SIZE),
            HTTPAdapter(pool_maxsize=_POOL_SIZE),
        )

    def session(self) -> requests.Session:
        """Return a new session over the shared connections; it need not be closed."""
        session = _HttpsOnlySession()
        session.max_redirects = _MAX_REDIRECTS
        session.mount("https://", self._https)
        session.mount("http://", self._http)
        session.headers["User-Agent"] = f"torchdoctor/{__version__}"
        return session

    def close(self) -> None:
        """Close the connections."""
        self._https.close()
        self._http.close()


class _SystemStoreAdapter(HTTPAdapter):
    """Trusts the system's certificates."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["ssl_context"] = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return super().init_poolmanager(*args, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        kwargs["ssl_context"] = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return super().proxy_manager_for(proxy, **kwargs)


class _HttpsOnlySession(requests.Session):
    """Follows no redirect from https to http."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None and urlsplit(resp.url).scheme == "https":
            to = urljoin(resp.url, target)
            if urlsplit(to).scheme != "https":
                resp.close()
                raise InsecureRedirect(
                    message("it leads from https to {to}, which is not protected", to=redact_url(to))
                )
        return target
