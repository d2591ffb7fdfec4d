"""The commands that a wheel brings, whichever way an installer reads its list."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wheelmaker import make_wheel
from torchdoctor.core.wheelfile import command_names

# Each hides a second command from one reader or another.
HIDDEN = {
    "plain": "[console_scripts]\ntool = a:b\nhidden = a:b\n",
    "windows": "[console_scripts]\r\ntool = a:b\r\nhidden = a:b\r\n",
    "old mac": "[console_scripts]\rtool = a:b\rhidden = a:b\r",
    "mixed": "[console_scripts]\ntool = a:b\rhidden = a:b\n",
    "indented": "[console_scripts]\ntool = a:b\n  hidden = a:b\n",
    "other separators": "[console_scripts]\ntool = a:b\x0bhidden = a:b\n",
    "twice": "[console_scripts]\ntool = a:b\n[other]\nx = y\n[console_scripts]\nhidden = a:b\n",
    "gui": "[console_scripts]\ntool = a:b\n[gui_scripts]\nhidden = a:b\n",
    "spaced group": "[ console_scripts ]\ntool = a:b\nhidden=a:b\n",
    "no group before": "stray line\n[console_scripts]\ntool = a:b\nhidden = a:b\n",
    "mark of bytes": "\ufeff[console_scripts]\ntool = a:b\nhidden = a:b\n",
    "colon": "[console_scripts]\ntool = a:b\nhidden: a:b\n",
    "empty value": "[console_scripts]\ntool\nhidden = a:b\n",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_a_command_is_seen_however_it_is_written(text):
    """One that was not seen could replace `torchrun`."""
    assert "hidden" in command_names(text)


def test_other_lines_are_no_commands():
    """Remarks, and the entries of other groups."""
    text = "# note = a:b\n[pytest11]\nplugin = a:b\n[console_scripts]\n; old = a:b\ntool = a.b:c [extra]\n"
    assert command_names(text) == ["tool"]


@pytest.mark.process
def test_uv_makes_no_command_that_was_not_seen(tmp_path):
    """Each of these texts in a wheel of its own; uv refuses some of them."""
    uv, env = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv", tmp_path / "env"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, env], check=True, timeout=60)
    python = env / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    scripts = python.parent
    made = set()
    for number, text in enumerate(HIDDEN.values()):
        modules = {f"demo{number}-1.0.dist-info/entry_points.txt": text}
        name, content = make_wheel(f"demo{number}", "1.0", tag="py3-none-any", modules=modules)
        (tmp_path / name).write_bytes(content)
        before = {path.stem for path in scripts.iterdir()}
        command = [uv, "pip", "install", "-q", "--offline", "--no-index", "--reinstall", "--python", python]
        subprocess.run([*command, tmp_path / name], check=False, timeout=60, capture_output=True)
        new = {path.stem for path in scripts.iterdir()} - before
        assert new <= set(command_names(text)), text
        made |= new
        for path in scripts.iterdir():
            if path.stem in new:
                path.unlink()
    assert {"tool", "hidden"} <= made
