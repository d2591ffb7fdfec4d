"""`torchdoctor remove`: an environment goes with its kernels, and nothing else does."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.install.remove import refuse_to_remove, remove_environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes the layout of other systems")


@pytest.fixture
def env(tmp_path):
    """The files of a virtual environment."""
    folder = tmp_path / "work" / "env"
    site = folder / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n", "utf-8")
    (folder / "torchdoctor-hold.txt").write_text("torch<=2.14.1\n", "utf-8")
    (site / "big.so").write_bytes(b"x" * 3_000_000)
    return folder


@pytest.fixture
def kernel(env, alone):
    """A kernel of the user that runs it, beside one that runs something else."""
    kernels = Path(alone["JUPYTER_DATA_DIR"]) / "kernels"
    for name, python in (("vision", env / "bin" / "python"), ("other", Path(sys.executable))):
        (kernels / name).mkdir(parents=True)
        spec = {"argv": [str(python), "-m", "ipykernel_launcher"], "display_name": name, "language": "python"}
        (kernels / name / "kernel.json").write_text(json.dumps(spec), "utf-8")
    return kernels / "vision"


def test_an_environment_goes_with_its_kernels(in_process, env, kernel):
    """Both are named with the space first; the kernel of another environment stays."""
    shown = in_process("remove", env, "--dry-run")
    assert (shown.status, shown.out) == (
        0,
        f"would remove {env} (3.0 MB) and the Jupyter kernel vision\n",
    )
    assert env.exists()
    ran = in_process("remove", env, "--yes", "--json")
    assert ran.status == 0, ran.err
    assert (ran.json["removed"], [row["name"] for row in ran.json["kernels"]]) == (True, ["vision"])
    assert not env.exists()
    assert [path.name for path in kernel.parent.iterdir()] == ["other"]
    assert [path.name for path in env.parent.iterdir()] == []


def test_nothing_goes_where_nobody_agrees(in_process, env, kernel):
    """Without a terminal and --yes."""
    ran = in_process("remove", env, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (5, "not-confirmed")
    assert env.exists()
    assert kernel.exists()


def test_what_lies_deep_in_it_and_is_nobodys_keeps_it(in_process, env):
    """A folder of one's own below lib, or data beside that of packages."""
    for place in ("lib/mysrc/model.py", "share/keyrings/login.keyring", "doc/thesis.tex"):
        path = env / place
        path.parent.mkdir(parents=True)
        path.write_text("mine", "utf-8")
        ran = in_process("remove", env, "--yes", "--json")
        assert (ran.status, ran.json["error"]["kind"]) == (2, "holds-other-files")
        assert path.parts[-2] in ran.json["error"]["message"] or path.name in ran.json["error"]["message"]
        assert path.read_text("utf-8") == "mine"
        path.unlink()
        path.parent.rmdir()


def test_the_folder_of_the_users_programs_is_no_environment(in_process, env, alone):
    """Even where somebody has made one there."""
    local = Path(alone["HOME"]) / ".local"
    env.rename(local)
    ran = in_process("remove", local, "--yes", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "holds-other-files")
    assert local.exists()


def test_a_kernel_of_any_python_and_one_with_files_stay(in_process, env, kernel, alone):
    """One says only `python`, and the other's folder holds a notebook."""
    (kernel / "thesis.ipynb").write_text("{}", "utf-8")
    spec = kernel.with_name("any") / "kernel.json"
    spec.parent.mkdir()
    spec.write_text('{"argv": ["python", "-m", "ipykernel_launcher"]}', "utf-8")
    ran = in_process("remove", env, "--yes", "--json", VIRTUAL_ENV=str(env))
    assert ran.json["kernels"] == []
    assert not env.exists()
    assert spec.exists()
    assert kernel.exists()


def test_what_came_while_the_question_stood_is_seen(env, tmp_path):
    """The environment is looked at again under its lock."""
    refuse_to_remove(env)
    (env / "thesis").mkdir()
    with pytest.raises(EnvironmentUnusable):
        remove_environment(env, tmp_path / "locks")
    assert (env / "thesis").exists()


def _add_notes(env):
    (env / "notes.ipynb").write_text("{}", "utf-8")
    return env


def _make_conda(env):
    (env / "conda-meta").mkdir()
    return env


def _take_its_mark(env):
    (env / "pyvenv.cfg").unlink()
    return env


def _link(env):
    link = env.with_name("link")
    link.symlink_to(env)
    return link


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (_add_notes, "holds-other-files"),
        (_make_conda, "conda"),
        (_take_its_mark, "not-a-venv"),
        (_link, "is-a-link"),
        (lambda _: Path(sys.prefix), "own-environment"),
        (lambda env: env / "nowhere", "not-a-venv"),
    ],
    ids=["files of the user", "conda", "another folder", "a link", "torchdoctor's own", "nothing"],
)
def test_what_is_no_environment_or_holds_more_stays(in_process, env, change, kind):
    """Each is refused for its own reason, also with --yes."""
    place = change(env)
    before = sorted(path for path, _, _ in os.walk(env))
    ran = in_process("remove", place, "--yes", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, kind)
    assert sorted(path for path, _, _ in os.walk(env)) == before
