"""What a change fetches and takes on the disk is said before it is made."""

from __future__ import annotations

import hashlib

import pytest

from tests.faults import FaultServer
from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from tests.workflows.test_consent import FOLDER, LOCK
from torchdoctor.fetch.cache import cached_path
from torchdoctor.lock import LockedWheel
from torchdoctor.workflows.change_size import ChangeSize, size_of_change
from torchdoctor.workflows.consent import ask_to_change

NAME = "demo-1.0-py3-none-any.whl"
ZEROS = b"0" * 100_000


@pytest.fixture
def content():
    """A wheel that unpacks to much more than its size."""
    return make_wheel("demo", "1.0", modules={"demo/zeros.txt": ZEROS})[1]


def _locked(url, content, *, size=None):
    digest = hashlib.sha256(content).hexdigest()
    return LockedWheel(name="demo", version="1.0", filename=NAME, url=url, sha256=digest, size=size)


@pytest.mark.process
def test_a_server_tells_what_a_file_without_a_size_takes(content, tmp_path):
    """By the list at the wheel's end; the rest of it is not fetched."""
    with FaultServer() as server:
        server.files = {f"/{NAME}": content}
        locked = _locked(f"http://127.0.0.1:{server.port}/{NAME}", content)
        size = size_of_change([locked], tmp_path / "cache", offline=False)
    assert (size.fetched, size.unknown) == (len(content), 0)
    assert len(ZEROS) < size.unpacked < len(ZEROS) + 10_000


def test_a_file_of_the_cache_is_not_fetched(content, tmp_path):
    """It still takes its room in the environment."""
    locked = _locked("https://example.org/demo.whl", content)
    path = cached_path(tmp_path / "wheels", locked.sha256, NAME)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    size = size_of_change([locked], tmp_path, offline=True)
    assert size.fetched == 0
    assert size.unpacked > len(ZEROS)
    assert size.text.startswith("nothing to fetch, about 0.1 MB")


def test_a_small_file_of_known_size_is_estimated_without_a_request(content, tmp_path):
    """A request for each of fifty small files would take longer than fetching them."""
    locked = _locked("https://127.0.0.1:1/demo.whl", content, size=2_000_000)
    assert size_of_change([locked], tmp_path, offline=False) == ChangeSize(
        fetched=2_000_000, unpacked=7_300_000
    )


def test_what_nobody_tells_is_said_to_be_unknown(content, tmp_path):
    """Offline, with an index that gives no sizes."""
    known = _locked("https://example.org/demo.whl", content, size=1_000_000)
    size = size_of_change([known, _locked("https://example.org/other.whl", content)], tmp_path, offline=True)
    assert size == ChangeSize(fetched=1_000_000, unpacked=3_650_000, unknown=1)
    assert size.text == "1.0 MB to fetch, about 3.6 MB on the disk, the size of 1 file is not known"


def test_the_size_stands_above_the_question():
    """Below the packages; nothing is said of what does not change."""
    report = Recorder(answer=True)
    ask_to_change(FOLDER, LOCK, {"torch": "1.0"}, report, assume_yes=False, size="3.1 GB to fetch")
    ask_to_change(FOLDER, LOCK, {"torch": "2.0"}, report, assume_yes=False, size="3.1 GB to fetch")
    assert report.notes == ["~ torch 1.0 -> 2.0", "3.1 GB to fetch"]
