"""Keeps the interpreters of other users' environments from running: what they start is what those users put there."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.ownership import foreign_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "ForeignEnvironment",
    "environment_above",
    "foreign_environment",
    "is_administrator",
    "refuse_foreign_environment",
    "trust_environment",
    "trust_what_was_named",
]

_INTERPRETER = re.compile(r"python[\d.]{0,8}t?w?(\.exe)?", re.IGNORECASE)
# What an interpreter runs at its start, before anything that it was asked for.
# https://docs.python.org/3/library/site.html
_RUN_AT_START = ("*.pth", "sitecustomize.py", "usercustomize.py")
_PACKAGES = ("lib/python3*/site-packages", "lib64/python3*/site-packages", "Lib/site-packages")
_trusted: set[Path] = set()


class ForeignEnvironment(PermissionError):
    """A process would run the interpreter of an environment that another user can change; `strerror` says why."""

    def __init__(self, reason: str, program: str) -> None:
        super().__init__(errno.EACCES, reason, program)


def trust_environment(folder: Path) -> None:
    """Let the interpreter of the environment at `folder` run in this process: somebody agreed, or it was made here."""
    _trusted.update((folder, Path(os.path.realpath(folder))))


def trust_what_was_named(program: Path) -> None:
    """Trust the environment of an interpreter that was named to be run, as to verify it: that is consent.

    Not for the administrator, as whom nothing of another user runs by mistake.
    """
    folder = environment_above(program)
    if folder is not None and not is_administrator():
        trust_environment(folder)


def is_administrator() -> bool:
    """Whether this process may do everything; on Windows, whose rights are no such bits, never."""
    return sys.platform != "win32" and os.geteuid() == 0


def environment_above(program: Path) -> Path | None:
    """Return the environment whose interpreter or command lies at this path, by the path alone; None for any other."""
    for folder in (program.parent.parent, program.parent):
        if (folder / "pyvenv.cfg").is_file() or (folder / "conda-meta").is_dir():
            return folder
    return None


def foreign_environment(program: Path) -> str | None:
    """Return why the interpreter of an environment may not run unasked: another user could change what it runs.

    None for one that is this user's or the administrator's, one that runs torchdoctor, and what is no environment's.
    """
    folder = environment_above(program)
    if folder is None or folder in _trusted or Path(os.path.realpath(folder)) in _trusted | _own():
        return None
    return foreign_reason([program, folder / "pyvenv.cfg", *_run_at_start(folder)])


def refuse_foreign_environment(argv: Sequence[str | Path]) -> None:
    """Raise `ForeignEnvironment` where a command is, or names, such an interpreter."""
    for number, word in enumerate(str(word) for word in argv):
        if os.path.isabs(word) and (not number or _INTERPRETER.fullmatch(os.path.basename(word))):  # noqa: PTH117, PTH119
            reason = foreign_environment(Path(word))
            if reason is not None:
                raise ForeignEnvironment(reason, word)


def _own() -> set[Path]:
    return {Path(os.path.realpath(prefix)) for prefix in (sys.prefix, sys.base_prefix)}


def _run_at_start(folder: Path) -> Iterator[Path]:
    for site in _found(folder, _PACKAGES):
        yield site
        yield from _found(site, _RUN_AT_START)


def _found(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from folder.glob(pattern)
