"""Whatever an interpreter runs at its start is looked at before it runs: who else could have put it there."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import pytest

from torchdoctor.core.fs.ownership import foreign_reason
from torchdoctor.core.system import environment_trust
from torchdoctor.core.system.environment_trust import foreign_environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="owners and modes are those of POSIX")
STRANGER = 12345
SITE = "env/lib/python3.11/site-packages"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An environment and the Python that it was made with, which nobody else can change."""
    monkeypatch.setattr(environment_trust, "_trusted", set())
    for folder in (SITE, "env/bin", "base/bin", "base/lib/python3.11/encodings"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("env/bin/python", "base/bin/python3.11", "base/lib/python3.11/site.py"):
        (tmp_path / file).touch()
    (tmp_path / "env/pyvenv.cfg").write_text(f"home = {tmp_path}/base/bin\n")
    return tmp_path


def _reason(home):
    return foreign_environment(home / "env/bin/python")


def test_an_environment_of_the_users_own_may_run(home):
    """With all that an installation usually has."""
    (home / SITE / "torch").mkdir()
    (home / SITE / "editable.pth").write_text(f"{home}/project/src\nimport site\n")
    (home / "project/src").mkdir(parents=True)
    assert _reason(home) is None


@pytest.mark.parametrize(
    "place",
    [
        f"{SITE}/sitecustomize.py",
        f"{SITE}/sitecustomize.pyc",
        f"{SITE}/usercustomize.cpython-311-x86_64-linux-gnu.so",
        f"{SITE}/sitecustomize/__init__.py",
        f"{SITE}/__pycache__/sitecustomize.cpython-311.pyc",
        f"{SITE}/any.pth",
        f"{SITE}/torch/",
        "base/lib/python3.11/site.py",
        "base/lib/python3.11/encodings/",
        "base/lib/python3.11/sitecustomize.py",
        "base/lib/python3.11/__pycache__/",
        "base/lib/",
        "env/lib/pypy3.10/site-packages/sitecustomize.py",
    ],
)
def test_what_another_user_could_put_there_keeps_it_from_running(home, place):
    """Files, folders, bytecode, compiled modules; in the environment, and in the Python behind it."""
    path = home / place
    if place.endswith("/"):
        path.mkdir(exist_ok=True, parents=True)
    else:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.touch()
    path.chmod(0o777)
    assert _reason(home) == f"everybody can write to {path}"


def test_a_folder_that_a_pth_file_adds_counts(home):
    """Its `sitecustomize` would run, and it may lie anywhere."""
    shared = home / "shared"
    shared.mkdir()
    (home / SITE / "editable.pth").write_text(f"# remark\n{shared}\n")
    assert _reason(home) is None
    shared.chmod(0o777)
    assert _reason(home) == f"everybody can write to {shared}"


def test_the_packages_of_the_base_count_where_the_environment_sees_them(home):
    """`python -m venv --system-site-packages`."""
    packages = home / "base/lib/python3.11/site-packages"
    packages.mkdir()
    packages.chmod(0o777)
    assert _reason(home) is None
    with (home / "env/pyvenv.cfg").open("a") as file:
        file.write("include-system-site-packages = true\n")
    assert _reason(home) == f"everybody can write to {packages}"


def _grant(path: Path, *entries: tuple[int, int, int]) -> None:
    """Set an access list: tag, rights and id of each entry."""
    content = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(path, "system.posix_acl_access", content)
    except OSError as error:
        pytest.skip(f"no access lists here: {error}")


NOBODY = 0xFFFFFFFF


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="access lists are read as Linux stores them")
@pytest.mark.parametrize(
    ("tag", "mask", "foreign"), [(0x02, 7, True), (0x08, 7, True), (0x02, 5, False), (0x08, 5, False)]
)
def test_an_access_list_that_lets_others_write_counts(tmp_path, tag, mask, foreign):
    """A user or a group that is named in it, as far as its mask lets them; the mode shows only the mask."""
    entries = [(0x01, 7, NOBODY), (0x04, 5, NOBODY), (0x10, mask, NOBODY), (0x20, 5, NOBODY)]
    _grant(tmp_path, *sorted([*entries, (tag, 7, STRANGER)]))
    assert (foreign_reason([tmp_path]) is not None) is foreign
