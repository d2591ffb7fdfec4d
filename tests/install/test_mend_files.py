"""Single files of packages are put back in one step, or not at all."""

from __future__ import annotations

import os

import pytest

from torchdoctor.errors import InstallFailed
from torchdoctor.install.mend_files import MendedFile, mend_files

NAME = "lib/python3.11/site-packages/torch/functional.py"


@pytest.fixture
def env(tmp_path):
    """An environment with one file of torch that is cut, a hard link of which lies in a cache."""
    folder = tmp_path / "env"
    path = folder / NAME
    (path.parent / "__pycache__").mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin/python").write_text("")
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\n")
    path.write_text("cut")
    (path.parent / "__pycache__/functional.cpython-311.pyc").write_text("old")
    os.link(path, tmp_path / "cached")
    return folder


@pytest.fixture
def mend(env, tmp_path):
    """A function that puts the file back, with this proof."""
    (tmp_path / "whole").write_text("whole")
    site = env / "lib/python3.11/site-packages"
    file = MendedFile(path=NAME, source=tmp_path / "whole")
    return lambda prove: mend_files(env, [site], [file], tmp_path / "locks", prove)


def test_the_file_is_back_and_its_links_are_as_they_were(env, mend, tmp_path):
    """Its bytecode is forgotten; the proof saw the copy."""
    seen = []
    mend(lambda stage: seen.append((stage != env, (stage / NAME).read_text())))
    assert seen == [(True, "whole")]
    assert (env / NAME).read_text() == "whole"
    assert not list(env.rglob("*.pyc"))
    assert (tmp_path / "cached").read_text() == "cut"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cached", "env", "locks", "whole"]


@pytest.mark.parametrize("in_place", [False, True])
def test_a_proof_that_fails_leaves_everything_as_it_was(env, mend, monkeypatch, in_place, tmp_path):
    """Also where the environment has to be changed where it is."""
    monkeypatch.setattr("torchdoctor.install.environment_change.must_change_in_place", lambda *_: in_place)

    def worse(stage):
        assert (stage / NAME).read_text() == "whole"
        raise InstallFailed("worse", fix="f")

    with pytest.raises(InstallFailed, match="worse"):
        mend(worse)
    assert (env / NAME).read_text() == "cut"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cached", "env", "locks", "whole"]
    assert not (env / ".torchdoctor-undo").exists()
