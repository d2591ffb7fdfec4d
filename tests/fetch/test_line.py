"""A file over a bad line: it arrives whole, little is read twice, and wrong bytes are never seen."""

from __future__ import annotations

import hashlib
import os

import pytest
from urllib3.util import wait_for_read

from tests.faults import Fault, FaultServer, Times
from tests.fetch.conftest import NAME, WHEEL, Heard, heavy_wheel
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch import download_progress
from torchdoctor.fetch.transfer import retry, throughput
from torchdoctor.fetch.transfer.response import request_range
from torchdoctor.fetch.transfer.segments import SEGMENT_BYTES

PATH = f"/{NAME}"
# On a busy machine a connection may be so late that another takes over the end of its range.
LOST = len(WHEEL) / 10


def arrived(fetcher, wheel=None, **more):
    """Fetch, and check that the right bytes are there and nothing else."""
    row = fetcher(wheel, **more)
    assert row.path.read_bytes() == WHEEL
    assert row.sha256 == hashlib.sha256(WHEEL).hexdigest()
    assert fetcher.visible() == [row.path]
    assert fetcher.left_over() == []
    assert fetcher.heard.arrived == len(WHEEL)
    return row


def refused(fetcher, kind, wheel=None, **more):
    """Fetch in vain; nothing is visible under a final name."""
    with pytest.raises(SourceFailed) as caught:
        fetcher(wheel, **more)
    assert caught.value.code == kind
    assert fetcher.visible() == []
    return caught.value.message


def test_a_file_comes_in_ranges_and_no_byte_twice(fetcher):
    """Each byte is asked for once."""
    arrived(fetcher)
    assert fetcher.read_twice <= LOST
    assert len(fetcher.server.seen) > 1


def test_a_file_whose_size_no_index_tells(fetcher):
    """The first answer tells it."""
    arrived(fetcher, fetcher.locked(size=None))
    assert fetcher.read_twice <= LOST


def test_a_file_of_which_no_hash_is_known_is_held_to_its_own_checksums(fetcher):
    """It is recorded as first seen; a damaged one is refused."""
    assert arrived(fetcher, fetcher.locked(sha256=None)).first_seen


def test_a_damaged_file_of_which_no_hash_is_known_is_refused(fetcher):
    """Every member's checksum is read."""
    fetcher.server.fault = lambda _: Fault(corrupt=(2_000_000, 2_001_000))
    assert "damaged" in refused(fetcher, "bad-wheel", fetcher.locked(sha256=None))


def test_several_connections_serve_one_file_where_each_is_slow(fetcher):
    """More are opened while more help."""
    fetcher.server.fault = lambda _: Fault(rate=1_500_000)
    arrived(fetcher)
    assert (
        fetcher.read_twice <= len(WHEEL) / 20
    )  # the end of one range may be taken over by another connection
    assert len({row.start for row in fetcher.server.seen}) > 4


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_latency_before_each_answer(fetcher, ranges):
    """Slow to begin is not broken."""
    fetcher.server.fault = lambda _: Fault(latency=0.05, ranges=ranges)
    arrived(fetcher)
    assert fetcher.heard.retries == []


def test_a_large_file_on_a_far_line_begins_with_several_connections(fetcher):
    """Each connection begins slowly there: one alone would lose a second and more."""
    large = os.urandom(20_000_000)
    fetcher.server.files[f"/{NAME}"] = large
    fetcher.server.fault = lambda _: Fault(latency=0.05, rate=20_000_000)
    assert fetcher(fetcher.locked(large)).path.read_bytes() == large
    assert len({row.start for row in fetcher.server.seen}) >= 4


def test_a_line_that_closes_again_and_again(fetcher):
    """Twelve closed connections on one file: progress counts, not tries, and no byte comes twice."""
    fetcher.server.fault = lambda _: Fault(close_after=500_000)
    arrived(fetcher)
    assert fetcher.read_twice <= LOST
    assert len(fetcher.heard.retries) < 4  # one line says it


def test_a_line_that_is_reset(fetcher):
    """RST throws away what was on its way; the rest stays."""
    fetcher.server.fault = lambda _: Fault(close_after=900_000, reset=True, rate=8e6)
    arrived(fetcher)


def test_a_line_that_always_closes_too_early_without_ranges_is_given_up(fetcher, monkeypatch):
    """The end can never come, and the message says how far it gets."""
    monkeypatch.setattr(retry, "_FIRST_WAIT_SECONDS", 0.001)
    fetcher.server.fault = lambda _: Fault(close_after=3_000_000, ranges=False)
    assert "closed after 3.0 of 5.7 MB" in refused(fetcher, "download")


def test_a_line_that_closes_once_without_ranges(fetcher):
    """The second stream passes over what is there."""
    fetcher.server.fault = Times(Fault(close_after=3_000_000, ranges=False), 1, then=Fault(ranges=False))
    arrived(fetcher)


def test_a_silent_connection_is_left_and_the_rest_asked_for_again(fetcher, monkeypatch):
    """A time-out between two bytes."""
    monkeypatch.setattr("torchdoctor.core.net.http.PAGE_TIMEOUT", (5.0, 0.3))
    fetcher.server.fault = Times(Fault(stall_after=400_000), 1)
    arrived(fetcher)


def test_a_connection_that_drips_is_a_stall(fetcher, monkeypatch):
    """Never silent, and yet next to nothing comes: throughput tells."""
    monkeypatch.setattr(throughput, "STALL_SECONDS", 0.3)
    fetcher.server.fault = Times(Fault(drip=0.02), 1)
    arrived(fetcher)
    assert "almost nothing" in fetcher.heard.retries[0]


def test_a_response_says_whether_bytes_wait_to_be_read(fetcher):
    """A process that reads late is told from a line that is slow."""
    fetcher.server.fault = lambda _: Fault(stall_after=400_000)
    response = request_range(fetcher.locked().url, 0, len(WHEEL), None)
    assert wait_for_read(response.response.raw, timeout=10)
    assert response.has_unread()
    chunks, got = response.chunks(SEGMENT_BYTES), 0
    while got < 400_000:
        got += len(next(chunks))
    assert not response.has_unread()
    response.close()
    assert not response.has_unread()


def test_a_server_that_only_drips_is_given_up(fetcher, monkeypatch):
    """Slow-loris: a trickle is no progress."""
    monkeypatch.setattr(throughput, "STALL_SECONDS", 0.1)
    monkeypatch.setattr(retry, "_FIRST_WAIT_SECONDS", 0.001)
    fetcher.server.fault = lambda _: Fault(drip=0.02)
    assert "almost nothing" in refused(fetcher, "download")


def test_a_head_that_drips_is_given_up_at_once(fetcher, monkeypatch):
    """The headers have a limit of their own, which is waited for once."""
    monkeypatch.setattr("torchdoctor.core.net.http.PAGE_SECONDS", 0.2)
    fetcher.server.fault = lambda _: Fault(drip=0.05, drip_head=True)
    assert "does not answer in time" in refused(fetcher, "download")
    assert len(fetcher.server.seen) == 1


@pytest.mark.parametrize("lie", ["offset", "shifted", "long"])
def test_ranges_that_lie_are_done_without(fetcher, lie):
    """Wrong words, wrong bytes under right words, or a wrong length: the file comes as one stream."""
    fetcher.server.fault = lambda seen: Fault(lie=lie) if seen.start is not None else None
    arrived(fetcher)
    assert fetcher.server.seen[-1].start is None


def test_a_server_without_ranges(fetcher):
    """One stream, read once."""
    fetcher.server.fault = lambda _: Fault(ranges=False)
    arrived(fetcher)
    assert (len(fetcher.server.seen), fetcher.read_twice) == (1, 0)


def test_a_server_without_ranges_that_does_not_say_how_long_the_file_is(fetcher):
    """The end of the connection is the end of the file, and the hash says whether it was all."""
    fetcher.server.fault = lambda _: Fault(ranges=False, lengthless=True)
    arrived(fetcher, fetcher.locked(size=None))


def test_a_file_of_the_wrong_length_is_refused_before_it_comes(fetcher):
    """The lock says its size."""
    message = refused(fetcher, "download", fetcher.locked(size=len(WHEEL) + 1))
    assert f"has {len(WHEEL)} bytes and should have {len(WHEEL) + 1}" in message
    assert fetcher.left_over() == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(fetcher, monkeypatch, status):
    """After a pause."""
    monkeypatch.setattr(retry, "_FIRST_WAIT_SECONDS", 0.01)
    fetcher.server.fault = Times(Fault(status=status), 4)
    arrived(fetcher)


def test_retry_after_is_honoured_up_to_a_limit(fetcher, monkeypatch):
    """A server may not keep a user waiting for a day."""
    monkeypatch.setattr(retry, "MAX_WAIT_SECONDS", 0.2)
    fetcher.server.fault = Times(Fault(status=503, retry_after="86400"), 1)
    arrived(fetcher)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final(fetcher, status):
    """Asking again would get the same."""
    fetcher.server.fault = lambda _: Fault(status=status)
    assert str(status) in refused(fetcher, "download")
    assert len(fetcher.server.seen) == 1
    assert fetcher.left_over() == []


@pytest.mark.parametrize(("status", "word"), [(401, "credentials"), (403, "credentials"), (404, "network")])
def test_who_is_not_let_in_is_told_to_look_at_the_credentials(fetcher, status, word):
    """The network is not at fault there."""
    fetcher.server.fault = lambda _: Fault(status=status)
    with pytest.raises(SourceFailed) as caught:
        fetcher()
    assert word in caught.value.fix


def test_a_body_in_an_encoding_that_was_not_asked_for_is_refused(fetcher):
    """Ranges of a compressed body are not ranges of the file."""
    fetcher.server.fault = lambda _: Fault(encoding="gzip")
    assert "encoded" in refused(fetcher, "download")


def test_one_corrupt_block_costs_the_segments_around_it(fetcher):
    """The wheel's own checksums tell where it is."""
    fault = Fault(corrupt=(3_000_000, 3_060_000))
    spoilt = []

    def once(seen):
        if seen.start is not None and seen.start <= 3_000_000 < seen.end and not spoilt:
            spoilt.append(seen)
            return fault
        return None

    fetcher.server.fault = once
    arrived(fetcher)
    assert spoilt
    assert 0 < fetcher.read_twice <= 4 * SEGMENT_BYTES


@pytest.mark.parametrize("place", [0, len(WHEEL) - 40])
def test_a_corrupt_beginning_or_end_is_mended(fetcher, place):
    """Also a first header, and the directory that tells where everything is."""
    spoilt = []

    def once(seen):
        if seen.start is not None and seen.start <= place < seen.end and not spoilt:
            spoilt.append(seen)
            return Fault(corrupt=(place, place + 20))
        return None

    fetcher.server.fault = once
    arrived(fetcher)
    assert fetcher.read_twice <= 8 * SEGMENT_BYTES


def test_bytes_that_stay_wrong_are_refused_and_not_kept(fetcher):
    """Neither in the cache nor in the part of the next run."""
    fetcher.server.fault = lambda _: Fault(corrupt=(3_000_000, 3_060_000))
    assert "is right" in refused(fetcher, "hash-mismatch")
    assert fetcher.left_over() == []


def test_another_wheel_under_the_name_is_refused_after_one_reading(fetcher):
    """It agrees with its own checksums, so there is nothing to mend."""
    other = heavy_wheel(1)
    fetcher.server.files[PATH] = other
    refused(fetcher, "hash-mismatch", fetcher.locked(size=len(other)))
    assert fetcher.server.sent == len(other)


def test_a_file_that_changes_between_two_requests_begins_anew(fetcher, monkeypatch):
    """`If-Range` and the ETag tell; the old bytes are not mixed with the new ones."""
    other = heavy_wheel(5.9, stored=True)
    fetcher.server.files[PATH] = other

    def change(seen):
        if len(fetcher.server.asked(PATH)) == 2:
            fetcher.server.files[PATH] = WHEEL

    fetcher.server.fault = change
    arrived(fetcher, fetcher.locked(size=None))
    assert any("has changed" in row or "shorter" in row or "bytes" in row for row in fetcher.heard.retries)


def test_a_redirect_to_another_host_is_followed_without_credentials(fetcher):
    """Who serves the file does not learn the index's password."""
    with FaultServer(host="localhost") as other:
        other.files["/store"] = WHEEL
        fetcher.server.fault = lambda _: Fault(location=f"{other.url}/store")
        url = fetcher.server.url.replace("//", "//ada:secret@")
        arrived(fetcher, fetcher.locked(url=f"{url}{PATH}"))
        assert all("authorization" in row.headers for row in fetcher.server.seen)
        assert other.seen
        assert not any("authorization" in row.headers for row in other.seen)


def test_credentials_are_in_no_message_and_no_journal(fetcher):
    """Not even half of a failure shows them."""
    fetcher.server.fault = Times(Fault(), 1, then=Fault(status=404))
    url = fetcher.server.url.replace("//", "//ada:secret@")
    wheel = fetcher.locked(url=f"{url}{PATH}?token=hidden")
    message = refused(fetcher, "download", wheel)
    kept = b"".join(path.read_bytes() for path in (fetcher.cache / "partial").glob("*.journal"))
    assert kept
    for secret in ("secret", "hidden"):
        assert secret not in message + str(fetcher.heard.retries)
        assert secret.encode() not in kept


def test_redirects_that_lead_in_circles_are_refused(fetcher):
    """Ten are enough."""
    fetcher.server.fault = lambda _: Fault(location=PATH)
    refused(fetcher, "download")
    assert len(fetcher.server.seen) < 15


def test_two_mirrors_serve_one_file_side_by_side(fetcher):
    """Both work at it, and every byte comes once."""
    with FaultServer() as other:
        other.files["/elsewhere.whl"] = WHEEL
        for row in (fetcher.server, other):
            row.fault = lambda _: Fault(rate=2_000_000)
        row = arrived(fetcher, mirrors=[f"{other.url}/elsewhere.whl"])
        assert other.sent > 0
        assert fetcher.server.sent > 0
        assert other.sent + fetcher.server.sent <= len(WHEEL) * 1.05
        assert "elsewhere" in row.source


def test_a_mirror_that_is_far_slower_is_given_up(fetcher, monkeypatch):
    """The others do its work."""
    monkeypatch.setattr(throughput, "_LAG_SECONDS", 0.3)
    with FaultServer() as other:
        other.files["/slow.whl"] = WHEEL
        other.fault = lambda _: Fault(rate=30_000)
        fetcher.server.fault = lambda _: Fault(rate=1_500_000)
        arrived(fetcher, mirrors=[f"{other.url}/slow.whl"])
        assert other.sent < len(WHEEL) / 4


@pytest.mark.parametrize(
    "fault", [Fault(status=404), Fault(lie="size"), Fault(corrupt=(0, len(WHEEL))), Fault(location="/loop")],
    ids=["absent", "another size", "wrong bytes", "circles"],
)  # fmt: skip
def test_a_bad_mirror_does_no_harm(fetcher, fault):
    """The file's own place has it."""
    with FaultServer() as other:
        other.files["/bad.whl"] = WHEEL
        other.fault = lambda _: fault
        arrived(fetcher, mirrors=[f"{other.url}/bad.whl"])


def test_where_the_official_index_is_slow_the_option_that_helps_is_said_once(fetcher, monkeypatch):
    """And when it fails, the error says it."""
    monkeypatch.setattr(download_progress, "_MIRRORED_HOSTS", (".0.0.1",))
    monkeypatch.setattr(download_progress, "_SLOW_AFTER_SECONDS", 0.2)
    monkeypatch.setattr(download_progress, "_SLOW_BYTES_PER_SECOND", 1e12)
    fetcher.server.fault = lambda _: Fault(rate=3_000_000)
    arrived(fetcher)
    assert [row for row in fetcher.heard.notes if "--mirror auto" in row] == fetcher.heard.notes
    assert len(fetcher.heard.notes) == 1
    fetcher.server.fault = lambda _: Fault(status=404)
    with pytest.raises(SourceFailed) as caught:
        fetcher(fetcher.locked(sha256="0" * 64))
    assert "--mirror auto" in caught.value.fix


def test_no_mirror_is_advised_for_an_index_of_ones_own(fetcher):
    """Nobody else has its files."""
    fetcher.server.fault = lambda _: Fault(status=404)
    with pytest.raises(SourceFailed) as caught:
        fetcher()
    assert "--mirror" not in caught.value.fix


def test_a_mirror_serves_alone_where_the_files_own_place_is_gone(fetcher):
    """Any place with the right bytes will do."""
    with FaultServer() as other:
        other.files["/good.whl"] = WHEEL
        fetcher.server.fault = lambda _: Fault(status=503)
        fetcher.server.files.clear()
        arrived(fetcher, mirrors=[f"{other.url}/good.whl"])


def test_a_file_is_taken_from_the_cache_without_a_request(fetcher):
    """And its hash is read again."""
    arrived(fetcher)
    fetcher.server.seen.clear()
    assert fetcher().source == "the cache"
    assert fetcher.server.seen == []


def test_a_file_poisoned_in_the_cache_is_fetched_again(fetcher):
    """What lies in the cache is not trusted for its name."""
    row = arrived(fetcher)
    row.path.write_bytes(WHEEL[:-1] + b"!")
    fetcher.heard = Heard()
    arrived(fetcher)


@pytest.mark.parametrize(
    "name", ["../heavy.whl", "/etc/heavy.whl", "a\\b.whl", "heavy", "x" * 300 + ".whl", "-.whl", "a.whl\n"]
)
def test_a_hostile_file_name_is_refused_before_anything_is_asked(fetcher, name):
    """Names come from a lock or an index."""
    refused(fetcher, "bad-wheel", fetcher.locked(filename=name))
    assert fetcher.server.seen == []


def test_a_hostile_hash_is_refused_before_anything_is_asked(fetcher):
    """It would be a folder's name."""
    refused(fetcher, "bad-wheel", fetcher.locked(sha256="../../x"))
    assert fetcher.server.seen == []


def test_a_disk_that_is_too_small_is_said_first(fetcher):
    """Before the first request."""
    assert "GB free" in refused(fetcher, "no-space", fetcher.locked(size=10**16))
    assert fetcher.server.seen == []
