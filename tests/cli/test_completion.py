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


@pytest.fixture
def offered(torchdoctor):
    """What may stand at the end of a line: asked as bash asks."""

    def ask(line, **more):
        words = line.split(" ")
        ran = torchdoctor(
            COMP_WORDS=line, COMP_CWORD=str(len(words) - 1), _TORCHDOCTOR_COMPLETE="bash_complete", **more
        )
        assert ran.err == ""
        return [row.partition(",")[2] for row in ran.out.splitlines()]

    return ask


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("torchdoctor jupyter-kernel ", ["add", "check", "list", "remove", "repair"]),
        ("torchdoctor jupyter-kernel --disp", ["--display-name"]),
        ("torchdoctor install --variant cu", ["cu118", "cu126"]),
        ("torchdoctor install --mirror ", ["auto", "official", "nju"]),
        ("torchdoctor jupyter-kernel ENV --mirror nj", ["nju"]),
        ("torchdoctor explain driver-", ["driver-missing", "driver-too-old"]),
        ("torchdoctor diagnose --explain driver-m", ["driver-missing"]),
        ("torchdoctor verify --only mat", ["matmul"]),
        ("torchdoctor verify --skip conv,mat", ["conv,matmul"]),
        ("torchdoctor bench --only launch", ["launch", "launch-and-wait"]),
        ("torchdoctor doctor --exclude gpu", ["gpu"]),
        ("torchdoctor config set install.m", ["install.mirror"]),
        ("torchdoctor config unset la", ["lang"]),
        ("torchdoctor resolve --format py", ["pylock"]),
        ("torchdoctor report --format ", ["md", "json", "html"]),
    ],
)
def test_values_are_offered(offered, line, some):
    """Those that the program knows itself."""
    assert set(some) <= set(offered(line))


@pytest.mark.parametrize("command", ["check", "repair", "remove"])
def test_the_kernels_here_are_offered(offered, command, tmp_path):
    """By their names, whatever they run."""
    spec = tmp_path / "jupyter" / "kernels" / "demo" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text('{"argv": ["python"], "display_name": "Demo"}')
    line = f"torchdoctor jupyter-kernel {command} de"
    assert offered(line, JUPYTER_PATH=str(tmp_path / "jupyter")) == ["demo"]


@pytest.mark.parametrize(
    "line", ["torchdoctor instal ", "torchdoctor jupyter-kernel lst --", "torchdoctor install --mirror x --"]
)
def test_a_line_that_is_wrong_already_is_no_traceback(offered, line):
    """Whoever presses TAB wants no lecture."""
    offered(line)


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


def test_the_help_of_vendor_names_all_of_them():
    """It is written out, so that a start of the program reads no data for it."""
    from torchdoctor.cli.resolve import command
    from wheels_index import vendor_names

    text = next(option.help for option in command.params if option.name == "vendor")
    assert [name for name in vendor_names() if name not in text] == []
