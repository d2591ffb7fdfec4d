"""Real environments, really broken: the check-up names the cause, and mends what it may."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import TORCH, run_torchdoctor
from tests.doctor.broken import BROKEN, Place, copy_of


@pytest.fixture
def env(real, tmp_path):
    """An environment of one's own with the real torch: a copy by hard links, to be broken."""
    return copy_of(real.folder, tmp_path / "env")


@pytest.fixture
def site(env):
    """Its site-packages."""
    return next(env.glob("lib/python*/site-packages"))


@pytest.fixture
def doctor_of(tmp_path, monkeypatch):
    """The check-up of an environment, from a folder of one's own, without Jupyter's real kernels."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))

    def run(env, *arguments, cwd=here, **environ):
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


@pytest.fixture
def doctor(env, doctor_of):
    """The check-up of that environment."""
    return functools.partial(doctor_of, env)


def _ids(ran):
    return [row["id"] for row in ran.json["findings"]]


def test_a_healthy_environment_has_no_finding(doctor):
    """Nothing is wrong: status 0, every check well, torch was imported."""
    ran = doctor()
    assert (ran.status, _ids(ran)) == (0, []), ran.out
    assert {row["status"] for row in ran.json["checks"]} <= {"ok", "unknown"}
    assert "imports in" in next(row["text"] for row in ran.json["checks"] if row["id"] == "pytorch.import")


def check_cause(case, place, doctor_of):
    """The failure is the first finding, and its fix names what helps."""
    environ = case.broken(place) or {}
    options = () if case.imports else ("--no-import",)
    ran = doctor_of(place.env, *options, cwd=place.folder / case.here, **environ)
    assert _ids(ran)[:1] == [case.failure], ran.out
    fix = " ".join(ran.json["findings"][0]["fix"]).lower()
    assert any(words in fix for words in case.fix), fix


def _some_quick(cases):
    """Every third case; test_breaks.py has all of them on stand-ins."""
    return [
        pytest.param(case, marks=[] if number % 3 == 0 else [pytest.mark.slow])
        for number, case in enumerate(cases)
    ]


@pytest.mark.parametrize(
    "case", _some_quick(case for case in BROKEN if not case.driver), ids=lambda case: case.about
)
def test_the_cause_is_the_first_finding(case, doctor_of, env, tmp_path):
    """Each way of breaking an environment is found by its cause, with a fix that names what helps."""
    check_cause(case, Place(env=env, folder=tmp_path), doctor_of)


@pytest.mark.parametrize(
    "case", _some_quick(case for case in BROKEN if case.driver), ids=lambda case: case.about
)
def test_the_cause_is_the_first_finding_beside_a_gpu(case, doctor_of, small_torch, tmp_path, library):
    """What does not fit the GPU or its driver is found without the real torch, which is not imported."""
    env = copy_of(small_torch, tmp_path / "env")
    check_cause(case, Place(env=env, folder=tmp_path, library=library), doctor_of)


@pytest.mark.parametrize("module", ["functional.py", "nn/functional.py"])
def test_a_deleted_module_is_a_broken_installation_and_nothing_else(doctor, site, module):
    """The traceback names importlib's frames and a circular import; neither is a cause of its own."""
    (site / "torch" / module).unlink()
    assert _ids(doctor()) == ["partial-install"]


@pytest.mark.slow
def test_the_repair_brings_the_files_back(doctor, site):
    """--fix shows what it does, does it, looks again, and the environment works."""
    (site / "torch" / "nn" / "functional.py").unlink()
    ran = doctor("--fix", "--yes")
    assert (ran.status, _ids(ran)) == (0, []), ran.out
    (repair,) = ran.json["repairs"]
    assert (repair["outcome"], repair["findings"]) == ("repaired", ["partial-install"])
    assert (site / "torch" / "nn" / "functional.py").is_file()


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


@pytest.fixture
def put_kernel(tmp_path):
    """Registers a kernel that runs the Python of a folder."""

    def put(name, prefix, program="python"):
        folder = tmp_path / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        argv = [str(prefix / "bin" / program), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
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
    """Its environment has another Python now; the command by hand names kernel and environment, and --fix does it."""
    spec = put_kernel("lost", env, program="python3.2")
    (found,) = (row for row in doctor("--no-import").json["findings"])
    assert found["id"] == "jupyter-kernel-python-missing"
    assert f"torchdoctor jupyter-kernel repair lost {env}" in found["fix"]
    ran = doctor("--no-import", "--fix", "--yes")
    assert (ran.status, [row["outcome"] for row in ran.json["repairs"]]) == (0, ["repaired"]), ran.out
    assert json.loads(spec.read_text("utf-8"))["argv"][0] == str(env / "bin" / "python")


def test_kernels_of_other_environments_are_told_and_neither_counted_nor_changed(
    doctor, env, tmp_path, put_kernel, plain
):
    """One whose Python is gone and one without ipykernel: the exit status is 0, and --fix leaves them as they are."""
    specs = [put_kernel("lost", tmp_path / "gone"), put_kernel("bare", plain)]
    before = [spec.read_text("utf-8") for spec in specs]
    ran = doctor("--no-import", "--fix", "--yes")
    assert (ran.status, ran.json["findings"], ran.json["repairs"]) == (0, [], [])
    (row,) = (row for row in ran.json["checks"] if row["id"] == "kernels.specs")
    assert "cannot start: bare, lost" in row["text"]
    assert any("torchdoctor jupyter-kernel repair lost ENV" in line for line in row["evidence"])
    assert [spec.read_text("utf-8") for spec in specs] == before
    assert not list(plain.glob("lib/python*/site-packages/ipykernel*"))


@pytest.mark.process
def test_a_kernel_is_not_pointed_at_an_environment_without_torch(put_kernel, plain, tmp_path):
    """It would start, and be of no use."""
    put_kernel("lost", plain, program="python3.2")
    environ = {"JUPYTER_DATA_DIR": str(tmp_path / "jupyter"), "JUPYTER_PATH": ""}
    ran = run_torchdoctor(
        "doctor", plain, "--no-network", "--fix", "--yes", "--json", cwd=tmp_path, environ=environ
    )
    assert ran.json["repairs"] == []
    assert "torchdoctor jupyter-kernel repair lost ENV" in ran.json["findings"][0]["fix"]


def test_a_kernel_without_ipykernel_is_told_as_that(doctor, put_kernel, env, site):
    """Its Python is there: nothing says that it is gone, and the command mends it where it is."""
    for metadata in site.glob("ipykernel-*.dist-info"):
        shutil.rmtree(metadata)
    put_kernel("bare", env)
    shutil.rmtree(env / "share" / "jupyter" / "kernels", ignore_errors=True)
    ran = doctor("--no-import", "--fix", "--dry-run")
    found = {row["id"]: row for row in ran.json["findings"]}
    assert "jupyter-kernel-python-missing" not in found
    assert "torchdoctor jupyter-kernel repair bare" in found["jupyter-kernel-without-ipykernel"]["fix"]
    assert f"install ipykernel into {env}, for the kernel bare" in [
        row["what"] for row in ran.json["repairs"]
    ]


def test_a_kernel_spec_that_cannot_be_read_is_told_as_that(doctor, env):
    """No word of a Python that is gone."""
    folder = env / "share" / "jupyter" / "kernels" / "torn"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text("{ not json")
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


def test_a_newer_torch_is_a_note_with_the_command_that_looks_for_it(doctor, env):
    """Not a problem: the check is well, and says which; no source was asked, so it promises nothing."""
    ran = doctor("--no-import")
    row = next(row for row in ran.json["checks"] if row["id"] == "pytorch.fits")
    assert (ran.status, row["status"]) == (0, "ok")
    assert "is published; to see whether it can be installed from here" in row["text"]
    assert row["text"].endswith(f"torchdoctor install {env} --dry-run")


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
