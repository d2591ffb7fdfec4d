"""Real environments, really broken: the check-up names the cause, and mends what it may."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.conftest import TORCH, run_torchdoctor
from tests.doctor.broken import BROKEN, Place, copy_of
from torchdoctor.report.terminal.diagnosis import is_command


@pytest.fixture
def env(real, tmp_path):
    """An environment of one's own with the real torch: a copy by hard links, to be broken."""
    return copy_of(real.folder, tmp_path / "env")


@pytest.fixture
def site(env):
    """Its site-packages."""
    return next(env.glob("lib/python*/site-packages"))


@pytest.fixture
def doctor(env, tmp_path, monkeypatch):
    """The check-up of that environment, from a folder of one's own, without Jupyter's real kernels."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))

    def run(*arguments, cwd=here, **environ):
        return run_torchdoctor(
            "doctor",
            env,
            "--no-network",
            "--json",
            *arguments,
            cwd=cwd,
            environ={"JUPYTER_PATH": "", **environ},
        )

    return run


def _on_terminal(arguments, answer, cwd):
    """What the program says on a terminal where `answer` is typed once it asks, white space as one blank."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "torchdoctor", *map(str, arguments)], stdin=inner, stdout=inner, stderr=inner,
        env={**os.environ, "TERM": "dumb", "NO_COLOR": "1"}, cwd=cwd, start_new_session=True,
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


def _ids(ran):
    return [row["id"] for row in ran.json["findings"]]


def test_a_healthy_environment_has_no_finding(doctor):
    """Nothing is wrong: status 0, every check well, torch was imported."""
    ran = doctor()
    assert (ran.status, _ids(ran)) == (0, []), ran.out
    assert {row["status"] for row in ran.json["checks"]} <= {"ok", "unknown"}
    assert "imports in" in next(row["text"] for row in ran.json["checks"] if row["id"] == "pytorch.import")


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.about)
def test_the_cause_is_the_first_finding(case, doctor, env, tmp_path, library):
    """Each way of breaking an environment is found by its cause, with a fix that names what helps."""
    place = Place(env=env, folder=tmp_path, library=library)
    environ = case.broken(place) or {}
    where = tmp_path / case.here
    ran = doctor(*(() if case.imports else ("--no-import",)), cwd=where, **environ)
    assert _ids(ran)[:1] == [case.failure], ran.out
    fix = " ".join(ran.json["findings"][0]["fix"]).lower()
    assert any(words in fix for words in case.fix), fix


@pytest.mark.parametrize("module", ["functional.py", "nn/functional.py"])
def test_a_deleted_module_is_a_broken_installation_and_nothing_else(doctor, site, module):
    """The traceback names importlib's frames and a circular import; neither is a cause of its own."""
    (site / "torch" / module).unlink()
    assert _ids(doctor()) == ["partial-install"]


def test_the_repair_brings_the_files_back(doctor, site):
    """--fix shows what it does, does it, looks again, and the environment works."""
    (site / "torch" / "nn" / "functional.py").unlink()
    ran = doctor("--fix", "--yes")
    assert (ran.status, _ids(ran)) == (0, []), ran.out
    (repair,) = ran.json["repairs"]
    assert (repair["outcome"], repair["findings"]) == ("repaired", ["partial-install"])
    assert (site / "torch" / "nn" / "functional.py").is_file()


def test_the_repair_takes_away_what_was_put_aside_and_nothing_else(doctor, site, tmp_path):
    """pip's own leftovers of torch go, named beforehand; a link, a file and folders of others stay."""
    (site / "torch" / "functional.py").unlink()
    for name in ("~orch", "~orch-2.13.0.dist-info", "~rock", "torchsomething"):
        (site / name).mkdir()
        (site / name / "kept.txt").write_text("")
    (tmp_path / "elsewhere").mkdir()
    (site / "~orchvision").symlink_to(tmp_path / "elsewhere")
    ran = doctor("--fix", "--yes", "--no-import")
    (repair,) = ran.json["repairs"]
    assert f"remove {site / '~orch'}, {site / '~orch-2.13.0.dist-info'}, left by" in repair["what"]
    assert "torchvision" not in repair["what"]
    assert (site / "torch" / "functional.py").is_file()
    there = {path.name for path in site.iterdir() if "~" in path.name or path.name == "torchsomething"}
    assert there == {"~rock", "torchsomething", "~orchvision"}


def test_leftovers_alone_are_removed_and_nothing_is_installed(doctor, site):
    """All is whole: the folder goes, and then nothing is wrong."""
    (site / "~orch").mkdir()
    found = doctor("--no-import").json["findings"]
    assert str(site / "~orch") in " ".join(found[0]["fix"])
    ran = doctor("--fix", "--yes", "--no-import")
    assert (ran.status, [row["outcome"] for row in ran.json["repairs"]]) == (0, ["repaired"]), ran.out
    assert "install" not in ran.json["repairs"][0]["what"].replace("installation", "")


def test_the_repair_brings_back_what_torch_requires(doctor, site):
    """A small package that was taken away is named, and there again."""
    for path in (*site.glob("sympy*"), *site.glob("filelock*")):
        shutil.rmtree(path)
    ran = doctor("--fix", "--yes")
    assert (ran.status, _ids(ran)) == (0, []), ran.out
    assert ran.json["repairs"][0]["findings"] == ["torch-dependency-missing"]
    assert (site / "filelock" / "__init__.py").is_file()
    assert (site / "sympy" / "__init__.py").is_file()


def test_a_package_without_its_record_is_installed_anew(doctor, site):
    """uv and pip can neither check nor remove it."""
    next(site.glob("torch-*.dist-info")).joinpath("RECORD").unlink()
    ran = doctor("--fix", "--yes", "--no-import")
    assert (ran.status, _ids(ran)) == (0, []), ran.out
    assert ran.json["repairs"][0]["what"] == f"reinstall torch {TORCH}+cpu"


def test_what_no_repair_takes_away_is_named_and_no_repair_is_offered(doctor, site):
    """A second dist-info is no folder of pip's pattern; of another project's leftovers nothing is said."""
    (site / "torch-2.9.0.dist-info").mkdir()
    (site / "~hings").mkdir()
    ran = doctor("--fix", "--yes", "--no-import")
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
    (site / "torch" / "nn" / "functional.py").unlink()
    home = tmp_path / "home"
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".bashrc").write_text("export PATH\n")
    (home / ".config" / "pip" / "pip.conf").write_text("[global]\n")
    (tmp_path / "empty").mkdir()
    before = _tree(env), _tree(home)
    ran = doctor(
        "--no-import", "--fix", "--yes", "--offline", "--find-links", tmp_path / "empty", HOME=str(home),
        XDG_CONFIG_HOME=str(home / ".config"), TORCHDOCTOR_CACHE_DIR=str(tmp_path / "cache"),
        TORCHDOCTOR_DATA_DIR=str(tmp_path / "data"), UV_CACHE_DIR=str(tmp_path / "uv"),
    )  # fmt: skip
    assert (ran.status, ran.json["repairs"][0]["outcome"]) == (1, "failed"), ran.out
    assert ran.json["repairs"][0]["why"]
    assert (_tree(env), _tree(home)) == before


def test_a_hostile_path_never_reaches_a_terminal_or_a_command(env, site, tmp_path):
    """Signs that a terminal obeys are left out, and no command is built from such a name."""
    (site / "torch" / "nn" / "functional.py").unlink()
    hostile = env.rename(tmp_path / "a\x1b[31m\n$(touch x)")
    ran = run_torchdoctor("doctor", hostile, "--no-network", "--no-import", "-v", cwd=tmp_path)
    assert ran.status == 1
    assert "\x1b" not in ran.out
    assert "  torchdoctor doctor ENV --fix" in ran.out


def test_every_command_of_a_fix_is_for_this_environment(doctor, env, site):
    """It can be pasted: the interpreter and the folder are this environment's, quoted for the shell."""
    (site / "torch" / "nn" / "functional.py").unlink()
    fix = doctor("--no-import").json["findings"][0]["fix"]
    commands = [shlex.split(row) for row in fix if is_command(row)]
    assert commands[0] == ["torchdoctor", "doctor", str(env), "--fix"]
    assert commands[1][0] == str(env / "bin" / "python")
    assert commands[1][1:4] == ["-m", "pip", "install"]


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can mount a small /dev/shm"
)
def test_a_tiny_shared_memory_is_told(doctor, env, tmp_path):
    """Docker's 64 MB break a DataLoader with workers; a private mount shows it to this one process."""
    said = tmp_path / "said.json"
    script = (
        'mount -t tmpfs -o size=64m tmpfs /dev/shm && exec "$0" -m torchdoctor doctor "$1" --no-network '
        '--no-import --json >"$2"'
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, sys.executable, str(env), str(said)],
        check=False, capture_output=True, text=True, cwd=tmp_path, timeout=120,
        env={**os.environ, "JUPYTER_DATA_DIR": str(tmp_path / "jupyter"), "JUPYTER_PATH": ""},
    )  # fmt: skip
    if not said.exists() or not said.read_text():
        pytest.skip(f"a mount namespace may not be made here: {done.stderr[-200:]}")
    assert [row["id"] for row in json.loads(said.read_text())["findings"]] == ["shm-too-small"]


def test_without_a_yes_nothing_is_repaired(doctor, site):
    """No terminal, nobody to ask: skipped, and the finding stays."""
    (site / "torch" / "nn" / "functional.py").unlink()
    ran = doctor("--fix")
    assert (ran.status, ran.json["repairs"][0]["outcome"]) == (1, "skipped")
    assert "--yes" in ran.json["repairs"][0]["why"]
    assert not (site / "torch" / "nn" / "functional.py").exists()


def test_the_report_and_the_plan_come_before_the_question(env, site, tmp_path, monkeypatch):
    """On a terminal; the answer n changes nothing, and is called by its name."""
    (site / "torch" / "functional.py").unlink()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    said = _on_terminal(("doctor", env, "--no-network", "--no-import", "--fix"), "n", tmp_path)
    in_order = (
        "[partial-install]",
        "What can be done",
        f"reinstall torch {TORCH}+cpu",
        "[Y/n]",
        "(declined)",
    )
    places = [said.find(text) for text in in_order]
    assert -1 not in places
    assert places == sorted(places), said
    assert not (site / "torch" / "functional.py").exists()


@pytest.fixture
def put_kernel(tmp_path):
    """Registers a kernel that runs the Python of a folder."""

    def put(name, prefix):
        folder = tmp_path / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        argv = [str(prefix / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": name.title(), "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))
        return folder / "kernel.json"

    return put


@pytest.fixture
def plain(tmp_path):
    """An environment with nothing in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "plain"], check=True)
    return tmp_path / "plain"


def test_a_kernel_whose_python_is_gone_is_found_and_mended(doctor, env, tmp_path, put_kernel):
    """The notebook cannot start; the command by hand names kernel and environment, and --fix does it."""
    spec = put_kernel("lost", tmp_path / "gone")
    (found,) = (row for row in doctor("--no-import").json["findings"])
    assert found["id"] == "jupyter-kernel-python-missing"
    assert f"torchdoctor jupyter-kernel repair lost {env}" in found["fix"]
    ran = doctor("--no-import", "--fix", "--yes")
    assert (ran.status, [row["outcome"] for row in ran.json["repairs"]]) == (0, ["repaired"]), ran.out
    assert json.loads(spec.read_text("utf-8"))["argv"][0] == str(env / "bin" / "python")


@pytest.mark.process
def test_a_kernel_is_not_pointed_at_an_environment_without_torch(put_kernel, plain, tmp_path):
    """It would start, and be of no use."""
    put_kernel("lost", tmp_path / "gone")
    environ = {"JUPYTER_DATA_DIR": str(tmp_path / "jupyter"), "JUPYTER_PATH": ""}
    ran = run_torchdoctor(
        "doctor", plain, "--no-network", "--fix", "--yes", "--json", cwd=tmp_path, environ=environ
    )
    assert ran.json["repairs"] == []
    assert "torchdoctor jupyter-kernel repair lost ENV" in ran.json["findings"][0]["fix"]


def test_a_kernel_without_ipykernel_is_told_as_that(doctor, put_kernel, plain):
    """Its Python is there: nothing says that it is gone, and the command mends it where it is."""
    put_kernel("bare", plain)
    (found,) = doctor("--no-import").json["findings"]
    assert found["id"] == "jupyter-kernel-without-ipykernel"
    assert "torchdoctor jupyter-kernel repair bare" in found["fix"]
    ran = doctor("--no-import", "--fix", "--dry-run")
    assert ran.json["repairs"][0]["what"] == f"install ipykernel into {plain}, for the kernel bare"


def test_a_kernel_spec_that_cannot_be_read_is_told_as_that(doctor, put_kernel, plain):
    """No word of a Python that is gone."""
    put_kernel("torn", plain).write_text("{ not json")
    assert _ids(doctor("--no-import")) == ["jupyter-kernel-spec-broken"]


def test_a_kernel_of_another_environment_without_torch_is_no_fault(doctor, put_kernel, plain):
    """It may well be another project's; -v and --json say what each kernel runs."""
    info = next(plain.glob("lib/python*/site-packages")) / "ipykernel-6.29.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ipykernel\nVersion: 6.29\n")
    put_kernel("plain", plain)
    ran = doctor("--no-import")
    assert _ids(ran) == []
    (row,) = (row for row in ran.json["checks"] if row["id"] == "kernels.specs")
    assert any("no torch" in line for line in row["evidence"])


def test_what_was_not_done_is_not_called_well(doctor):
    """Neither the import nor the network was tried."""
    status = {row["id"]: row["status"] for row in doctor("--no-import").json["checks"]}
    assert (status["pytorch.import"], status["network.index"]) == ("unknown", "unknown")


def test_a_newer_torch_is_a_note_with_the_command_that_brings_it(doctor, env):
    """Not a problem: the check is well, and says which and how."""
    ran = doctor("--no-import")
    row = next(row for row in ran.json["checks"] if row["id"] == "pytorch.fits")
    assert (ran.status, row["status"]) == (0, "ok")
    assert row["text"].startswith("a newer version fits: torch ")
    assert row["text"].endswith(f"torchdoctor install {env}")


def test_every_environment_is_listed_with_who_runs_it(torchdoctor, real, tmp_path):
    """--all: the active one has no torch, another has, and that is said."""
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    (tmp_path / "home" / "envs").mkdir()
    (tmp_path / "home" / "envs" / "real").symlink_to(real.folder)
    ran = torchdoctor("doctor", "--all", "--json", VIRTUAL_ENV=str(bare))
    rows = {row["path"]: row for row in ran.json["environments"]}
    assert rows[str(bare)]["known_by"] == ["active"]
    assert rows[str(tmp_path / "home" / "envs" / "real")]["torch"] == f"{TORCH}+cpu"
    assert any(str(bare) in note for note in ran.json["notes"])
