"""Commands of a fix for one environment: with its own interpreter and folder, quoted for its shell."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from torchdoctor.diagnose.derived import operating_system

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["quoted", "rewrite_for_environment"]

_PIP = re.compile(r"(?<![\w./-])python3? -m pip (install|uninstall|show|list|check)\b")
_UV = re.compile(r"(?<![\w./-])uv pip (?:install|uninstall)\b(?! --python)")
_PYTHON = re.compile(r"(?<![\w./-])python3?(?= -(?:m pip|c) )")
_FOLDER = re.compile(r"(?<=--clear )\.venv\b")
_INSTALL = re.compile(r"(?<![\w./-])torchdoctor install\b")


def rewrite_for_environment(command: str, evidence: Evidence) -> str:
    """Return the command with the live environment's interpreter and folder, or as it is for a pasted text.

    An environment without pip gets uv's command.
    """
    python, prefix = evidence.first("environment.python"), evidence.first("environment.prefix")
    if python is None or prefix is None or not f"{python}{prefix}".isprintable():
        return command
    windows = operating_system(evidence) == "windows"
    interpreter, folder = quoted(python, windows=windows), quoted(prefix, windows=windows)
    if evidence.first("package.pip") is None:
        command = _PIP.sub(lambda match: f"uv pip {match[1]} --python {interpreter}", command)
    command = _UV.sub(lambda match: f"{match[0]} --python {interpreter}", command)
    # PowerShell calls a quoted program by `&`.
    program = f"& {interpreter}" if interpreter.startswith("'") and windows else interpreter
    command = _PYTHON.sub(lambda _: program, command)
    command = _FOLDER.sub(lambda _: folder, command)
    return _INSTALL.sub(lambda match: f"{match[0]} {folder}", command)


def quoted(path: str, *, windows: bool) -> str:
    """Return a path as one word of a POSIX shell, or of PowerShell."""
    if not windows:
        return shlex.quote(path)
    return path if re.fullmatch(r"[\w:\\/.+-]+", path) else "'" + path.replace("'", "''") + "'"
