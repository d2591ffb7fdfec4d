"""A virtual environment that was moved or copied: what names its former folder is rewritten, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import os

import pytest

from torchdoctor.errors import InstallFailed
from torchdoctor.install.relocate import (
    apply_relocation,
    former_folders,
    plan_relocation,
    undo_relocation,
)

OLD = "/home/ada/old env"


@pytest.fixture
def moved(tmp_path):
    """An environment whose files name the folder in which it was made, and its site-packages."""
    folder = tmp_path / "env"
    site = folder / "lib/python3.11/site-packages"
    kernel = folder / "share/jupyter/kernels/here"
    for path in (folder / "bin", site / "torch-2.9.1.dist-info", kernel):
        path.mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\ncommand = /usr/bin/python3 -m venv {OLD}\n")
    launcher = f"#!{OLD}/bin/python3 -E\nprint('{OLD} stays in code')\n"
    (folder / "bin/torchrun").write_text(launcher)
    (folder / "bin/torchrun").chmod(0o755)
    (folder / "bin/f2py").write_text(
        f"#!/bin/sh\n'''exec' \"{OLD}/bin/python3\" \"$0\" \"$@\"\n' '''\nimport re\n"
    )
    (folder / "bin/activate").write_text(f'VIRTUAL_ENV="{OLD}"\nexport VIRTUAL_ENV\n')
    (folder / "bin/data").write_bytes(b"\xff" + OLD.encode())
    (folder / "bin/python").symlink_to(f"{OLD}/bin/python3")
    (site / "mine.pth").write_text(f"{OLD}/src\n{OLD}er/src\n")
    (kernel / "kernel.json").write_text(f'{{"argv": ["{OLD}/bin/python", "-m", "ipykernel_launcher"]}}')
    (site / "torch-2.9.1.dist-info/RECORD").write_text(
        f"../../../bin/torchrun,sha256=x,{len(launcher)}\ntorch/__init__.py,sha256=y,1\n"
    )
    return folder, site


def test_every_file_that_names_the_former_folder_names_this_one(moved):
    """Launchers, also those that start through a shell, activate scripts, .pth files, kernel specs and links."""
    folder, site = moved
    apply_relocation(plan_relocation(folder, [site]))
    assert (folder / "bin/torchrun").read_text().startswith(f"#!{folder}/bin/python3 -E\n")
    assert (folder / "bin/f2py").read_text().split("\n")[0] == f"#!{folder}/bin/python3"
    assert f'VIRTUAL_ENV="{folder}"' in (folder / "bin/activate").read_text()
    assert (site / "mine.pth").read_text().split("\n")[0] == f"{folder}/src"
    assert f'["{folder}/bin/python"' in (folder / "share/jupyter/kernels/here/kernel.json").read_text()
    assert str((folder / "bin/python").readlink()) == f"{folder}/bin/python3"
    assert f"-m venv {folder}\n" in (folder / "pyvenv.cfg").read_text()
    assert former_folders(folder) == ()


def test_code_other_folders_and_files_that_are_no_text_stay(moved):
    """And what may be run before may be run after."""
    folder, site = moved
    apply_relocation(plan_relocation(folder, [site]))
    assert f"print('{OLD} stays in code')" in (folder / "bin/torchrun").read_text()
    assert (folder / "bin/torchrun").stat().st_mode & 0o777 == 0o755
    assert f"{OLD}er/src" in (site / "mine.pth").read_text()
    assert (folder / "bin/data").read_bytes() == b"\xff" + OLD.encode()
    assert "home = /usr/bin\n" in (folder / "pyvenv.cfg").read_text()


def test_the_list_of_files_has_the_new_hashes(moved):
    """Else the package would count as damaged."""
    folder, site = moved
    apply_relocation(plan_relocation(folder, [site]))
    content = (folder / "bin/torchrun").read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    first, second, _ = (site / "torch-2.9.1.dist-info/RECORD").read_text().split("\n")
    assert first == f"../../../bin/torchrun,sha256={digest},{len(content)}"
    assert second == "torch/__init__.py,sha256=y,1"


def test_hard_links_of_the_files_keep_their_content(moved, tmp_path):
    """The environment that was copied from, and uv's cache."""
    folder, site = moved
    before = (folder / "bin/torchrun").read_bytes()
    os.link(folder / "bin/torchrun", tmp_path / "other")
    apply_relocation(plan_relocation(folder, [site]))
    assert (tmp_path / "other").read_bytes() == before


def test_everything_can_be_put_back(moved):
    """As the check that follows may fail."""
    folder, site = moved
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    undo_relocation(apply_relocation(plan_relocation(folder, [site])))
    assert {path: path.read_bytes() for path in before} == before
    assert str((folder / "bin/python").readlink()) == f"{OLD}/bin/python3"


def test_the_systems_python_is_no_former_folder(moved):
    """A launcher may run /usr/bin/python3 on purpose."""
    folder, _ = moved
    for name in ("torchrun", "f2py", "activate"):
        (folder / "bin" / name).unlink()
    (folder / "bin/tool").write_text("#!/usr/bin/python3\n")
    assert former_folders(folder) == ()


def test_a_path_that_shells_would_read_is_refused(moved, tmp_path):
    """It would run as a command when the environment is activated."""
    folder, _ = moved
    hostile = folder.rename(tmp_path / "$(touch x)")
    with pytest.raises(InstallFailed, match="its path has a sign"):
        plan_relocation(hostile, [])


def test_a_long_path_is_started_through_a_shell(moved, tmp_path):
    """Older kernels cut the first line of a script."""
    folder, _ = moved
    (tmp_path / ("d" * 150)).mkdir()
    long = folder.rename(tmp_path / ("d" * 150) / "env")
    apply_relocation(plan_relocation(long, list(long.glob("lib/*/site-packages"))))
    assert (long / "bin/torchrun").read_text().startswith(f"#!/bin/sh\n'''exec' \"{long}/bin/python3\"")


def test_the_hold_of_a_copy_is_its_own(moved, tmp_path):
    """pip.conf is a link: that of a copy must not lead to the settings of the original, which are still there."""
    folder, site = moved
    (folder / "torchdoctor-hold-pip.conf").write_text(
        f"[install]\nconstraint = file://{OLD}/torchdoctor-hold.txt\n"
    )
    (folder / "pip.conf").symlink_to(f"{OLD}/torchdoctor-hold-pip.conf")
    apply_relocation(plan_relocation(folder, [site]))
    assert (folder / "pip.conf").readlink() == folder / "torchdoctor-hold-pip.conf"
    assert f"file://{folder}/torchdoctor-hold.txt" in (folder / "pip.conf").read_text()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give files away")
def test_what_root_rewrites_stays_its_owners(moved):
    """The owner of an environment can still read and change it."""
    folder, site = moved
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 1000, 1000, follow_symlinks=False)
    apply_relocation(plan_relocation(folder, [site]))
    assert {path.lstat().st_uid for path in (folder, *folder.rglob("*"))} == {1000}
