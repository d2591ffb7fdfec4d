"""A page from a server that is slow on purpose, and URLs as they may be shown."""

from __future__ import annotations

import pytest

from tests.loopback import Fault
from torchdoctor.core.net import http
from torchdoctor.core.urls import redact_url


def test_a_page_that_drips_is_given_up(index, monkeypatch):
    """One byte every tenth of a second never trips a time-out between bytes; the limit is on the whole page."""
    monkeypatch.setattr(http, "PAGE_SECONDS", 1.0)
    index.pages["/slow/"] = b"x" * 1000
    index.faults["/slow/"] = Fault(drip=0.1)
    with pytest.raises(http.Unreachable, match="in time"):
        http.fetch_page(f"{index.url}/slow/")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@host/simple", "https://****@host/simple"),
        ("https://host/simple?token=abc", "https://host/simple?****"),
        ("https://host/simple", "https://host/simple"),
        ("http://[::1", "a URL that cannot be read"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url, shown):
    """Neither credentials nor tokens."""
    assert redact_url(url) == shown
