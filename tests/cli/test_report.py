"""`torchdoctor report` as a person meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from torchdoctor.detect import Machine
from torchdoctor.inventory import Inventory


@pytest.fixture
def bare(tmp_path):
    """A virtual environment with nothing in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    return tmp_path / "bare"


def test_the_json_reads_back_and_resolves(torchdoctor, bare, tmp_path):
    """Machine and environment are the documented formats, and `resolve --machine` takes the whole file."""
    file = tmp_path / "report.json"
    ran = torchdoctor("report", bare, "--format", "json", "--output", file)
    assert (ran.status, ran.out) == (0, ""), ran.err
    document = json.loads(file.read_text())
    assert Machine.from_json(document["machine"]).os
    assert Inventory.from_json(document["environment"]).torch.state == "absent"
    resolved = torchdoctor("resolve", "--machine", file, "--json")
    assert resolved.status == 0, resolved.out
    assert resolved.json["packages"] == document["plan"]["packages"]


def test_what_is_printed_names_neither_home_nor_host_nor_secret(torchdoctor, bare, tmp_path):
    """With secrets in the variables, in pip's settings and in a proxy."""
    home = tmp_path / "home"
    ran = torchdoctor(
        "report", bare, "--format", "json", HTTPS_PROXY="http://eve:hunter2@proxy.corp.internal:3128", USER="evelyn",
        PIP_EXTRA_INDEX_URL="https://eve:hunter2@nexus.corp.internal/simple?key=abc", HF_TOKEN="hf_abcdefghijklmnop",
        CUDA_EVELYN_PATH="/scratch/evelyn/cuda", HOSTNAME="engine-room",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    for planted in (
        "hunter2", "eve:", "corp.internal", "key=abc", "hf_abc", str(home), "evelyn", "engine-room",
    ):  # fmt: skip
        assert planted not in ran.out
    assert "/scratch/<user>/cuda" in ran.out


def test_markdown_is_what_a_person_pastes(torchdoctor, bare):
    """Without an option, on standard output."""
    ran = torchdoctor("report", bare)
    assert ran.out.startswith("### What this is\n\n```text\ntorchdoctor ")
    assert "no torch is installed there" in ran.out


def test_the_page_is_one_file(torchdoctor, bare, tmp_path):
    """HTML, with nothing to load."""
    ran = torchdoctor("report", bare, "--format", "html", "-o", tmp_path / "report.html")
    assert ran.status == 0, ran.err
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert "read it through before you send it" in ran.err


def test_an_environment_whose_python_does_not_run_is_told(torchdoctor, bare):
    """The machine is still reported, and why the environment is not."""
    python = bare / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    document = torchdoctor("report", bare, "--json").json
    assert document["environment"] is None
    assert "failed with status 3" in document["environment_error"]["message"]
    assert document["machine"]["arch"]
    assert document["findings"] == []


@pytest.mark.parametrize("target", ["", "no/such/folder/report.md"])
def test_a_place_that_takes_no_file_is_wrong_usage(torchdoctor, bare, tmp_path, target):
    """A folder, and a folder that is not there."""
    ran = torchdoctor("report", bare, "--output", tmp_path / target, "--json")
    assert ran.status == 2, ran.out
    assert ran.json["error"]["fix"]


@pytest.mark.process
def test_a_pipe_stays_a_pipe(bare, alone, tmp_path):
    """What is no file is written into, not replaced."""
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "torchdoctor", "report", bare, "-o", tmp_path / "pipe"]
    with subprocess.Popen(command, env={**os.environ, **alone}, stderr=subprocess.DEVNULL) as running:
        text = (tmp_path / "pipe").read_text()
    assert running.returncode == 0
    assert text.startswith("### What this is")
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_that_is_there_is_replaced_whole(torchdoctor, bare, tmp_path):
    """Nothing else is left beside it."""
    (tmp_path / "report.md").write_text("old" * 100_000)
    assert torchdoctor("report", bare, "-o", tmp_path / "report.md", "-q").err == ""
    assert (tmp_path / "report.md").read_text().startswith("### What this is")
    assert [path.name for path in tmp_path.glob("*report.md*")] == ["report.md"]


def test_an_environment_that_is_not_there_is_wrong_usage(torchdoctor, tmp_path):
    """Nothing is reported of another one in its place."""
    assert torchdoctor("report", tmp_path / "nowhere", "--json").status == 2


def test_the_real_environment_is_reported(torchdoctor, real):
    """The real torch, installed by torchdoctor: its build, its record, nothing broken."""
    document = torchdoctor("report", real.folder, "--json").json
    environment = Inventory.from_json(document["environment"])
    assert environment.torch.value.variant.value == "cpu"
    assert environment.torch.value.version_file.value.cuda is None
    assert (
        environment.records.state == environment.truncated.state == environment.duplicates.state == "absent"
    )
    assert environment.distribution("torch").installer == "uv"
    assert environment.install_record.value is None or environment.install_record.value.variant == "cpu"
