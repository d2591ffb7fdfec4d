"""A server that is slow on purpose is given up, as a page and as a file."""

from __future__ import annotations

import pytest

from tests.loopback import Fault
from tests.wheelmaker import make_wheel
from torchdoctor import download, fetch, net
from torchdoctor.lock import LockedWheel
from torchdoctor.urls import redacted


class Silent:
    """Progress that nobody watches."""

    def start(self, total, files):
        """Begin."""

    def advance(self, count):
        """Go on."""

    def retry(self, filename, why):
        """Try again."""


def test_a_page_that_drips_is_given_up(index, monkeypatch):
    """One byte every tenth of a second never trips a time-out between bytes; the limit is on the whole page."""
    monkeypatch.setattr(net, "PAGE_SECONDS", 1.0)
    index.pages["/slow/"] = b"x" * 1000
    index.faults["/slow/"] = Fault(drip=0.1)
    with pytest.raises(net.Unreachable, match="in time"):
        net.get_page(f"{index.url}/slow/")


def test_a_file_that_drips_is_given_up(index, monkeypatch, tmp_path):
    """Less than a trickle in the time allowed is no download."""
    monkeypatch.setattr(download, "_SLOW_SECONDS", 0.5)
    monkeypatch.setattr(download, "_TRIES", 1)
    name, content = make_wheel("torch", "2.13.0+cpu")
    path = index.add("/whl/cpu/torch/", name, content)
    index.faults[path] = Fault(drip=0.05)
    wheel = LockedWheel(
        name="torch",
        version="2.13.0+cpu",
        filename=name,
        url=f"{index.url}{path}",
        sha256="0" * 64,
        size=None,
    )
    with pytest.raises(fetch.SourceFailed, match="bytes came in"):
        fetch.fetch([wheel], cache=tmp_path, progress=Silent())


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
    assert redacted(url) == shown
