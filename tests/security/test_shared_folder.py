"""A wheel in a folder that others can write to is copied before it is checked: nobody exchanges it afterwards."""

from __future__ import annotations

import os
import sys

import pytest

from tests.fetch.conftest import NAME, WHEEL, fetcher, server
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.local_wheel import others_may_change

__all__ = ["fetcher", "server"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")


@pytest.fixture
def folder(tmp_path):
    """A folder of our own with the wheel; pytest's own folders are for us alone."""
    made = tmp_path / "wheels"
    made.mkdir(mode=0o755)
    (made / NAME).write_bytes(WHEEL)
    (made / NAME).chmod(0o644)
    return made


def test_a_wheel_in_a_folder_of_ones_own_is_used_where_it_is(fetcher, folder):
    """Gigabytes are not copied without need."""
    found = fetcher(fetcher.locked(url=(folder / NAME).as_uri()))
    assert found.path == folder / NAME


@pytest.mark.parametrize("who", ["all", "group", "file"])
def test_a_wheel_that_others_can_exchange_is_copied_first(fetcher, folder, who):
    """What is installed is the copy, of which the hash was taken."""
    if who == "file":
        (folder / NAME).chmod(0o666)
    elif who == "all":
        folder.chmod(0o777)
    elif os.geteuid() == 0:
        os.chown(folder, 0, 12345)
        folder.chmod(0o775)
    else:
        pytest.skip("only root can give a folder to a group that it is not in")
    found = fetcher(fetcher.locked(url=(folder / NAME).as_uri()))
    (folder / NAME).write_bytes(b"exchanged")
    assert found.path.is_relative_to(fetcher.cache)
    assert found.path.read_bytes() == WHEEL
    assert fetcher.left_over() == []


def test_a_copy_that_is_another_file_is_refused_and_removed(fetcher, folder):
    """Nothing of it stays in the cache."""
    folder.chmod(0o777)
    (folder / NAME).write_bytes(WHEEL + b"x")
    with pytest.raises(SourceFailed) as caught:
        fetcher(fetcher.locked(url=(folder / NAME).as_uri()))
    assert caught.value.code == "hash-mismatch"
    assert (fetcher.visible(), fetcher.left_over()) == ([], [])


@pytest.mark.parametrize(("mode", "changes"), [(0o755, False), (0o1777, False), (0o777, True), (0o757, True)])
def test_a_folder_far_above_counts(folder, mode, changes):
    """Whoever can rename it exchanges all below it, but where only owners may, as in /tmp."""
    folder.parent.chmod(mode)
    assert others_may_change(folder / NAME) is changes
    folder.parent.chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_user_may_change(folder):
    """Whatever its rights are: its owner can change them."""
    os.chown(folder / NAME, 12345, 12345)
    assert others_may_change(folder / NAME)


@pytest.mark.skipif(os.name == "nt", reason="owners and modes are those of POSIX")
def test_a_link_in_a_folder_that_others_may_change_counts(tmp_path):
    """They can let it lead elsewhere."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / NAME).touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "link").symlink_to(tmp_path / "own")
    assert not others_may_change(tmp_path / "open" / "link" / NAME)
    (tmp_path / "open").chmod(0o777)
    assert others_may_change(tmp_path / "open" / "link" / NAME)
