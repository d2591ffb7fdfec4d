"""The GitHub Action and the pre-commit hook: their commands, run as they stand."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import TRUSTING
from tests.install.conftest import TORCH
from torchdoctor.cli.app import cli
from torchdoctor.cli.commands import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def action():
    """The Action as its file says it."""
    return yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))


@pytest.fixture
def run_step(action, alone, official, tmp_path):
    """Its install step, run by bash as the runner would; gives the outcome and the outputs."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "torchdoctor"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m torchdoctor "$@"\n')
    program.chmod(0o755)
    step = next(row for row in action["runs"]["steps"] if row.get("id") == "install")

    def run(environment, torch=TORCH):
        given = {
            **alone,
            **TRUSTING,
            "PATH": f"{tmp_path / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "ENVIRONMENT": environment,
            "TORCHDOCTOR_INSTALL_TORCH": torch,
            "TORCHDOCTOR_INSTALL_VARIANT": "cpu",
            "TORCHDOCTOR_INSTALL_PYTHON": "",
            # What a runner on the internet would not need.
            "TORCHDOCTOR_INSTALL_INDEX_URL": f"{official.url}/whl",
            "TORCHDOCTOR_INSTALL_WITHOUT": "pip torchaudio",
            "TORCHDOCTOR_INSTALL_VERIFY": "false",
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env=given, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        written = (tmp_path / "output").read_text("utf-8").splitlines()
        return done, dict(line.split("=", 1) for line in written)

    return run


@pytest.mark.process
def test_the_action_installs_and_says_what(run_step, tmp_path):
    """The interpreter, the version and the variant are its outputs."""
    done, outputs = run_step("an env")
    assert done.returncode == 0, done.stderr
    assert (outputs["torch"], outputs["variant"]) == (f"{TORCH}+cpu", "cpu")
    assert Path(outputs["python"]).is_relative_to(tmp_path / "an env")


@pytest.mark.process
def test_the_action_fails_with_our_status_and_our_words(run_step):
    """No build: status 3, and an annotation that the runner shows."""
    done, outputs = run_step("env", torch="1.0")
    assert (done.returncode, outputs) == (3, {})
    assert "::error::" in done.stderr


def test_no_input_becomes_text_of_a_script(action):
    """An input with a quote in it is a value, not a command."""
    assert all("${{" not in row.get("run", "") for row in action["runs"]["steps"])


def test_the_hook_calls_a_command_that_there_is():
    """Its entry is typed as the program takes it."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    program, name, *options = shlex.split(hook["entry"])
    assert (program, name in COMMANDS) == ("torchdoctor", True)
    command = cli.get_command(None, name)
    assert set(options) <= {word for row in command.params for word in row.opts}


def test_the_hook_looks_at_the_environment_that_was_active_before_it(torchdoctor, tmp_path):
    """pre-commit sets VIRTUAL_ENV and PATH to an environment of its own, in which torchdoctor runs."""
    shell = tmp_path / "active"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", shell], check=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), str(shell / "bin"), os.environ["PATH"]])
    ran = torchdoctor(
        "doctor", "--json", "--no-network", "--no-import", PRE_COMMIT="1", VIRTUAL_ENV=sys.prefix, PATH=path
    )
    assert str(shell) in ran.out, ran.out
