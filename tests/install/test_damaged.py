"""An environment whose files are not as they were installed: installing the same again mends it."""

from __future__ import annotations

import pytest


@pytest.fixture
def install(torchdoctor, bare, tmp_path):
    """torch alone into an environment of the test's own."""
    folder = tmp_path / "env"
    options = (*bare, "--without", "numpy", "--without", "torchvision", "--yes")
    return folder, lambda: torchdoctor("install", folder, *options)


def _module(folder):
    return next(folder.glob("lib/python*/site-packages/torch/version.py"))


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_a_damaged_package_is_brought_anew(install, damage):
    """The version is the one wanted, and a file of it is gone or cut short: it is replaced, and that is said."""
    folder, run = install
    assert run().status == 0
    module = _module(folder)
    whole = module.read_text("utf-8")
    module.unlink()
    if damage == "short":
        module.write_text(whole[:5], "utf-8")
    ran = run()
    assert (ran.status, "torch: files that are not as they were installed: 1" in ran.err) == (0, True), (
        ran.err
    )
    assert _module(folder).read_text("utf-8") == whole


def test_an_edit_in_one_environment_reaches_no_other(install, torchdoctor, bare, tmp_path):
    """No file is a hard link that the next environment would get, with the edit, whatever its size is."""
    folder, run = install
    assert run().status == 0
    module = _module(folder)
    whole = module.read_text("utf-8")
    assert module.stat().st_nlink == 1
    with module.open("r+", encoding="utf-8") as file:
        file.write("#" * len(whole))
    options = (*bare, "--without", "numpy", "--without", "torchvision")
    assert torchdoctor("install", tmp_path / "other", *options).status == 0
    assert _module(tmp_path / "other").read_text("utf-8") == whole
    with module.open("a", encoding="utf-8") as file:
        file.write("print('looking into it')\n")
    assert run().status == 0
    assert _module(folder).read_text("utf-8") == whole


def test_a_whole_package_stays_as_it_is(install):
    """Nothing is brought twice."""
    _, run = install
    run()
    ran = run()
    assert "already has everything; nothing was changed" in ran.err
