"""What a kill, another process or a full disk leaves behind, and how the next run goes on from it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.faults import Fault
from tests.fetch.conftest import NAME, WHEEL, Fetcher
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.transfer.partial_file import PartialFile
from torchdoctor.fetch.transfer.segments import SEGMENT_BYTES

PIECE = 64 * 1024  # bytes that the server writes at once
BUFFERS = 512 * 1024  # bytes that the system takes for a process that is not quick enough to read

SCRIPT = """
import sys
from pathlib import Path
from torchdoctor.fetch import fetch
from torchdoctor.lock.model import LockedWheel

class Silent:
    def start(self, total, files): pass
    def advance(self, count): pass
    def file(self, filename, done, size): pass
    def retry(self, filename, why): print(why, flush=True)
    def note(self, text): print(text, flush=True)

cache, url, name, sha256 = sys.argv[1:]
wheel = LockedWheel(name="heavy", version="1.0", filename=name, url=url, sha256=sha256, size=None)
print(fetch([wheel], cache=Path(cache), progress=Silent()).wheels[0].path)
"""


def begin(fetcher: Fetcher) -> subprocess.Popen[str]:
    """A fetch in a process of its own."""
    sha256 = hashlib.sha256(WHEEL).hexdigest()
    environ = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(fetcher.cache), f"{fetcher.server.url}/{NAME}", NAME, sha256],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ,
    )  # fmt: skip


def kill_at(fetcher: Fetcher, share: float) -> None:
    """Kill a fetch when so much was sent."""
    fetcher.server.fault = lambda _: Fault(rate=1_500_000)
    process = begin(fetcher)
    while fetcher.server.sent < share * len(WHEEL) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(0.1)  # what was being sent is counted


def on_disk(fetcher: Fetcher) -> int:
    """Bytes of the segments that a killed fetch left behind."""
    folder = fetcher.cache / "partial"
    key = hashlib.sha256(WHEEL).hexdigest()
    resumed = PartialFile.resume(folder / f"{key}.part", folder / f"{key}.journal", len(WHEEL))
    if resumed is None:
        return 0
    resumed[0].close()
    return resumed[0].map().done_bytes


def leave_half(fetcher: Fetcher) -> None:
    """The part of a fetch that a kill ended, as it lies on disk."""
    folder = fetcher.cache / "partial"
    folder.mkdir(parents=True)
    key = hashlib.sha256(WHEEL).hexdigest()
    part = PartialFile.create(folder / f"{key}.part", folder / f"{key}.journal", len(WHEEL))
    for index in range(len(WHEEL) // SEGMENT_BYTES // 2):
        part.write(index, WHEEL[index * SEGMENT_BYTES : (index + 1) * SEGMENT_BYTES])
    part.close()


@pytest.mark.process
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_killed_fetch_goes_on_from_what_is_on_disk(fetcher, share):
    """What the disk has is not asked for again, and nothing unfinished is visible."""
    kill_at(fetcher, share)
    assert fetcher.visible() == []
    sent, there = fetcher.server.sent, on_disk(fetcher)
    assert fetcher().path.read_bytes() == WHEEL
    # The server may count a piece of each connection that was killed a little later.
    assert 0 <= fetcher.server.sent - sent - (len(WHEEL) - there) <= 16 * PIECE


@pytest.mark.process
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_connection_that_is_killed_loses_a_segment_at_the_most(fetcher, share):
    """All that came before is on the disk; what lay in the system's buffers is lost with the process."""
    kill_at(fetcher, share)
    connections = len(fetcher.server.seen)
    assert fetcher.server.sent - on_disk(fetcher) <= min(connections, 16) * (SEGMENT_BYTES + BUFFERS)


def test_what_a_crash_left_unwritten_is_fetched_again(fetcher):
    """The journal says that a segment is there, and after a loss of power it is not."""
    leave_half(fetcher)
    part = next((fetcher.cache / "partial").glob("*.part"))
    with part.open("r+b") as file:
        file.write(bytes(SEGMENT_BYTES))
    assert fetcher().path.read_bytes() == WHEEL
    assert fetcher.read_twice < -len(WHEEL) // 3  # the rest of that half was not asked for


@pytest.mark.parametrize(
    "journal",
    [b"", b"{}", b"\xff\xfe", f'{{"torchdoctor-part": 1, "segment": {SEGMENT_BYTES}, "size": -5}}'.encode()],
)
def test_a_journal_that_cannot_be_read_is_no_help_and_no_harm(fetcher, journal):
    """The file begins anew."""
    leave_half(fetcher)
    next((fetcher.cache / "partial").glob("*.journal")).write_bytes(journal)
    assert fetcher().path.read_bytes() == WHEEL


@pytest.mark.process
def test_a_file_that_changed_since_the_last_run_begins_anew(fetcher):
    """The validator of the last run is in the journal."""
    other = bytes(len(WHEEL))
    fetcher.server.files[f"/{NAME}"] = other
    kill_at(fetcher, 0.5)
    fetcher.server.files[f"/{NAME}"] = WHEEL
    fetcher.server.fault = lambda _: None
    assert fetcher().path.read_bytes() == WHEEL
    assert any("has changed" in why for why in fetcher.heard.retries)


@pytest.mark.process
def test_two_processes_fetch_a_file_once(fetcher):
    """The second waits for the first and takes its result."""
    fetcher.server.fault = lambda _: Fault(rate=2_000_000)
    processes = [begin(fetcher), begin(fetcher)]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    assert fetcher.read_twice <= len(WHEEL) / 20
    assert any("another torchdoctor" in out for out, _ in answers)


def test_a_fetch_that_is_stopped_leaves_no_thread_and_keeps_its_part(fetcher):
    """One file fails for good while another still comes."""
    fetcher.server.fault = lambda seen: Fault(status=404) if "gone" in seen.path else Fault(rate=800_000)
    good = fetcher.locked()
    bad = fetcher.locked(path="/gone.whl", filename="gone-1.0-py3-none-any.whl", sha256="0" * 64)
    from torchdoctor.fetch import fetch

    with pytest.raises(SourceFailed, match="gone"):
        fetch([good, bad], cache=fetcher.cache, progress=fetcher.heard)

    def connections():
        return [row for row in threading.enumerate() if row.name == "torchdoctor-connection"]

    until = time.monotonic() + 5
    while connections() and time.monotonic() < until:
        time.sleep(0.05)
    assert connections() == []
    assert fetcher.visible() == []


def test_a_disk_that_fills_up_is_named(fetcher, monkeypatch):
    """The part file is laid out at its full size, so it shows at once."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("torchdoctor.fetch.transfer.partial_file.os.posix_fallocate", full)
    with pytest.raises(SourceFailed, match="No space left") as caught:
        fetcher()
    assert caught.value.code == "no-space"


@pytest.mark.process
def test_the_journal_holds_no_place_in_plain_text(fetcher):
    """A URL may hold a password."""
    kill_at(fetcher, 0.3)
    text = next((fetcher.cache / "partial").glob("*.journal")).read_text()
    assert "http" not in text
    assert json.loads(text.partition("\n")[0])["size"] == len(WHEEL)


def test_a_part_holds_its_full_size_from_the_start(tmp_path):
    """A disk that is too full shows before the first byte."""
    part = PartialFile.create(tmp_path / "x.part", tmp_path / "x.journal", 10_000_000)
    part.close()
    assert (tmp_path / "x.part").stat().st_size == 10_000_000
