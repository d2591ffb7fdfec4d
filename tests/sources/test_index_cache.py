"""The user's copy of what an index lists: asked for once, kept, and never believed when it is damaged."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from tests.loopback import Fault
from tests.wheelmaker import make_wheel
from torchdoctor.core.net import NotFound, Unreachable
from torchdoctor.errors import EnvironmentUnusable, SourceFailed
from torchdoctor.sources import index_cache, index_update
from torchdoctor.sources.index_cache import cache_file, cache_lock, known_index, load_cache
from torchdoctor.sources.index_update import Unanswered, update_index, update_indexes
from wheels_index import LiveSnapshot, Snapshot, bundled

DAY = "2027-01-05"
TAG = "cp312-cp312-manylinux_2_28_x86_64"


@pytest.fixture(autouse=True)
def _loopback_is_official(monkeypatch):
    """The index on loopback stands for PyTorch's own; what is kept of others is in tests/security/."""
    for module in (index_cache, index_update):
        monkeypatch.setattr(module, "vouches", lambda _: True)


@pytest.fixture
def listed(index):
    """A flat index: a new torch, its torchvision with metadata, and an old torchaudio."""
    index.etags = True
    for project, version, requires in (
        ("torch", "2.16.0+cu134", ()),
        ("torchvision", "0.31.0+cu134", ("numpy", "torch==2.16.0")),
        ("torchaudio", "2.11.0+cu134", ()),
    ):
        name, content = make_wheel(project, version, tag=TAG, requires=requires)
        index.add(f"/whl/{project}/", name, content)
    return index


def test_an_update_brings_a_new_release_and_what_goes_with_it(listed, tmp_path):
    """The release, its variant and its torchvision, paired by what the metadata declares."""
    done = update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    assert done.releases == ("2.16.0",)
    assert [(row.torch, row.platform, row.variant) for row in done.variants] == [
        ("2.16.0", "linux_x86_64", "cu134")
    ]
    assert len(done.files) == 3
    assert (done.unchanged, done.refused, done.notes) == (False, (), ())
    release = known_index(tmp_path).release("2.16.0")
    assert release.companions["torchvision"].versions == (Version("0.31.0"),)
    assert {w.seen for w in release.wheels} == {DAY}


def test_a_second_update_asks_whether_anything_changed_and_reads_no_metadata(listed, tmp_path):
    """The ETags come back, the pages do not; what is known stays and its day is today's."""
    update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    listed.seen.clear()
    done = update_index(tmp_path, f"{listed.url}/whl/", today="2027-01-06")
    assert done.unchanged
    assert (done.releases, done.variants, done.files) == ((), (), ())
    assert listed.seen == listed.unchanged == ["/whl/torch/", "/whl/torchvision/", "/whl/torchaudio/"]
    release = known_index(tmp_path).release("2.16.0")
    assert release.as_of == "2027-01-06"
    assert release.companions["torchvision"].versions == (Version("0.31.0"),)


def test_one_changed_page_adds_to_the_unchanged_ones(listed, tmp_path):
    """A new torch file comes in; torchvision's page is not sent again and its wheels stay."""
    update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    name, content = make_wheel("torch", "2.16.0+cpu", tag=TAG)
    listed.add("/whl/torch/", name, content)
    done = update_index(tmp_path, f"{listed.url}/whl", today="2027-01-06")
    assert done.files == (name,)
    assert [row.variant for row in done.variants] == ["cpu"]
    projects = {w.project for w in known_index(tmp_path).release("2.16.0").wheels}
    assert projects == {"torch", "torchvision", "torchaudio"}


def test_another_index_replaces_the_one_before(listed, tmp_path):
    """Of PyTorch's indexes one is stored; another base is asked in full."""
    update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    for page in ("torch", "torchvision", "torchaudio"):
        listed.pages[f"/mirror/{page}/"] = listed.pages[f"/whl/{page}/"]
    done = update_index(tmp_path, f"{listed.url}/mirror", today=DAY)
    assert not done.unchanged
    assert listed.unchanged == []
    assert [stored.base for stored in load_cache(tmp_path)] == [f"{listed.url}/mirror"]


def test_a_known_file_with_another_digest_is_reported_and_not_believed(listed, tmp_path):
    """The known digest stays in what resolve sees."""
    name = "torch-2.4.1+cu124-cp312-cp312-win_amd64.whl"
    listed.add("/whl/torch/", name, b"not that wheel")
    (refused,) = update_index(tmp_path, f"{listed.url}/whl", today=DAY).refused
    known = bundled().release("2.4.1").wheels_named(name, "official")
    assert refused.found == hashlib.sha256(b"not that wheel").hexdigest()
    assert refused.known == known[0].sha256
    assert known_index(tmp_path).release("2.4.1").wheels_named(name, "official") == known


def test_metadata_that_is_not_the_announced_one_is_not_used(listed, tmp_path):
    """The digest in the page must match; without metadata the pairing falls back to the rule, and says so."""
    path = next(path for path in listed.files if "torchvision" in path and path.endswith(".metadata"))
    listed.files[path] = b"Requires-Dist: torch==2.4.1\n"
    done = update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    assert "torchvision 0.31.0 declares of torch is unknown" in done.notes[0]
    row = known_index(tmp_path).release("2.16.0").companions["torchvision"]
    assert row.versions == bundled().release("2.15.0").companions["torchvision"].versions


def test_a_companion_page_that_is_missing_is_a_note(listed, tmp_path):
    """torchaudio is in maintenance: an index without it is still an index."""
    del listed.pages["/whl/torchaudio/"]
    done = update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    assert done.releases == ("2.16.0",)
    assert "torchaudio" in done.notes[0]
    assert update_index(tmp_path, f"{listed.url}/whl", today=DAY).unchanged


def test_an_index_out_of_reach_leaves_what_was_stored(listed, tmp_path):
    """A refused connection, a 500, a missing page, a page of something else: an error, and no byte changes."""
    update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    before = cache_file(tmp_path).read_bytes()
    with pytest.raises(Unreachable):
        update_index(tmp_path, "http://127.0.0.1:9/whl", today=DAY)
    with pytest.raises(NotFound):
        update_index(tmp_path, f"{listed.url}/elsewhere", today=DAY)
    listed.faults["/whl/torch/"] = Fault(status=500)
    with pytest.raises(Unreachable):
        update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    listed.faults["/whl/torch/"] = Fault(body=b"<html>Log in to the hotel's network</html>")
    with pytest.raises(SourceFailed) as caught:
        update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    assert caught.value.code == "not-an-index"
    listed.faults["/whl/torch/"] = Fault(body=b'{"files": 1}')
    with pytest.raises(SourceFailed):
        update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    assert cache_file(tmp_path).read_bytes() == before
    assert sorted(path.name for path in cache_file(tmp_path).parent.iterdir()) == ["live.json", "live.lock"]


def test_without_a_stored_file_the_bundled_snapshot_is_returned(tmp_path):
    """Nothing was updated: exactly the bundled snapshot, not a copy under an empty overlay."""
    assert type(known_index(tmp_path / "nowhere")) is Snapshot


@pytest.mark.parametrize(
    "spoiled",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"schema": 99}',
        b'{"schema": 1, "base": "x", "pages": {}}',
    ],
    ids=["empty", "cut", "list", "deep", "bytes", "schema", "no overlay"],
)
def test_a_damaged_file_is_ignored_with_a_note_and_written_anew(listed, tmp_path, spoiled):
    """Resolve goes on with what is bundled; the next update asks for everything."""
    update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    cache_file(tmp_path).write_bytes(spoiled)
    notes = []
    assert type(known_index(tmp_path, notes.append)) is Snapshot
    assert "torchdoctor index update" in notes[0]
    assert update_index(tmp_path, f"{listed.url}/whl", today=DAY).releases == ("2.16.0",)
    assert isinstance(known_index(tmp_path), LiveSnapshot)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.text(max_size=50).map(lambda text: json.dumps({"schema": 1, "base": text}).encode())
)
def test_any_bytes_in_the_stored_file_are_survived(tmp_path, content):
    """Whatever lies there, there is an index to choose from."""
    cache_file(tmp_path).parent.mkdir(parents=True, exist_ok=True)
    cache_file(tmp_path).write_bytes(content)
    assert known_index(tmp_path).versions() == bundled().versions()


def test_hostile_validators_are_not_sent(listed, tmp_path):
    """A line break in a stored ETag would split the request's header; it is dropped."""
    update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    data = json.loads(cache_file(tmp_path).read_text())
    (index,) = data["indexes"]
    index["pages"] = {url: ["a\r\nX-Evil: 1", "\u4f60"] for url in index["pages"]}
    cache_file(tmp_path).write_text(json.dumps(data))
    (stored,) = load_cache(tmp_path)
    assert set(stored.pages.values()) == {(None, None)}
    assert not update_index(tmp_path, f"{listed.url}/whl", today=DAY).unchanged


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that refuses its owner")
def test_a_data_folder_that_cannot_be_written_is_named(listed, tmp_path):
    """The error names the folder and the variable that moves it."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(EnvironmentUnusable, match="cannot be written"):
            update_index(tmp_path, f"{listed.url}/whl", today=DAY)
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_place_of_the_data_folder_is_named(listed, tmp_path):
    """The same where the path is a file."""
    (tmp_path / "data").write_text("")
    with pytest.raises(EnvironmentUnusable) as caught:
        update_index(tmp_path / "data", f"{listed.url}/whl", today=DAY)
    assert "TORCHDOCTOR_DATA_DIR" in caught.value.fix


def _hold(folder, held, let_go):
    with cache_lock(folder):
        held.set()
        let_go.wait(60)


def test_two_updates_do_not_write_at_once(tmp_path):
    """While another process updates, this one waits, then says so."""
    context = multiprocessing.get_context("spawn")
    held, let_go = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, held, let_go))
    other.start()
    try:
        assert held.wait(60)
        with pytest.raises(SourceFailed) as caught, cache_lock(tmp_path, seconds=0.1):
            pass
        assert caught.value.code == "busy"
    finally:
        let_go.set()
        other.join()
    with cache_lock(tmp_path, seconds=5):
        pass


@pytest.fixture
def pypi(index):
    """PyPI on loopback, whose pages name no metadata: a torchaudio that came out alone, and files known of old."""
    for project, version, tag, requires in (
        ("torch", "2.15.0", TAG, ()),
        ("torchvision", "0.29.2", "py3-none-manylinux_2_28_x86_64", ("torch>=2.14",)),
        ("torchaudio", "2.99.0", "py3-none-manylinux_2_28_x86_64", ("numpy", "torch>=2.14.0")),
    ):
        name, content = make_wheel(project, version, tag=tag, requires=requires)
        known = next((w for w in bundled().release("2.15.0").wheels_named(name, "pypi")), None)
        index.add(
            f"/simple/{project}/", name, content, digest=known.sha256 if known else "right", sidecar=False
        )
    return index


def test_a_companion_on_pypi_alone_goes_with_every_torch_that_it_declares(pypi, tmp_path):
    """Its own metadata is read by ranges, as none stands beside it; the official index is not said to have it."""
    done = update_index(tmp_path, f"{pypi.url}/simple", today=DAY)
    assert [(new.project, new.version, new.torch) for new in done.companions] == [
        ("torchaudio", "2.99.0", "torch>=2.14.0")
    ]
    assert (done.releases, done.variants, done.refused, done.notes) == ((), (), (), ())
    snapshot = known_index(tmp_path)
    for torch, goes in (("2.13.0", False), ("2.14.1", True), ("2.15.0", True)):
        companion = snapshot.release(torch).companions["torchaudio"]
        assert (Version("2.99.0") in companion.versions) is goes, torch
    assert "2.99.0" in snapshot.release("2.15.0").companions["torchaudio"].pypi_only


def test_files_of_pypi_are_not_held_against_those_of_the_official_index(pypi, tmp_path):
    """Both have a macOS wheel of one name with other bytes; nothing is refused, and both digests stay."""
    release = bundled().release("2.10.0")
    name = "torch-2.10.0-cp312-none-macosx_11_0_arm64.whl"
    (known,), (official,) = release.wheels_named(name, "pypi"), release.wheels_named(name, "official")
    assert known.sha256 != official.sha256
    pypi.add("/simple/torch/", name, b"bytes", digest=known.sha256)
    assert update_index(tmp_path, f"{pypi.url}/simple", today=DAY).refused == ()
    assert known_index(tmp_path).release("2.10.0").wheels_named(name, "official") == (official,)


def test_a_torch_that_only_pypi_has_is_named(pypi, tmp_path):
    """No file of it names a variant, so it cannot be chosen; it is not passed over in silence either."""
    name, content = make_wheel("torch", "2.99.0", tag=TAG)
    pypi.add("/simple/torch/", name, content, sidecar=False)
    done = update_index(tmp_path, f"{pypi.url}/simple", today=DAY)
    assert done.releases == ()
    assert any("torch 2.99.0" in note for note in done.notes)


def test_one_index_that_cannot_be_read_does_not_stop_the_others(listed, pypi, tmp_path):
    """Each index has its own answer, and what both listed is known."""
    nowhere = "http://127.0.0.1:9/whl"
    failed, done = update_indexes(tmp_path, (nowhere, f"{pypi.url}/simple"), today=DAY)
    assert isinstance(failed, Unanswered)
    assert done.companions
    update_indexes(tmp_path, (f"{listed.url}/whl",), today=DAY)
    snapshot = known_index(tmp_path)
    assert snapshot.versions()[0] == Version("2.16.0")
    assert Version("2.99.0") in snapshot.release("2.15.0").companions["torchaudio"].versions
    with pytest.raises(Unreachable):
        update_indexes(tmp_path, (nowhere,), today=DAY)
