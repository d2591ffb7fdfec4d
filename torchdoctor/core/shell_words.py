"""Words of a command that is shown: quoted for the shell in which it is typed."""

from __future__ import annotations

import re
import shlex
import sys

__all__ = ["argument", "quoted"]


def quoted(word: str, *, windows: bool = sys.platform == "win32") -> str:
    """Return any text as one word of a POSIX shell, or of PowerShell."""
    if not windows:
        return shlex.quote(word)
    return word if re.fullmatch(r"[\w:\\/.+-]+", word) else "'" + word.replace("'", "''") + "'"


def argument(word: str, *, windows: bool = sys.platform == "win32") -> str:
    """Return any text as one argument of a command of ours: one that begins with a dash is no option."""
    return f"-- {quoted(word, windows=windows)}" if word.startswith("-") else quoted(word, windows=windows)
