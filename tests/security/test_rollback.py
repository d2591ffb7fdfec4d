"""What was known stays known: an index that plays an older page back, a clock that is set back, facts that changed."""

from __future__ import annotations

import shutil

import pytest
from packaging.version import Version

from tests.detect.recorded_system import paper_python
from tests.wheelmaker import make_wheel
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.model import FetchedWheel, Wheelhouse
from torchdoctor.install.model import InstallContext
from torchdoctor.install.record import read_record, record_install
from torchdoctor.install.vouchers import voucher_of
from torchdoctor.lock import LockedWheel
from torchdoctor.resolve import Plan
from torchdoctor.sources import index_cache, index_update
from torchdoctor.sources.index_cache import cache_file, known_index, load_cache
from torchdoctor.sources.index_update import Unanswered, update_index, update_indexes
from wheels_index import Snapshot, bundled

DAY, LATER = "2027-01-05", "2027-02-01"
TAG = "cp312-cp312-manylinux_2_28_x86_64"


@pytest.fixture(autouse=True)
def _loopback_is_official(monkeypatch):
    for module in (index_cache, index_update):
        monkeypatch.setattr(module, "vouches", lambda _: True)


@pytest.fixture
def base(index, tmp_path):
    """An index that was read when it had torch 2.17.0; now it lists 2.16.0 alone, as it did before that."""
    listed(index, "2.16.0", "2.17.0")
    update_index(tmp_path, f"{index.url}/whl", today=DAY)
    listed(index, "2.16.0")
    return f"{index.url}/whl"


def listed(index, *versions):
    index.pages.clear()
    for version in versions:
        index.add("/whl/torch/", *make_wheel("torch", f"{version}+cu134", tag=TAG))


def test_an_older_list_does_not_replace_a_newer_one(base, tmp_path):
    """It is said, what was stored is unchanged, and the newer release is known still."""
    before = cache_file(tmp_path).read_bytes()
    with pytest.raises(SourceFailed) as refused:
        update_index(tmp_path, base, today=LATER)
    assert refused.value.code == "older-list"
    assert "2.17.0" in refused.value.message
    assert cache_file(tmp_path).read_bytes() == before
    assert Version("2.17.0") in known_index(tmp_path).versions()


def test_an_older_list_of_one_index_does_not_stop_another(base, index, tmp_path):
    """It is listed as one that gave no answer."""
    index.add("/other/torch/", *make_wheel("torch", "2.16.0+cu134", tag=TAG))
    done = update_indexes(tmp_path, (base, f"{index.url}/other"), today=LATER)
    assert isinstance(done[0], Unanswered)


def test_a_release_that_was_taken_back_is_forgotten_on_request(base, tmp_path):
    """`--accept-older`."""
    update_index(tmp_path, base, today=LATER, accept_older=True)
    assert Version("2.17.0") not in known_index(tmp_path).versions()


def test_a_clock_that_was_set_back_makes_no_list_older(index, tmp_path):
    """The later of both dates is kept, and that is said."""
    listed(index, "2.16.0")
    update_index(tmp_path, f"{index.url}/whl", today=LATER)
    listed(index, "2.16.0", "2.17.0")
    done = update_index(tmp_path, f"{index.url}/whl", today=DAY)
    assert [each.overlay.as_of for each in load_cache(tmp_path)] == [LATER]
    assert any(DAY in note and LATER in note for note in done.notes)


def test_the_digest_tells_facts_apart(index, tmp_path):
    """A changed byte, a changed name, and what an index brought."""
    copy = tmp_path / "data"
    shutil.copytree(bundled().folder, copy)
    assert Snapshot(copy).digest == bundled().digest
    gpus = copy / "gpus.json"
    gpus.write_bytes(gpus.read_bytes() + b" ")
    changed = Snapshot(copy).digest
    assert changed != bundled().digest
    gpus.rename(copy / "gpus2.json")
    assert Snapshot(copy).digest not in (changed, bundled().digest)
    listed(index, "2.16.0")
    update_index(tmp_path, f"{index.url}/whl", today=DAY)
    assert known_index(tmp_path).digest != bundled().digest


def fetched(name, filename, url, *, sha256="ab" * 32, first_seen=False):
    wheel = LockedWheel(
        name=name, version="1.0", filename=filename, url=url, sha256=None if first_seen else sha256, size=None
    )
    return FetchedWheel(wheel=wheel, path=None, sha256=sha256, size=1, source="s", first_seen=first_seen)


OFFICIAL = "https://download.pytorch.org/whl/cu130/"
NUMPY = "numpy-1.0-py3-none-any.whl"
NEW_TORCH = "torch-2.99.0+cu134-cp312-cp312-manylinux_2_28_x86_64.whl"


@pytest.mark.parametrize(
    ("name", "filename", "url", "said"),
    [
        ("numpy", NUMPY, "https://files.pythonhosted.org/packages/ab/", "pypi"),
        ("numpy", NUMPY, "https://files.pythonhosted.org.evil.example/packages/", "index"),
        ("numpy", NUMPY, "http://files.pythonhosted.org/packages/", "index"),
        ("numpy", NUMPY, "https://wheels.example.org/simple/numpy/", "index"),
        ("numpy", NUMPY, "file:///srv/wheels/", "folder"),
        ("numpy", NUMPY, OFFICIAL, "official"),
        ("torch", NEW_TORCH, "https://mirror.example.org/pytorch/whl/cu134/", "trust"),
        ("triton", "triton-9.9.0-cp312-cp312-linux_x86_64.whl", "https://files.pythonhosted.org/p/", "pypi"),
    ],
)
def test_who_vouched_is_told_by_the_rule_and_the_place(name, filename, url, said):
    """A host that only looks like PyPI's is the user's index; what transported a file of torch vouches for nothing."""
    assert voucher_of(fetched(name, filename, url + filename), None, bundled(), from_lock=False) == said


def test_what_a_mirror_transports_was_vouched_for_where_a_plan_chose_it():
    """The choice let nothing else in; a file that only a record names was looked at by nobody."""
    plan = Plan(variant="cu134", index_url="", packages=(), reasons=())
    url = f"https://mirror.example.org/pytorch/whl/cu134/{NEW_TORCH}"
    assert voucher_of(fetched("torch", NEW_TORCH, url), plan, bundled(), from_lock=False) == "official"


def test_facts_locks_first_downloads_and_trust_are_told():
    """In this order: the user's own word, nobody's, the facts', the lock's."""
    known = next(wheel for wheel in bundled().release("2.13.0").wheels if wheel.sha256)
    plan = Plan(variant="cu134", index_url="", packages=(), reasons=(), unvouched=(NEW_TORCH,))
    url = "https://mirror.example.org/"
    from_facts = fetched(known.project, known.filename, url + known.filename, sha256=known.sha256)
    assert voucher_of(from_facts, None, bundled(), from_lock=True) == "facts"
    other_bytes = fetched(known.project, known.filename, url + known.filename)
    assert voucher_of(other_bytes, None, bundled(), from_lock=True) == "lock"
    first = fetched("numpy", NUMPY, url, first_seen=True)
    assert voucher_of(first, None, bundled(), from_lock=True) == "first-download"
    assert voucher_of(fetched("torch", NEW_TORCH, url), plan, bundled(), from_lock=False) == "trust"


def test_the_record_names_the_facts_and_who_vouched(tmp_path):
    """With the digest of what was known then."""
    context = InstallContext(python=paper_python(), run_dir=tmp_path, lock_dir=tmp_path, environ={})
    name, content = make_wheel("numpy", "1.0", tag="py3-none-any")
    (tmp_path / name).write_bytes(content)
    wheel = LockedWheel(
        name="numpy", version="1.0", filename=name, url=f"https://ada:hunter2@files.pythonhosted.org/{name}",
        sha256="ab" * 32, size=None,
    )  # fmt: skip
    got = FetchedWheel(
        wheel=wheel, path=tmp_path / name, sha256="ab" * 32, size=1, source="pypi", first_seen=False
    )
    record_install(tmp_path, tmp_path, Wheelhouse(wheels=(got,)), context)
    record = read_record(tmp_path)
    assert record["facts"] == {"as_of": bundled().as_of, "digest": bundled().digest}
    entry = record["files"][0]
    assert (entry["vouched_by"], entry["sha256"]) == ("pypi", "ab" * 32)
    assert entry["url"] == f"https://files.pythonhosted.org/{name}"
