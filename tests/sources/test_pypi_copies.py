"""What counts as PyPI: its pages may be kept for as long as PyPI says, whatever a proxy leaves out."""

from __future__ import annotations

import pytest

from torchdoctor.lock.uv_inputs import uv_settings
from torchdoctor.sources import Sources
from torchdoctor.sources.pypi_copies import is_copy_of_pypi
from torchdoctor.sources.source import PYPI, Source


@pytest.mark.parametrize(
    "url", [PYPI.url, "https://pypi.org/simple/", "https://mirrors.aliyun.com/pypi/simple/"]
)
def test_pypi_and_its_public_copies_are_known(url):
    """With and without the slash at the end."""
    assert is_copy_of_pypi(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://pypi.org/simple",
        "https://pypi.org.example.com/simple",
        "https://example.com/pypi.org/simple",
        "https://mirrors.aliyun.com/pytorch-wheels",
        "https://user:secret@pypi.org/simple",
        "file:///pypi/simple",
    ],
)
def test_another_index_is_none_whatever_its_name(url):
    """Its pages are kept for as long as its own server says."""
    assert not is_copy_of_pypi(url)


def test_uv_keeps_pages_of_pypi_and_asks_a_private_index_again(tmp_path):
    """A package that was published a minute ago is seen."""
    private = Source(name="ours", url="https://wheels.example.com/simple", layout="simple", origin="pip.conf")
    sources = Sources(torch=(), indexes=(private,), default_index=PYPI, find_links=())
    planned, own, default = uv_settings(sources, tmp_path, ())["index"]
    assert default["cache-control"]["api"] == "max-age=600"
    assert "cache-control" not in planned
    assert "cache-control" not in own
