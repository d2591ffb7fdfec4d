"""Shell completion, asked as the shells ask."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_has_a_script(torchdoctor, shell):
    """It calls the program back through click's variable."""
    ran = torchdoctor("completion", shell)
    assert (ran.status, "_TORCHDOCTOR_COMPLETE" in ran.out) == (0, True)


def test_bash_takes_the_script_and_gets_the_commands(torchdoctor, tmp_path):
    """A real bash: the script is evaluated, its function asked for what may follow."""
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    script = torchdoctor("completion", "bash").out
    program = tmp_path / "torchdoctor"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m torchdoctor "$@"\n')
    program.chmod(0o755)
    ask = "COMP_WORDS=(torchdoctor ver); COMP_CWORD=1; _torchdoctor_completion torchdoctor; echo ${COMPREPLY[@]}"
    done = subprocess.run(
        ["bash", "--norc", "-c", f'PATH="{tmp_path}:$PATH"\n{script}\n{ask}'],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["verify"], done.stderr
