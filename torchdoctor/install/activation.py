"""The command that activates an environment, in the words of the shell that will run it."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["activation_command"]

# Shells that read the POSIX script by `source`; dash and ash have `.` alone, which every POSIX shell has.
_WITH_SOURCE = frozenset({"bash", "zsh"})
# Other shells: the script of a virtual environment, and the command that reads it.
_SCRIPTS = {
    "fish": ("activate.fish", "source"),
    "csh": ("activate.csh", "source"),
    "tcsh": ("activate.csh", "source"),
}
_SCRIPTS |= {"nu": ("activate.nu", "overlay use"), "xonsh": ("activate.xsh", "source")}
_POWERSHELLS = frozenset({"powershell", "pwsh"})


def activation_command(folder: Path, shell: str | None) -> str:
    """Return the command for a shell of this name, such as `fish`; None or another name stands for the system's usual.

    Every path is quoted for that shell.
    """
    if (folder / "conda-meta").is_dir():
        return f"conda activate {_quoted(str(folder), shell)}"
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    if shell in _POWERSHELLS:
        script = next(iter(sorted(scripts.glob("[Aa]ctivate.ps1"))), scripts / "Activate.ps1")
        return f"& {_quoted(str(script), shell)}"
    if shell in _SCRIPTS:
        name, command = _SCRIPTS[shell]
        return f"{command} {_quoted(str(scripts / name), shell)}"
    if sys.platform == "win32" and shell in (None, "cmd"):
        return _quoted(str(scripts / "activate.bat"), "cmd")
    return f"{'source' if shell in _WITH_SOURCE else '.'} {_quoted(str(scripts / 'activate'), shell)}"


def _quoted(path: str, shell: str | None) -> str:
    if shell in _POWERSHELLS:
        return "'" + path.replace("'", "''") + "'"
    if shell == "cmd" or (shell is None and sys.platform == "win32"):
        return f'"{path}"' if " " in path or "&" in path else path
    if shell == "fish":
        return "'" + path.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if shell == "nu":
        return f"`{path}`"
    return shlex.quote(path)
