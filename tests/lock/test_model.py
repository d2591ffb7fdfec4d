"""A lock as text, and what is done with its files."""

from __future__ import annotations

import sys
from dataclasses import replace

from torchdoctor.core.hashing import FileDigest
from torchdoctor.lock import Lock, LockedWheel
from torchdoctor.lock.credentials import with_credentials
from torchdoctor.lock.model import locked_wheel
from torchdoctor.sources import Source, Sources
from wheels_index import Wheel

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

A = LockedWheel(
    name="a", version="1", filename="a-1-py3-none-any.whl", url="https://host/a-1-py3-none-any.whl",
    sha256="a" * 64, size=10,
)  # fmt: skip
B = replace(
    A, name="b", filename="b-1-py3-none-any.whl", url="https://u:pw@host/b?t=1", sha256=None, size=None
)
LOCK = Lock(wheels=(B, A), environment="sys_platform == 'linux'", requires_python="==3.12.*", variant="cpu")


def test_the_text_is_in_order_and_without_credentials():
    """The same lock gives the same bytes, whatever the order of its files."""
    assert LOCK.text == replace(LOCK, wheels=(A, B)).text
    document = tomllib.loads(LOCK.text)
    assert [package["name"] for package in document["packages"]] == ["a", "b"]
    assert document["packages"][1]["wheels"][0]["url"] == "https://host/b"
    assert document["tool"] == {"torchdoctor": {"variant": "cpu"}}


def test_what_is_not_known_is_not_written():
    """No size and no hash where no index gives one."""
    wheel = tomllib.loads(LOCK.text)["packages"][1]["wheels"][0]
    assert "size" not in wheel
    assert wheel["hashes"] == {}


def test_beside_its_files_the_lock_names_paths():
    """Only the files that lie there; the others keep their URL."""
    wheels = [package["wheels"][0] for package in tomllib.loads(LOCK.text_beside([A.filename]))["packages"]]
    assert [wheels[0].get("path"), wheels[1].get("path")] == [A.filename, None]
    assert "url" not in wheels[0]


def test_files_that_were_read_confirm_hash_and_size():
    """The others stay as they are."""
    digest = FileDigest(sha256="c" * 64, size=7)
    confirmed = LOCK.confirmed({B.filename: digest})
    assert [(wheel.sha256, wheel.size) for wheel in confirmed.wheels] == [("c" * 64, 7), ("a" * 64, 10)]


def test_packages_are_left_out_by_name():
    """Whatever their version."""
    assert [wheel.name for wheel in LOCK.without({"a"}).wheels] == ["b"]


def test_a_file_of_a_plan_becomes_a_file_of_the_lock():
    """A file whose place is not known has an empty URL."""
    wheel = Wheel.from_filename("torch-2.9.1+cpu-py3-none-any.whl", sha256="d" * 64, size=3)
    locked = locked_wheel(wheel)
    assert (locked.name, locked.version, locked.url) == ("torch", "2.9.1+cpu", "")
    assert (locked.sha256, locked.size) == ("d" * 64, 3)


def test_files_get_the_credentials_of_the_source_on_their_host():
    """Not those of another host, and not over another scheme."""
    source = Source(name="s", url="https://me:secret@host/simple", layout="simple", origin="a test")
    sources = Sources(torch=(source,), indexes=(), default_index=None, find_links=())
    lock = Lock(wheels=(A, replace(A, url="http://host/a.whl"), replace(A, url="https://other/a.whl")))
    assert [wheel.url for wheel in with_credentials(lock, sources).wheels] == [
        "https://me:secret@host/a-1-py3-none-any.whl", "http://host/a.whl", "https://other/a.whl",
    ]  # fmt: skip
