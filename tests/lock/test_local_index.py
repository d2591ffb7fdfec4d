"""What uv is offered: an index of exactly the plan's files, and links to a folder's other wheels."""

from __future__ import annotations

import hashlib

import pytest

from tests.wheelmaker import make_wheel, metadata_of
from torchdoctor.errors import SourceFailed
from torchdoctor.lock.local_index import filtered_find_links, write_local_index
from wheels_index import Wheel, parse_page

URL = "https://host/whl/cpu/torch-2.9.1%2Bcpu-py3-none-any.whl"
NAME = "torch-2.9.1+cpu-py3-none-any.whl"


def listed(folder):
    page = folder / "torch" / "index.html"
    return parse_page(page.read_bytes(), url=page.as_uri()).wheels[0]


def test_a_remote_file_keeps_its_url_hash_and_metadata(tmp_path):
    """uv downloads it from where the plan found it."""
    wheel = Wheel.from_filename(NAME, url=URL, sha256="a" * 64, has_metadata=True, metadata_sha256="b" * 64)
    write_local_index(tmp_path / "index", [wheel], {})
    found = listed(tmp_path / "index")
    assert (found.url, found.sha256, found.metadata_sha256) == (URL, "a" * 64, "b" * 64)


def test_a_local_copy_is_read_instead(tmp_path):
    """Its metadata lies beside it, with the right hash."""
    _, content = make_wheel("torch", "2.9.1+cpu", tag="py3-none-any")
    (tmp_path / "copy.whl").write_bytes(content)
    wheel = Wheel.from_filename(NAME, url=URL)
    write_local_index(tmp_path / "index", [wheel], {NAME: tmp_path / "copy.whl"})
    found = listed(tmp_path / "index")
    assert found.url.startswith("file:")
    assert found.metadata_sha256 == hashlib.sha256(metadata_of(content)).hexdigest()
    assert (tmp_path / "index" / "torch" / NAME).read_bytes() == content


@pytest.mark.parametrize("content", [b"no wheel", make_wheel("x", "1")[1][:200]])
def test_a_local_copy_that_is_no_wheel_is_refused(tmp_path, content):
    """Before uv reads it."""
    (tmp_path / "copy.whl").write_bytes(content)
    with pytest.raises(SourceFailed) as caught:
        write_local_index(
            tmp_path / "index", [Wheel.from_filename(NAME, url=URL)], {NAME: tmp_path / "copy.whl"}
        )
    assert caught.value.code == "bad-wheel"


def test_a_folder_is_offered_without_the_planned_projects_and_damaged_files(tmp_path):
    """Each link leads back to its file; why a file is refused is kept."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for project in ("torch", "needed"):
        name, content = make_wheel(project, "1.0", tag="py3-none-any")
        (folder / name).write_bytes(content)
    (folder / "broken-1.0-py3-none-any.whl").write_bytes(b"no wheel")
    linked, refused = {}, {}
    url = filtered_find_links(folder.as_uri(), frozenset({"torch"}), tmp_path / "links", linked, refused)
    assert url == (tmp_path / "links").as_uri()
    name = "needed-1.0-py3-none-any.whl"
    assert [path.name for path in (tmp_path / "links").iterdir()] == [name]
    assert linked == {name: (folder / name).as_uri()}
    assert list(refused) == ["broken-1.0-py3-none-any.whl"]


@pytest.mark.parametrize("url", ["https://host/links.html", "file:///nowhere/at/all"])
def test_another_kind_of_place_is_left_as_it_is(tmp_path, url):
    """uv reads it itself."""
    assert filtered_find_links(url, frozenset(), tmp_path / "links", {}, {}) == url
