"""An environment that cannot be replaced is changed where it is, and can be changed back."""

from __future__ import annotations

import json

import pytest

from tests.wheelmaker import make_wheel
from torchdoctor.errors import InstallFailed
from torchdoctor.fetch import FetchedWheel, Wheelhouse
from torchdoctor.install import in_place
from torchdoctor.lock import LockedWheel


@pytest.fixture
def folder(tmp_path):
    """An environment with package 1.0, of which one file is a command."""
    site = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    (site / "package").mkdir(parents=True)
    (site / "package" / "old.py").write_text("old\n")
    (site / "package-1.0.dist-info").mkdir()
    (site / "package-1.0.dist-info" / "RECORD").write_text(
        "package/old.py,,\npackage-1.0.dist-info/RECORD,,\n"
    )
    return tmp_path / "env"


@pytest.fixture
def site(folder):
    return folder / "lib" / "python3.11" / "site-packages"


@pytest.fixture
def wheelhouse(tmp_path):
    """Package 2.0, which has another module."""
    filename, content = make_wheel("package", "2.0", tag="py3-none-any", modules={"package/new.py": "new\n"})
    (tmp_path / filename).write_bytes(content)
    wheel = LockedWheel(name="package", version="2.0", filename=filename, url="", size=None, sha256=None)
    fetched = FetchedWheel(
        wheel=wheel, path=tmp_path / filename, sha256="", size=len(content), source="", first_seen=True
    )
    return Wheelhouse(wheels=(fetched,))


def change(site):
    """Replace package 1.0 by 2.0."""
    (site / "package" / "old.py").unlink()
    (site / "package-1.0.dist-info" / "RECORD").unlink()
    (site / "package" / "new.py").write_text("new\n")


def test_a_change_is_undone_to_the_byte(folder, site, wheelhouse):
    """Replaced files come back, new ones go, and nothing is left of the undo folder."""
    in_place.begin_change(folder, [site], wheelhouse)
    change(site)
    assert in_place.undo_change(folder)
    assert (site / "package" / "old.py").read_text() == "old\n"
    assert not (site / "package" / "new.py").exists()
    assert not (folder / in_place.UNDO_FOLDER).exists()


def test_a_change_that_is_complete_is_not_undone(folder, site, wheelhouse):
    """After the end there is nothing to undo."""
    in_place.begin_change(folder, [site], wheelhouse)
    change(site)
    in_place.end_change(folder)
    assert not in_place.undo_change(folder)
    assert (site / "package" / "new.py").exists()


def test_the_package_folder_of_a_python_that_was_upgraded_is_left_alone(folder, site, wheelhouse):
    """conda leaves the old one with what pip has put there; the interpreter names its own."""
    stale = folder / "lib" / "python3.10" / "site-packages" / "package"
    stale.mkdir(parents=True)
    (stale / "old.py").write_text("stale\n")
    in_place.begin_change(folder, [site], wheelhouse)
    change(site)
    assert in_place.undo_change(folder)
    assert (stale / "old.py").read_text() == "stale\n"


def test_an_environment_without_a_package_folder_of_its_own_is_refused(folder, wheelhouse):
    """There is nothing that could be kept, so nothing is changed."""
    with pytest.raises(InstallFailed, match="keeps its packages elsewhere"):
        in_place.begin_change(folder, [], wheelhouse)
    assert not (folder / in_place.UNDO_FOLDER).exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"schema": 1}',
        '{"old": [], "fresh": null}',
        '{"old": [1], "fresh": []}',
        "\xff",
        "[" * 99999,
    ],
    ids=["empty", "cut", "list", "no names", "null", "number", "not UTF-8", "deep"],
)
def test_a_broken_journal_loses_nothing(folder, site, wheelhouse, text):
    """It says which files are kept and what to do with them; the files stay where they are."""
    in_place.begin_change(folder, [site], wheelhouse)
    change(site)
    undo = folder / in_place.UNDO_FOLDER
    (undo / "journal.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InstallFailed, match="is damaged") as caught:
        in_place.undo_change(folder)
    assert caught.value.code == "bad-journal"
    assert str(undo / "files") in caught.value.fix
    kept = undo / "files" / (site / "package" / "old.py").relative_to(folder)
    assert kept.read_text() == "old\n"


def test_a_change_that_was_interrupted_before_its_journal_has_changed_nothing(folder, site):
    """What was kept so far goes."""
    (folder / in_place.UNDO_FOLDER / "files").mkdir(parents=True)
    assert not in_place.undo_change(folder)
    assert not (folder / in_place.UNDO_FOLDER).exists()
    assert (site / "package" / "old.py").exists()


def test_undoing_can_be_interrupted_and_done_again(folder, site, wheelhouse):
    """The second time finds the same state."""
    in_place.begin_change(folder, [site], wheelhouse)
    change(site)
    journal = (folder / in_place.UNDO_FOLDER / "journal.json").read_text()
    kept = folder / in_place.UNDO_FOLDER / "files"
    old = json.loads(journal)["old"][-1]
    (folder / old).parent.mkdir(parents=True, exist_ok=True)
    (folder / old).write_bytes((kept / old).read_bytes())
    assert in_place.undo_change(folder)
    assert (site / "package" / "old.py").read_text() == "old\n"


def test_other_files_and_removed_packages_come_back(folder, site, wheelhouse):
    """A pip.conf that was changed, a file that was made, and a package that was taken out."""
    (folder / "pip.conf").write_text("[global]\n")
    other = site / "other-1.0.dist-info"
    other.mkdir()
    (other / "RECORD").write_text("other-1.0.dist-info/RECORD,,\n")
    in_place.begin_change(folder, [site], wheelhouse, ("pip.conf", "made.txt"), removed={"other"})
    (folder / "pip.conf").unlink()
    (folder / "made.txt").write_text("new\n")
    (other / "RECORD").unlink()
    other.rmdir()
    assert in_place.undo_change(folder)
    assert (folder / "pip.conf").read_text() == "[global]\n"
    assert not (folder / "made.txt").exists()
    assert (other / "RECORD").is_file()
