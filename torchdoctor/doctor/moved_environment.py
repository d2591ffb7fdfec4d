"""Whether a virtual environment was moved: its scripts still name the interpreter of the old place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.inventory.launchers import interpreter_named

if TYPE_CHECKING:
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo

__all__ = ["scripts_of_elsewhere"]

_SCRIPTS = ("pip", "pip3", "torchrun", "ipython", "jupyter")
_MAX_HEAD_BYTES = 4096


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
