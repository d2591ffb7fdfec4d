"""URLs as they may be shown and written down."""

from __future__ import annotations

import pytest

from torchdoctor.core.urls import redact_url, strip_credentials


@pytest.mark.parametrize(
    ("url", "shown", "written"),
    [
        ("https://ada:s3cret@h/a?t=1#b", "https://****@h/a?****#b", "https://h/a#b"),
        ("git+file:///srv/a.git@v1", "git+file:///srv/a.git@v1", "git+file:///srv/a.git@v1"),
        ("file:///srv/a", "file:///srv/a", "file:///srv/a"),
        ("mailto:x", "mailto:x", "mailto:x"),
    ],
)
def test_a_url_without_secrets_is_still_that_url(url, shown, written):
    """Credentials and queries are left out, and an empty host stays."""
    assert redact_url(url) == shown
    assert strip_credentials(url) == written
