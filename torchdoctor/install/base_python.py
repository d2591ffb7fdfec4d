"""A virtual environment whose base Python is gone: the version that it needs, and its links to another one."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.install.location import interpreter_of
from torchdoctor.install.relocate import Relocation
from torchdoctor.inventory.files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torchdoctor.detect import PythonInfo

__all__ = ["LostPython", "lost_python", "plan_base_change"]

_VERSION = re.compile(r"(?m)^version(?:_info)?\s*=\s*(3\.\d{1,3})(?:\.|\s|$)")
_HOME = re.compile(r"(?m)^home\s*=\s*(.+?)\s*$")
_FOLDER = re.compile(r"python(3\.\d{1,3})(t?)", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class LostPython:
    """The interpreter that an environment was made with, which is no longer there."""

    folder: Path
    interpreter: str  # the file that is missing
    version: str  # such as 3.11 or 3.13t, which packages with compiled parts need


def lost_python(folder: Path) -> LostPython | None:
    """Return the base Python that the environment lacks; None where it has one, or where no file says which."""
    python = interpreter_of(folder)
    config = read_text(str(folder / "pyvenv.cfg"))
    if config is None or python.exists() or not python.is_symlink():
        return None
    home = _HOME.search(config)
    version = _version(folder, config)
    if version is None:
        return None
    missing = os.path.realpath(python)
    if home is not None and os.path.dirname(missing) == str(folder / "bin"):  # noqa: PTH120  (text)
        missing = f"{home[1]}/{python.name}"
    return LostPython(folder=folder, interpreter=sanitize_line(missing), version=version)


def _version(folder: Path, config: str) -> str | None:
    """The folder of its packages names it best; pyvenv.cfg does not tell a free-threaded Python."""
    found = [
        match for path in sorted(folder.glob("lib/python3.*")) if (match := _FOLDER.fullmatch(path.name))
    ]
    if len(found) == 1:
        return f"{found[0][1]}{found[0][2]}"
    match = _VERSION.search(config)
    return match[1] if match else None


def plan_base_change(lost: LostPython, base: PythonInfo) -> Relocation:
    """Return the links and the pyvenv.cfg with which the environment runs `base`.

    Raises `EnvironmentUnusable` where `base` is of another version, for which its packages were not made.
    """
    minor = ".".join(base.version.split(".")[:2]) + ("t" if base.free_threaded else "")
    if minor != lost.version or base.implementation != "cpython":
        raise EnvironmentUnusable(
            message(
                "{python} is {implementation} {version}, and the packages of {folder} are for Python {wanted}",
                python=base.executable, implementation=base.implementation, version=minor, folder=lost.folder,
                wanted=lost.version,
            ),
            fix=message("install that Python: uv python install {version}", version=lost.version),
            code="no-python",
        )  # fmt: skip
    config = lost.folder / "pyvenv.cfg"
    text = read_text(str(config)) or ""
    return Relocation(
        folder=lost.folder,
        former=(lost.interpreter,),
        files=((config, _with_base(text, base).encode()),),
        links=tuple(_links(lost.folder, base)),
    )


def _with_base(config: str, base: PythonInfo) -> str:
    values = {
        "home": str(base.executable.parent),
        "executable": str(base.executable),
        "base-executable": str(base.executable),
        "base-prefix": str(base.base_prefix),
        "base-exec-prefix": str(base.base_prefix),
        "version": base.version,
        "version_info": base.version,
    }
    lines = []
    for line in config.splitlines():
        key = line.partition("=")[0].strip()
        lines.append(f"{key} = {values[key]}" if key in values else line)
    return "\n".join(lines) + "\n"


def _links(folder: Path, base: PythonInfo) -> Iterator[tuple[Path, str]]:
    """The links named python in bin that lead out of it to a file that is gone; those among themselves stay."""
    for path in sorted((folder / "bin").glob("python*")):
        if path.is_symlink() and not path.exists() and os.sep in str(path.readlink()):
            yield path, str(base.executable)
