"""The staging directory of an environment: its name, its lock, its leftovers, and the rename."""

from __future__ import annotations

import pytest
from filelock import Timeout

from torchdoctor.core.fs import hold_folder_lock
from torchdoctor.errors import InstallFailed
from torchdoctor.install.staging import (
    check_space,
    exclusive_install_lock,
    move_into_place,
    os_errors_as_install_failed,
    recover_environment,
    staging_path,
)


def test_no_two_folders_share_a_staging_path(tmp_path):
    """`venv` and `.venv` may lie in the same parent."""
    assert staging_path(tmp_path / "venv", "new") != staging_path(tmp_path / ".venv", "new")


def test_a_long_name_gives_a_staging_path_that_the_file_system_takes(tmp_path):
    """Names are counted in bytes."""
    staging_path(tmp_path / ("环" * 80), "new-1234567").mkdir()


def test_a_second_install_into_one_folder_is_refused_at_once(tmp_path):
    """It does not wait."""
    with exclusive_install_lock(tmp_path / "env", tmp_path / "locks"):
        with (
            pytest.raises(InstallFailed) as caught,
            exclusive_install_lock(tmp_path / "env", tmp_path / "locks"),
        ):
            pass
        assert caught.value.code == "busy"


def test_a_lock_that_cannot_be_had_inside_is_not_taken_for_the_install_lock(tmp_path):
    """Whatever is locked inside, no other install is the reason."""
    with pytest.raises(Timeout), exclusive_install_lock(tmp_path / "env", tmp_path / "locks"):
        raise Timeout("another file")
    with exclusive_install_lock(tmp_path / "env", tmp_path / "locks"):
        pass


def test_an_old_environment_comes_back_if_the_new_one_is_not_there(tmp_path):
    """A run was killed between the two renames."""
    folder = tmp_path / "env"
    staging_path(folder, "old").mkdir()
    (staging_path(folder, "old") / "pyvenv.cfg").touch()
    staging_path(folder, "new-1").mkdir()
    recover_environment(folder, tmp_path / "locks")
    assert (folder / "pyvenv.cfg").exists()
    assert not staging_path(folder, "new-1").exists()


def test_an_environment_that_another_run_builds_is_not_cleared(tmp_path):
    """Its lock may lie in another cache."""
    folder = tmp_path / "env"
    stage = staging_path(folder, "new-1")
    stage.mkdir()
    with hold_folder_lock(stage), pytest.raises(InstallFailed) as caught:
        recover_environment(folder, tmp_path / "locks")
    assert caught.value.code == "busy"
    assert stage.exists()


@pytest.mark.parametrize("kind", ["new", "empty", "venv"])
def test_an_environment_takes_the_place_of_what_was_there(tmp_path, kind):
    """Nothing of what was there stays."""
    folder, stage = tmp_path / "env", tmp_path / "stage"
    stage.mkdir()
    (stage / "new").touch()
    if kind != "new":
        folder.mkdir()
    if kind == "venv":
        (folder / "old").touch()
    move_into_place(stage, folder, kind)
    assert [path.name for path in folder.iterdir()] == ["new"]


def test_what_the_system_refuses_is_an_error_of_ours(tmp_path):
    """It names the file."""
    with pytest.raises(InstallFailed, match="missing"), os_errors_as_install_failed(tmp_path):
        (tmp_path / "missing").read_text()


def test_folders_too_deep_to_be_copied_are_an_error_of_ours(tmp_path):
    """No wheel has such, and still they may be there."""
    with pytest.raises(InstallFailed, match="too deep"), os_errors_as_install_failed(tmp_path):
        raise RecursionError


def test_too_little_space_is_refused(tmp_path):
    """Before anything is unpacked."""
    check_space(0, tmp_path)
    with pytest.raises(InstallFailed) as caught:
        check_space(1 << 60, tmp_path)
    assert caught.value.code == "no-space"
