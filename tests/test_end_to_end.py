"""The real torch, installed by `torchdoctor install` once, then verified, measured and given a kernel."""

from __future__ import annotations

import json
import subprocess

import pytest
from jupyter_client.manager import start_new_kernel

from tests.conftest import PYTHON, TORCH, run_torchdoctor


@pytest.fixture
def jupyter(tmp_path, monkeypatch):
    """A Jupyter data folder of the test's own."""
    folder = tmp_path / "jupyter"
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder))
    return folder


def test_the_environment_has_the_build_asked_for(real):
    """The plan, the files and the environment agree on torch and its build."""
    document = real.ran.json
    assert document["variant"] == "cpu"
    assert document["packages"][0]["version"] == f"{TORCH}+cpu"
    code = "import torch, sys; print(torch.__version__, sys.version_info[:2], sys.prefix)"
    said = subprocess.run([real.python, "-c", code], capture_output=True, text=True, check=True).stdout
    major, minor = PYTHON.split(".")
    assert said.strip() == f"{TORCH}+cpu ({major}, {minor}) {real.folder}"


def test_every_file_has_a_checked_hash(real):
    """No file without a SHA-256, and torch's is the official one."""
    files = real.ran.json["files"]
    assert all(len(row["sha256"]) == 64 for row in files)
    torch = next(row for row in files if row["name"] == "torch")
    assert torch["sha256"] == real.ran.json["packages"][0]["sha256"]


def test_bytecode_is_compiled(real):
    """The first import does not pay for it: every module of torch has its .pyc."""
    package = next(real.folder.glob("lib/python*/site-packages/torch"))
    assert list((package / "__pycache__").glob("__init__.*.pyc"))


def test_its_scripts_run_where_the_environment_is(real):
    """It was made beside its place and moved; pip and torchrun still find their interpreter."""
    said = subprocess.run(
        [real.folder / "bin" / "pip", "--version"], capture_output=True, text=True, check=True
    )
    assert str(real.folder) in said.stdout
    subprocess.run([real.folder / "bin" / "torchrun", "--help"], capture_output=True, check=True)


def test_activating_it_makes_its_python_the_one_that_runs(real):
    """What install prints at the end works as typed."""
    script = f"source '{real.folder}/bin/activate' && command -v python && python -c 'import torch'"
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(real.python)


def test_verify_passes_every_check(real):
    """All checks that apply on a CPU ran and passed."""
    ran = run_torchdoctor("verify", real.folder, "--quick", "--json")
    assert ran.status == 0, ran.out
    assert ran.json["passed"] is True
    status = {row["id"]: row["status"] for row in ran.json["checks"]}
    for check in ("files", "import", "version", "devices", "tensor", "matmul", "autograd", "training", "cnn"):
        assert status[check] == "pass", ran.json


def test_verify_shows_a_verdict_and_with_v_each_check(real):
    """Where all is well, nothing hides that."""
    ran = run_torchdoctor("verify", real.folder, "--only", "tensor")
    assert ran.status == 0
    assert "\u2713  tensor" in ran.out
    assert "1 passed" in ran.out


def test_a_kernel_is_registered_and_runs_a_cell(real, jupyter):
    """The kernel's answer comes from the environment, and jupyter_client sees and runs it too."""
    ran = run_torchdoctor(
        "jupyter-kernel", real.folder, "--name", "torch-test", "--display-name", "Torch ✓", "--json"
    )
    assert ran.status == 0, ran.out + ran.err
    kernel = ran.json["kernel"]
    assert kernel["torch"] == f"{TORCH}+cpu"
    spec = json.loads((jupyter / "kernels" / "torch-test" / "kernel.json").read_text("utf-8"))
    assert spec["display_name"] == "Torch ✓"
    assert spec["argv"][0] == str(real.python)
    manager, client = start_new_kernel(kernel_name="torch-test", startup_timeout=60)
    try:
        reply = client.execute_interactive("import torch; assert torch.ones(3).sum() == 3", timeout=120)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert reply["content"]["status"] == "ok"


def test_a_kernel_of_another_environment_is_not_overwritten(real, jupyter):
    """The name is taken: said, and left as it is; --yes replaces it."""
    folder = jupyter / "kernels" / "taken"
    folder.mkdir(parents=True)
    text = json.dumps(
        {"argv": ["/usr/bin/other", "-f", "{connection_file}"], "display_name": "Mine", "language": "x"}
    )
    (folder / "kernel.json").write_text(text)
    ran = run_torchdoctor("jupyter-kernel", real.folder, "--name", "taken", "--json")
    assert ran.status == 2
    assert ran.json["error"]["kind"] == "kernel-exists"
    assert (folder / "kernel.json").read_text() == text
    assert run_torchdoctor("jupyter-kernel", real.folder, "--name", "taken", "--yes").status == 0


def test_a_kernel_that_cannot_run_a_cell_is_not_left_behind(real, jupyter, tmp_path):
    """The proof fails: the name is free again."""
    broken = tmp_path / "sitecustomize"
    broken.mkdir()
    start = jupyter.parent / "ipython"
    startup = start / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-break.py").write_text("import sys; sys.modules['torch'] = None\n")
    ran = run_torchdoctor(
        "jupyter-kernel", real.folder, "--name", "broken", "--json", environ={"IPYTHONDIR": str(start)}
    )
    assert ran.status == 1
    assert ran.json["error"]["kind"] == "kernel"
    assert "torch" in ran.json["error"]["message"]
    assert not (jupyter / "kernels" / "broken").exists()


def test_the_doctor_names_the_machine_the_fit_and_what_is_installed(real, monkeypatch):
    """Without a command, in the active environment."""
    monkeypatch.setenv("VIRTUAL_ENV", str(real.folder))
    ran = run_torchdoctor()
    assert ran.status == 0, ran.err
    assert f"torch {TORCH}+cpu" in ran.out
    assert f"Python {PYTHON}" in ran.out
    document = run_torchdoctor("--json").json
    assert document["findings"] == []
    assert document["machine"]["os"] == "linux"
    assert document["environment"]["packages"][0]["build"] == "cpu"
