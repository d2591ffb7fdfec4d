"""Whether a virtual environment was moved: its scripts still name the interpreter of the old place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo

__all__ = ["interpreter_named", "scripts_of_elsewhere"]

_SCRIPTS = ("pip", "pip3", "torchrun", "ipython", "jupyter")
_MAX_HEAD_BYTES = 4096
# A path with a space, or one too long for the kernel, is started through a shell.
_LINES = (
    re.compile(r"#!\s*(/[^\n]{1,1000}?/python[\d.]*)(?:\s+-\w+)*\s*$", re.MULTILINE),
    re.compile(r"""^'''exec' ["']?(/[^\n"']{1,1000}/python[\d.]*)["']? ["']?\$0""", re.MULTILINE),
)


def interpreter_named(script: str) -> str | None:
    """Return the absolute path of the interpreter in a script's first lines; None where it names none.

    >>> interpreter_named("#!/home/me/old env/bin/python3.12")
    '/home/me/old env/bin/python3.12'
    """
    head = "\n".join(script.split("\n", 3)[:3])
    return next((match[1] for pattern in _LINES if (match := pattern.search(head))), None)


def scripts_of_elsewhere(system: System, python: PythonInfo) -> tuple[str, ...]:
    """Return a sentence for each of the environment's scripts that runs the interpreter of another place."""
    if not python.is_venv or python.sys_platform == "win32":
        return ()
    sentences = []
    for name in _SCRIPTS:
        path = f"{python.prefix}/bin/{name}"
        text = system.read_text(path, limit=_MAX_HEAD_BYTES)
        named = interpreter_named(text) if text else None
        if named is not None and not _within(named, python):
            sentences.append(message("{script} runs {python}", script=path, python=named))
    return tuple(sentences)


def _within(named: str, python: PythonInfo) -> bool:
    """Links are followed: a home folder is often one."""
    return Path(named).parent.resolve() == (python.prefix / "bin").resolve()
