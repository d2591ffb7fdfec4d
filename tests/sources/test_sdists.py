"""Whose source distributions may be built: those of the index that has the project, before any that comes later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from torchdoctor.sources import Source, Sources
from torchdoctor.sources.sdists import list_files
from wheels_index import ProjectPage


@pytest.fixture
def sources(tmp_path):
    """A private index, before one of everybody's that has a newer source distribution."""

    def make(link):
        for folder, text in (("private", link), ("public", "corp_lib-99.0.tar.gz")):
            page = tmp_path / folder / "corp-lib" / "index.html"
            page.parent.mkdir(parents=True)
            page.write_text(f'<a href="{text}">x</a>')
        private, public = (
            Source(name=name, url=(tmp_path / name).as_uri(), layout="simple", origin="a test")
            for name in ("private", "public")
        )
        return Sources(torch=(), indexes=(private,), default_index=public, find_links=())

    return make


def versions(sources):
    return [str(each.version) for each in list_files("corp-lib", sources).sdists]


@pytest.mark.parametrize(
    "link", ["corp_lib-1.0-py3-none-win_amd64.whl", "Corp.Lib-1.0-py2.7.egg", "corp_lib-1.0-1-x.whl#sha256=0"]
)
def test_no_later_index_has_its_code_run_where_an_earlier_one_has_the_project(sources, link):
    """Whatever file that is, and for whichever system."""
    assert versions(sources(link)) == []


def test_the_sources_of_the_first_index_count(sources):
    """Also an older one."""
    assert versions(sources("corp_lib-1.0.tar.gz")) == ["1.0"]


def test_a_page_without_a_file_of_the_project_hides_none(sources):
    """Some indexes answer for every name."""
    assert versions(sources("../")) == ["99.0"]


def test_indexes_that_are_asked_alike_hide_none(sources):
    """The user agreed to that."""
    assert versions(replace(sources("corp_lib-1.0.tar.gz"), alike=True)) == ["1.0", "99.0"]


@pytest.mark.parametrize(
    "body", [b"", b"<a href=''>", b'{"files": 3}', b'<a href="corp-library-1.0.tar.gz">']
)
def test_a_page_of_anything_else_has_no_file_of_the_project(body):
    """Nothing raises."""
    url = "https://example.org/simple/corp-lib/"
    assert not ProjectPage.parse(body, url=url, project="corp-lib").has_file()
