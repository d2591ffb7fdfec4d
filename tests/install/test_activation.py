"""The line that activates an environment fits the shell."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from torchdoctor.install.activation import activation_command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these are the scripts of a POSIX system")


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "source {0}/bin/activate"),
        ("zsh", "source {0}/bin/activate"),
        ("dash", ". {0}/bin/activate"),
        (None, ". {0}/bin/activate"),
        ("fish", "source '{0}/bin/activate.fish'"),
        ("tcsh", "source {0}/bin/activate.csh"),
        ("nu", "overlay use `{0}/bin/activate.nu`"),
        ("pwsh", "& '{0}/bin/Activate.ps1'"),
    ],
)
def test_each_shell_has_its_own_script_and_word(tmp_path, shell, line):
    """dash has no `source`, fish and csh cannot read bash's script."""
    assert activation_command(tmp_path / "env", shell) == line.format(tmp_path / "env")


def test_a_conda_environment_is_activated_by_conda(tmp_path):
    """It has no script of its own."""
    (tmp_path / "conda-meta").mkdir()
    assert activation_command(tmp_path, "bash") == f"conda activate {tmp_path}"


@pytest.mark.process
@pytest.mark.parametrize("shell", ["bash", "dash", "fish", "tcsh", "zsh"])
def test_the_line_works_as_typed(tmp_path, shell):
    """In a folder whose name a shell would take apart; what Python's own script cannot quote is not in it."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    folder = tmp_path / "a b 环境; x"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    line = activation_command(folder, shell)
    if shell == "tcsh":
        line = f"set prompt = '% '; {line}"  # which an interactive one has
    ran = subprocess.run(
        [shell, "-c", f"{line} && python -c 'import sys; print(sys.prefix)'"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stdout.strip() == str(folder), ran.stderr
