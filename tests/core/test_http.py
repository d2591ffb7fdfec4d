"""A page from a server that is slow on purpose, and URLs as they may be shown."""

from __future__ import annotations

import threading

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


def test_each_request_has_a_session_of_its_own_over_the_same_connections():
    """requests does not promise that threads can share a session; connections are made for that."""
    first, second = http.http_session(), http.http_session()
    assert first is not second
    assert first.get_adapter("https://host/") is second.get_adapter("https://host/")


def test_a_result_that_comes_too_late_is_discarded():
    """Its caller has given up: an open response must be closed."""
    release, discarded = threading.Event(), threading.Event()

    def call():
        release.wait(30)
        return discarded

    with pytest.raises(TimeoutError, match="no whole answer"):
        http.with_deadline(0.05, call, lambda late: late.set())
    release.set()
    assert discarded.wait(30)
