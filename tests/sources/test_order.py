"""Sources are asked in the documented order, and only the right ones serve dependencies."""

from __future__ import annotations

import pytest

from torchdoctor.errors import UsageError
from torchdoctor.sources import order_sources
from torchdoctor.sources.installer_config import IndexSetting

CONFIGURED = (
    IndexSetting(kind="index", place="https://corp.example/simple", origin="pip's index-url (global)"),
    IndexSetting(
        kind="extra-index", place="https://extra.example/simple", origin="pip's extra-index-url (global)"
    ),
    IndexSetting(kind="find-links", place="/srv/wheels", origin="pip's find-links (env)"),
)


def names(sources):
    return [source.name for source in sources]


def test_what_was_given_comes_first_and_pypi_last():
    """--index-url, --find-links, the mirror, the official index, the configured ones, PyPI."""
    sources = order_sources(
        index_url="https://mine.example/whl", find_links=["/wheels"], mirror_name="nju", configured=CONFIGURED
    )
    assert names(sources.torch) == [
        "https://mine.example/whl",
        "/wheels",
        "mirror nju",
        "download.pytorch.org",
        "https://corp.example/simple",
        "https://extra.example/simple",
        "/srv/wheels",
        "PyPI",
    ]


def test_dependencies_come_from_the_users_indexes_and_never_from_the_official_one():
    """A name on the PyTorch index cannot stand in for a package of PyPI."""
    sources = order_sources(configured=CONFIGURED)
    assert sources.default_index.url == "https://corp.example/simple"
    assert names(sources.indexes) == ["https://extra.example/simple"]
    assert names(sources.find_links) == ["/srv/wheels"]


def test_without_settings_dependencies_come_from_pypi():
    """PyPI is the default index of a user who has configured none."""
    sources = order_sources()
    assert sources.default_index.name == "PyPI"
    assert names(sources.torch) == ["download.pytorch.org", "PyPI"]


def test_a_mirror_brings_its_mirror_of_pypi():
    """Who asks for a mirror cannot reach PyPI either."""
    assert order_sources(mirror_name="nju").default_index.url == "https://mirror.nju.edu.cn/pypi/web/simple"


def test_offline_leaves_folders_only():
    """--offline asks no host."""
    sources = order_sources(configured=CONFIGURED, offline=True)
    assert names(sources.torch) == ["/srv/wheels"]
    assert sources.default_index is None


def test_an_unknown_mirror_is_refused_with_the_known_ones():
    """The error lists what can be asked for."""
    with pytest.raises(UsageError, match="no mirror is called 'tuna'") as caught:
        order_sources(mirror_name="tuna")
    assert "nju" in caught.value.fix


@pytest.mark.parametrize("place", ["ftp://example.org/x", "https://", "git+ssh://host/x"])
def test_a_place_that_cannot_hold_wheels_is_refused(place):
    """Only http, https, file URLs and paths are places."""
    with pytest.raises(UsageError):
        order_sources(index_url=place)


def test_credentials_never_show():
    """The name of a source is what is printed; its password is not in it."""
    source = order_sources(index_url="https://me:secret@corp.example/simple").torch[0]
    assert "secret" not in source.name
    assert "secret" in source.url
    assert "secret" not in source.index_url("cpu")


def test_where_no_index_is_to_be_asked_only_links_are():
    """`no-index` of pip or uv, as where there is no network; an index that is typed now is asked all the same."""
    told = (*CONFIGURED, IndexSetting(kind="no-index", place="", origin="pip's no-index (global)"))
    sources = order_sources(configured=told)
    assert names(sources.torch) == ["/srv/wheels"]
    assert (sources.indexes, sources.default_index) == ((), None)
    assert names(sources.find_links) == ["/srv/wheels"]
    assert sources.ignored == ()
    typed = order_sources(index_url="https://mine.example/whl", configured=told)
    assert names(typed.torch) == ["https://mine.example/whl", "/srv/wheels"]
    again = order_sources(index_url="https://corp.example/simple", configured=told)
    assert names(again.torch) == ["https://corp.example/simple", "/srv/wheels"]
    assert names(order_sources(mirror_name="official", configured=told).torch) == [
        "download.pytorch.org",
        "/srv/wheels",
    ]
