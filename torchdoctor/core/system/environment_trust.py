"""Keeps the interpreters of other users' environments from running: what they start is what those users put there."""

from __future__ import annotations

import errno
import os
import re
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.ownership import foreign_reason
from torchdoctor.core.fs.regular_files import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "ForeignEnvironment",
    "environment_above",
    "foreign_environment",
    "is_administrator",
    "is_environment",
    "is_trusted_environment",
    "refuse_foreign_environment",
    "trust_environment",
    "trust_what_was_named",
]

_INTERPRETER = re.compile(r"python[\d.]{0,8}t?w?(\.exe)?", re.IGNORECASE)
_PACKAGES = (
    "lib/python3*/site-packages", "lib64/python3*/site-packages", "Lib/site-packages", "lib/pypy3*/site-packages",
    "site-packages",
)  # fmt: skip
# What an interpreter imports at its start from its own library, wherever that lies.
_LIBRARIES = ("lib/python3*", "lib64/python3*", "Lib", "lib/pypy3*", "lib-python/3")
_OF_LIBRARY = ("site.py", "os.py", "encodings", "__pycache__", "encodings/__pycache__", "lib-dynload")
_CUSTOMIZE = ("sitecustomize", "usercustomize")
_MAX_ENTRIES = 20_000
_MAX_TEXT_BYTES, _MAX_PTH_LINES = 64 * 1024, 256
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
        if is_environment(folder):
            return folder
    return None


def is_environment(folder: Path) -> bool:
    """Whether a folder is an environment, by what lies in it."""
    try:
        return (folder / "pyvenv.cfg").is_file() or (folder / "conda-meta").is_dir()
    except OSError:  # nobody may look into it
        return False


def is_trusted_environment(folder: Path) -> bool:
    """Whether what lies in an environment may run: it runs torchdoctor, somebody agreed, or it was made here."""
    return folder in _trusted or Path(os.path.realpath(folder)) in _trusted | _own()


def foreign_environment(program: Path) -> str | None:
    """Return why the interpreter of an environment may not run unasked: another user could change what it runs.

    None for one that is this user's or the administrator's, one that runs torchdoctor, and what is no environment's.
    """
    folder = environment_above(program)
    if folder is None or is_trusted_environment(folder):
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
    """Yield what an interpreter runs before anything that it was asked for, and the packages that it may import.

    https://docs.python.org/3/library/site.html
    """
    base = _base_of(folder)
    for library in _found(folder if base is None else base, _LIBRARIES):
        yield library
        yield from (library / name for name in _OF_LIBRARY)
        yield from _customize(library)
    sites = [*_found(folder, _PACKAGES)]
    if base is not None and _sees_base(folder):
        sites += _found(base, _PACKAGES)
    for site in sites:
        yield site
        yield from _entries(site)
        yield from _customize(site)
        for named in _named_in(site):
            yield named
            yield from _customize(named)


def _base_of(folder: Path) -> Path | None:
    """Return the prefix of the Python that a virtual environment was made with."""
    home = _setting(folder, "home")
    if home is None:
        return None
    path = Path(home)
    return path.parent if path.name.lower() in ("bin", "scripts") else path


def _sees_base(folder: Path) -> bool:
    return (_setting(folder, "include-system-site-packages") or "").lower() == "true"


def _setting(folder: Path, key: str) -> str | None:
    text = _text(folder / "pyvenv.cfg")
    found = re.search(rf"^{key}\s*=\s*(\S[^\n]*?)\s*$", text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else None


def _entries(site: Path) -> Iterator[Path]:
    try:
        with os.scandir(site) as entries:
            yield from (Path(entry.path) for entry in islice(entries, _MAX_ENTRIES))
    except OSError:
        return


def _customize(folder: Path) -> Iterator[Path]:
    """Yield the modules of that name in a folder: a file, bytecode, a library or a package of its own."""
    for name in _CUSTOMIZE:
        yield from folder.glob(f"{name}*")
        yield folder / name / "__init__.py"
        yield from folder.glob(f"__pycache__/{name}*")
    yield folder / "__pycache__"


def _named_in(site: Path) -> Iterator[Path]:
    """Yield the folders that the `.pth` files of a package folder add to the search path."""
    for file in site.glob("*.pth"):
        text = _text(file)
        for line in text.splitlines()[:_MAX_PTH_LINES]:
            if line.strip() and not line.startswith(("#", "import ", "import\t")):
                yield site / line.rstrip()


def _text(path: Path) -> str:
    try:
        return read_regular(path, limit=_MAX_TEXT_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _found(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from folder.glob(pattern)
