"""What counts as PyPI: its pages may be kept for as long as PyPI says, whatever a proxy leaves out."""

from __future__ import annotations

import pytest

from torchdoctor.lock.uv_inputs import uv_settings
from torchdoctor.sources import Sources
from torchdoctor.sources.pypi_copies import is_copy_of_pypi, is_place_of_copy
from torchdoctor.sources.source import PYPI, Source
from torchdoctor.sources.vouching import speaker_of


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


@pytest.mark.parametrize(
    "url",
    [
        "http://mirrors.aliyun.com/pypi/simple/",
        "http://mirrors.aliyun.com:80//pypi/simple",
        "HTTPS://Mirrors.Aliyun.com/pypi/simple",
        "https://ada:pw@mirrors.aliyun.com/%70ypi/simple",
        "http://pypi.org/simple",
        "https://mirrors.bfsu.edu.cn/pypi/web/simple",
    ],
)
def test_a_copy_is_held_against_pypi_however_its_url_is_written(url):
    """Guides for China name many over http; nobody is believed more for that."""
    source = Source(name="copy", url=url, layout="simple", origin="pip.conf")
    assert is_place_of_copy(url)
    assert speaker_of(source) == "mirror"


@pytest.mark.parametrize(
    "url",
    [
        "https://mirrors.aliyun.com/pytorch-wheels",
        "https://pypi.org.example.com/simple",
        "file:///pypi/simple",
        "http://[",
    ],
)
def test_another_place_is_no_copy(url):
    """Not on the same host, nor under a name that looks like one."""
    assert not is_place_of_copy(url)
