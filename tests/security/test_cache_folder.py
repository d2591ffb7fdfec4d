"""A cache in which another user put something: nothing of it is followed, taken or removed."""

from __future__ import annotations

import os
import stat

import pytest

from torchdoctor.core.fs import run_directory
from torchdoctor.core.fs.own_files import NotOwn, create_own_file, make_own_folder, open_own_file
from torchdoctor.errors import InstallFailed, SourceFailed
from torchdoctor.fetch.cache import clean_cache
from torchdoctor.fetch.transfer.partial_file import PartialFile
from torchdoctor.install.staging import exclusive_install_lock
from torchdoctor.sources.index_cache import cache_file, load_cache
from torchdoctor.workflows.wheel_build import _own_wheel

pytestmark = pytest.mark.skipif(os.name == "nt", reason="owners and modes are those of POSIX")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="only the administrator makes files of another user",
)
STRANGER = 12345


def _give(path):
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


def test_folders_of_ours_are_closed_to_others(tmp_path):
    """Made for this user alone; one that others could write to is closed, and may still be read."""
    open_one = tmp_path / "cache"
    open_one.mkdir()
    open_one.chmod(0o777)
    make_own_folder(open_one / "wheels" / "partial", below=open_one)
    assert stat.S_IMODE(open_one.stat().st_mode) == 0o755
    assert stat.S_IMODE((open_one / "wheels" / "partial").stat().st_mode) == 0o700


def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "work").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotOwn, match="is a link"):
        make_own_folder(tmp_path / "cache" / "work", below=tmp_path / "cache")


def test_a_cache_may_be_a_link_of_ours(tmp_path):
    """To another disk, as people do."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "cache").symlink_to(tmp_path / "disk")
    make_own_folder(tmp_path / "cache" / "work", below=tmp_path / "cache")
    assert (tmp_path / "disk" / "work").is_dir()


@as_root
@pytest.mark.parametrize("what", ["the cache", "a folder in it", "a link to it"])
def test_a_folder_of_another_user_is_refused(what, tmp_path):
    cache = tmp_path / "cache"
    (cache / "work").mkdir(parents=True)
    if what == "a link to it":
        cache = tmp_path / "link"
        cache.symlink_to(tmp_path / "cache")
    _give(cache / "work" if what == "a folder in it" else cache)
    with pytest.raises(SourceFailed, match=r"another user|is a link") as refused, run_directory(cache):
        pass
    assert "TORCHDOCTOR_CACHE_DIR" in refused.value.fix


def test_a_linked_work_folder_keeps_its_contents(tmp_path):
    """Runs that are no more are removed of our own folder alone."""
    victim = tmp_path / "victim"
    (victim / "run-0123").mkdir(parents=True)
    (victim / "run-0123" / "kept").write_text("x")
    (victim / "run-0123.lock").touch()
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "work").symlink_to(victim)
    with pytest.raises(SourceFailed, match="is a link"), run_directory(cache):
        pass
    assert (victim / "run-0123" / "kept").exists()
    assert (victim / "run-0123.lock").exists()


@pytest.mark.parametrize("name", ["x.part", "x.journal"])
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_what_a_linked_part_leads_to_stays_as_it_is(link, name, tmp_path):
    """A new partial file takes the place of the link, and an old one through a link is not gone on with."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link(victim, tmp_path / name)
    assert PartialFile.resume(tmp_path / "x.part", tmp_path / "x.journal", 4) is None
    part = PartialFile.create(tmp_path / "x.part", tmp_path / "x.journal", 4)
    part.write(0, b"data")
    part.close()
    assert victim.read_text() == "precious"
    assert not (tmp_path / name).is_symlink()


def _planted_part(folder):
    part = PartialFile.create(folder / "x.part", folder / "x.journal", 4)
    part.write(0, b"evil")
    part.close()
    return folder / "x.part", folder / "x.journal"


@as_root
@pytest.mark.parametrize("whose", ["x.part", "x.journal", "nobody's"])
def test_a_part_of_another_user_is_not_taken(whose, tmp_path):
    """Where no hash is known, its segments would become the file."""
    part, journal = _planted_part(tmp_path)
    if whose != "nobody's":
        _give(tmp_path / whose)
    resumed = PartialFile.resume(part, journal, None)
    assert (resumed is None) is (whose != "nobody's")
    if resumed is not None:
        resumed[0].close()


def test_a_file_of_ours_is_new_and_private(tmp_path):
    with create_own_file(tmp_path / "it") as file:
        file.write(b"x")
    assert stat.S_IMODE((tmp_path / "it").stat().st_mode) == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "it")
    with pytest.raises(OSError, match=r"link|symbolic"):
        open_own_file(tmp_path / "link")


def test_cleaning_leaves_what_a_link_leads_to(tmp_path):
    victim = tmp_path / "victim" / ("a" * 64)
    victim.mkdir(parents=True)
    (victim / "x-1-py3-none-any.whl").write_text("x")
    (tmp_path / "victim" / "x.part").write_text("x")
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "aa").symlink_to(tmp_path / "victim")
    (cache / "partial").symlink_to(tmp_path / "victim")
    clean_cache(cache)
    assert (victim / "x-1-py3-none-any.whl").exists()
    assert (tmp_path / "victim" / "x.part").exists()


@as_root
@pytest.mark.parametrize("whose", ["the wheel", "its folder"])
def test_a_built_wheel_of_another_user_is_not_taken(whose, tmp_path):
    """No hash says what it must be."""
    wheel = tmp_path / "built" / "x-1-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    assert _own_wheel(wheel.parent) == wheel
    _give(wheel if whose == "the wheel" else wheel.parent)
    assert _own_wheel(wheel.parent) is None


@as_root
def test_stored_facts_of_another_user_are_not_believed(tmp_path):
    """They have the hashes of files."""
    notes: list[str] = []
    cache_file(tmp_path).parent.mkdir(parents=True, exist_ok=True)
    cache_file(tmp_path).write_text("{}")
    _give(cache_file(tmp_path))
    assert load_cache(tmp_path, notes.append) == ()
    assert "belongs to another user" in notes[0]


def test_locks_lie_in_a_folder_of_ours(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "locks").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises((InstallFailed, OSError), match="is a link"),
        exclusive_install_lock(tmp_path / "env", tmp_path / "cache" / "locks"),
    ):
        pass


@as_root
def test_a_lock_that_is_a_link_does_not_empty_its_target(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    with exclusive_install_lock(tmp_path / "env", tmp_path / "cache" / "locks"):
        name = next((tmp_path / "cache" / "locks").iterdir()).name
    (tmp_path / "cache" / "locks" / name).unlink(missing_ok=True)
    (tmp_path / "cache" / "locks" / name).symlink_to(victim)
    with pytest.raises(OSError), exclusive_install_lock(tmp_path / "env", tmp_path / "cache" / "locks"):  # noqa: PT011
        pass
    assert victim.read_text() == "precious"
