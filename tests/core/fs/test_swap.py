"""Two folders change places in one step."""

from __future__ import annotations

import pytest

from torchdoctor.core.fs import swap_directories


def test_two_folders_change_places_in_one_step(tmp_path):
    """Where the system can; both names are there all the time."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "of-a").touch()
    if not swap_directories(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot exchange two folders")
    assert (tmp_path / "b" / "of-a").exists()
    with pytest.raises(FileNotFoundError):
        swap_directories(tmp_path / "a", tmp_path / "nowhere")
