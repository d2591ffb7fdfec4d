"""Repairs of a small torch from an index on loopback: what they take away, bring back and leave alone."""

from __future__ import annotations

import contextlib
import os
import pty
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.doctor.broken import copy_of
from tests.doctor.conftest import serve_small_torch
from tests.install.conftest import TORCH
from torchdoctor.report.terminal.diagnosis import is_command


@pytest.fixture
def env(small_torch, tmp_path):
    """An environment of one's own with the small torch, to be broken."""
    return copy_of(small_torch, tmp_path / "env")


@pytest.fixture
def site(env):
    """Its site-packages."""
    return next(env.glob("lib/python*/site-packages"))


@pytest.fixture
def doctor(torchdoctor, env, index):
    """The check-up of that environment, which is repaired from the index on loopback; torch is not imported."""
    serve_small_torch(index)

    def run(*arguments, **environ):
        offline = () if "--offline" in arguments else ("--index-url", f"{index.url}/whl")
        return torchdoctor(
            "doctor", env, "--no-network", "--no-import", "--json", *offline, *arguments, **environ
        )

    return run


def _ids(ran):
    return [row["id"] for row in ran.json["findings"]]


def _on_terminal(arguments, answer, environ, cwd):
    """What the program says on a terminal where `answer` is typed once it asks, white space as one blank."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "torchdoctor", *map(str, arguments)], stdin=inner, stdout=inner, stderr=inner,
        env={**os.environ, **environ, "TERM": "dumb", "NO_COLOR": "1"}, cwd=cwd, start_new_session=True,
    )  # fmt: skip
    os.close(inner)
    said, typed = b"", False
    # The other end is closed when the program ends.
    with contextlib.suppress(OSError):
        while piece := os.read(outer, 4096):
            said += piece
            if b"/n]" in said.lower() and not typed:
                os.write(outer, f"{answer}\n".encode())
                typed = True
    os.close(outer)
    process.wait(30)
    return " ".join(said.decode("utf-8", "replace").split())


def test_the_repair_takes_away_what_was_put_aside_and_nothing_else(doctor, site, tmp_path):
    """pip's own leftovers of torch go, named beforehand; a link, a file and folders of others stay."""
    (site / "torch" / "functional.py").unlink()
    for name in ("~orch", "~orch-2.13.0.dist-info", "~rock", "torchsomething"):
        (site / name).mkdir()
        (site / name / "kept.txt").write_text("")
    (tmp_path / "elsewhere").mkdir()
    (site / "~orchvision").symlink_to(tmp_path / "elsewhere")
    ran = doctor("--fix", "--yes")
    (repair,) = ran.json["repairs"]
    assert f"remove {site / '~orch'}, {site / '~orch-2.13.0.dist-info'}, left by" in repair["what"]
    assert "torchvision" not in repair["what"]
    assert (site / "torch" / "functional.py").is_file()
    there = {path.name for path in site.iterdir() if "~" in path.name or path.name == "torchsomething"}
    assert there == {"~rock", "torchsomething", "~orchvision"}


def test_leftovers_alone_are_removed_and_nothing_is_installed(doctor, site):
    """All is whole: the folder goes, and then nothing is wrong."""
    (site / "~orch").mkdir()
    found = doctor().json["findings"]
    assert str(site / "~orch") in " ".join(found[0]["fix"])
    ran = doctor("--fix", "--yes")
    assert (ran.status, [row["outcome"] for row in ran.json["repairs"]]) == (0, ["repaired"]), ran.out
    assert "install" not in ran.json["repairs"][0]["what"].replace("installation", "")


def test_the_repair_brings_back_what_torch_requires(doctor, site):
    """A small package that was taken away is named, by a dry run as by the repair, and there again."""
    for path in (*site.glob("sympy*"), *site.glob("filelock*")):
        shutil.rmtree(path)
    (shown,) = doctor("--fix", "--dry-run").json["repairs"]
    assert (shown["outcome"], shown["why"]) == ("skipped", "--dry-run")
    assert not list(site.glob("sympy*"))
    ran = doctor("--fix", "--yes")
    assert ran.json["repairs"][0]["what"] == shown["what"]
    assert shown["what"] == "install filelock 3.18, sympy 1.13 into the environment"
    assert (ran.status, _ids(ran)) == (0, []), ran.out
    assert ran.json["repairs"][0]["findings"] == ["torch-dependency-missing"]
    assert (site / "filelock" / "__init__.py").is_file()
    assert (site / "sympy" / "__init__.py").is_file()


def test_a_package_without_its_record_is_installed_anew(doctor, site):
    """uv and pip can neither check nor remove it."""
    next(site.glob("torch-*.dist-info")).joinpath("RECORD").unlink()
    ran = doctor("--fix", "--yes")
    assert (ran.status, _ids(ran)) == (0, []), ran.out
    assert ran.json["repairs"][0]["what"] == f"reinstall torch {TORCH}+cpu"


def test_what_no_repair_takes_away_is_named_and_no_repair_is_offered(doctor, site, tmp_path):
    """A second dist-info that is a link leads to what is somebody's; of another project's leftovers nothing is said."""
    (tmp_path / "elsewhere").mkdir()
    (site / "torch-2.9.0.dist-info").symlink_to(tmp_path / "elsewhere")
    (site / "~hings").mkdir()
    ran = doctor("--fix", "--yes")
    assert ran.json["repairs"] == []
    fix = " ".join(ran.json["findings"][0]["fix"])
    assert f"nothing else: {site / 'torch-2.9.0.dist-info'}." in fix
    assert "~hings" not in fix


def _tree(folder):
    return {
        str(path.relative_to(folder)): (path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in sorted(folder.rglob("*"))
        if not path.is_dir() or path.is_symlink()
    }


def test_a_repair_that_fails_leaves_everything_as_it_was(doctor, env, site, tmp_path):
    """Nothing to install from: failed with its reason, the environment and the home folder untouched."""
    (site / "torch" / "functional.py").unlink()
    home = tmp_path / "home"
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".bashrc").write_text("export PATH\n")
    (home / ".config" / "pip" / "pip.conf").write_text("[global]\n")
    (tmp_path / "empty").mkdir()
    before = _tree(env), _tree(home)
    ran = doctor(
        "--fix", "--yes", "--offline", "--find-links", tmp_path / "empty",
        JUPYTER_DATA_DIR=str(tmp_path / "jupyter"), PIP_CONFIG_FILE=str(home / ".config" / "pip" / "pip.conf"),
    )  # fmt: skip
    assert (ran.status, ran.json["repairs"][0]["outcome"]) == (1, "failed"), ran.out
    assert ran.json["repairs"][0]["why"]
    assert (_tree(env), _tree(home)) == before


def test_a_hostile_path_never_reaches_a_terminal_or_a_command(torchdoctor, env, site, tmp_path):
    """Signs that a terminal obeys are left out, and no command is built from such a name."""
    (site / "torch" / "functional.py").unlink()
    hostile = env.rename(tmp_path / "a\x1b[31m\n$(touch x)")
    ran = torchdoctor("doctor", hostile, "--no-network", "--no-import", "-v")
    assert ran.status == 1
    assert "\x1b" not in ran.out
    assert "  torchdoctor doctor ENV --fix" in ran.out


def test_every_command_of_a_fix_is_for_this_environment(doctor, env, site):
    """It can be pasted: the interpreter and the folder are this environment's, quoted for the shell."""
    (site / "torch" / "functional.py").unlink()
    fix = doctor().json["findings"][0]["fix"]
    commands = [shlex.split(row) for row in fix if is_command(row)]
    assert commands[0] == ["torchdoctor", "doctor", str(env), "--fix"]
    assert commands[1][0] == str(env / "bin" / "python")
    assert commands[1][1:4] == ["-m", "pip", "install"]


def test_without_a_yes_nothing_is_repaired(doctor, site):
    """No terminal, nobody to ask: skipped, and the finding stays."""
    (site / "torch" / "functional.py").unlink()
    ran = doctor("--fix")
    assert (ran.status, ran.json["repairs"][0]["outcome"]) == (1, "skipped")
    assert "--yes" in ran.json["repairs"][0]["why"]
    assert not (site / "torch" / "functional.py").exists()


def test_the_report_and_the_plan_come_before_the_question(env, site, alone, index, tmp_path):
    """On a terminal; the answer n changes nothing, and is called by its name."""
    serve_small_torch(index)
    (site / "torch" / "functional.py").unlink()
    words = ("doctor", env, "--no-network", "--no-import", "--fix", "--index-url", f"{index.url}/whl")
    said = _on_terminal(words, "n", alone, tmp_path)
    in_order = (
        "[partial-install]",
        "What can be repaired here",
        f"put back 1 file of torch {TORCH}+cpu",
        "[Y/n]",
        "(declined)",
    )
    places = [said.find(text) for text in in_order]
    assert -1 not in places
    assert places == sorted(places), said
    assert not (site / "torch" / "functional.py").exists()
