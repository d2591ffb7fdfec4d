"""Writing a bundle: its folder, its lock, and what it holds."""

from __future__ import annotations

import hashlib

import pytest

from tests.wheelmaker import make_wheel
from torchdoctor.bundle import write_bundle
from torchdoctor.bundle.folder import check_bundle_folder
from torchdoctor.core.fs import hold_folder_lock
from torchdoctor.detect import machine_from_options
from torchdoctor.errors import SourceFailed, UsageError
from torchdoctor.fetch import FetchedWheel, Wheelhouse
from torchdoctor.lock import Lock, LockedWheel


@pytest.fixture
def wheelhouse(tmp_path):
    filename, content = make_wheel("package", "1.0", tag="py3-none-any")
    (tmp_path / filename).write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    wheel = LockedWheel(
        name="package", version="1.0", filename=filename, url="https://a/", sha256=sha256, size=len(content)
    )
    fetched = FetchedWheel(
        wheel=wheel, path=tmp_path / filename, sha256=sha256, size=len(content), source="a", first_seen=False
    )
    return Wheelhouse(wheels=(fetched,))


@pytest.fixture
def lock(wheelhouse):
    return Lock(wheels=tuple(fetched.wheel for fetched in wheelhouse.wheels))


@pytest.fixture
def machine():
    return machine_from_options(
        platform="manylinux_2_28_x86_64", python_version="3.12", driver=None, gpus=[], libc=None
    )


def checksums(folder):
    """Return the names and digests of SHA256SUMS."""
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def test_every_file_of_a_bundle_has_its_checksum(tmp_path, lock, wheelhouse, machine):
    """And its size is the sum of all files."""
    bundle = write_bundle(tmp_path / "bundle", lock, wheelhouse, machine)
    digests = checksums(bundle.folder)
    assert {*digests, "SHA256SUMS"} == {path.name for path in bundle.folder.iterdir()} == set(bundle.files)
    for name, digest in digests.items():
        assert hashlib.sha256((bundle.folder / name).read_bytes()).hexdigest() == digest
    assert bundle.size == sum(path.stat().st_size for path in bundle.folder.iterdir())


def test_a_wheel_that_is_there_and_right_stays(tmp_path, lock, wheelhouse, machine):
    """A wrong one is replaced, and one that is not needed any more goes."""
    bundle = write_bundle(tmp_path / "bundle", lock, wheelhouse, machine)
    wheel = bundle.folder / wheelhouse.wheels[0].wheel.filename
    before = wheel.stat().st_mtime_ns
    (bundle.folder / "old-1-py3-none-any.whl").touch()
    write_bundle(bundle.folder, lock, wheelhouse, machine)
    assert wheel.stat().st_mtime_ns == before
    assert not (bundle.folder / "old-1-py3-none-any.whl").exists()
    wheel.unlink()
    wheel.write_bytes(b"wrong")
    write_bundle(bundle.folder, lock, wheelhouse, machine)
    assert wheel.read_bytes() == wheelhouse.wheels[0].path.read_bytes()


def test_a_folder_that_another_run_writes_into_is_left_alone(tmp_path, lock, wheelhouse, machine):
    """Even if that run has begun just now."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    with hold_folder_lock(folder), pytest.raises(SourceFailed) as caught:
        write_bundle(folder, lock, wheelhouse, machine)
    assert caught.value.code == "busy"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "names", [("thesis.txt",), ("bundle.json", "thesis.txt"), ("torch-1-py3-none-any.whl",)]
)
def test_a_folder_with_something_else_is_refused(tmp_path, names):
    """Nothing of the user's is touched."""
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(UsageError) as caught:
        check_bundle_folder(tmp_path)
    assert caught.value.code == "not-a-bundle"


@pytest.mark.parametrize(
    "names", [(), ("bundle.json",), (".bundle.json.0123456789ab.part",), ("bundle.json", "a.whl", "b.part")]
)
def test_an_empty_folder_and_an_unfinished_bundle_are_used(tmp_path, names):
    """An interrupted run is continued."""
    for name in names:
        (tmp_path / name).touch()
    check_bundle_folder(tmp_path)
