"""Which interpreter `--python` means: a path, an environment, a version, a name, the active one, or none given."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.text import read_json
from torchdoctor.detect.python.describe import describe_python
from torchdoctor.detect.python.named_environments import conda_environments, find_environment_by_name
from torchdoctor.errors import EnvironmentUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torchdoctor.core.system import System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["base_interpreter", "find_python", "parse_uv_list"]

# uv runs each interpreter that it meets for the first time.
_SECONDS = 60.0
_VERSION = re.compile(r"(?:(?:python|cpython|pypy)[-@]?)?(\d+(?:\.\d+){0,2}(?:(?:a|b|rc)\d+)?t?)", re.ASCII)
_UV = ("--no-config", "--no-python-downloads", "--offline", "--color", "never")


def find_python(
    system: System, asked: str | None, describe: Callable[[System, Path], PythonInfo] = describe_python
) -> PythonInfo:
    """The interpreter that was asked for; without a word, the base one of the Python that runs torchdoctor.

    `describe` says what is at its path.

    A path, a folder, `active`, a version (uv's list, then pyenv's), a program on PATH, the name of a conda environment
    or of one that pyenv holds. Raises `EnvironmentUnusable`, naming those that are there, when it is none of them.
    """
    if asked is None:
        return describe(system, base_interpreter())
    looks_like_path = any(mark in asked for mark in ("/", "\\", "~")) or asked in (".", "..")
    place = Path(asked).expanduser() if asked.startswith("~") else Path(asked)
    if looks_like_path or (not _VERSION.fullmatch(asked) and place.is_dir()):
        return describe(system, _in_place(place.absolute(), asked))
    if asked == "active":
        return describe(system, _active(system))
    found = _by_uv(system, asked) or _by_pyenv(system, asked) or find_environment_by_name(system, asked)
    if found is None:
        raise _nothing(system, asked)
    return describe(system, found)


def _active(system: System) -> Path:
    """The interpreter of the environment that this shell has activated, a virtual one before conda's."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        folder = system.environ.get(name)
        if folder:
            return _in_place(Path(folder), f"{folder}, which {name} names,")
    raise EnvironmentUnusable(
        message("no environment is active: neither VIRTUAL_ENV nor CONDA_PREFIX is set"),
        fix=message("activate one, or name it with --python"),
        code="no-python",
    )


def base_interpreter() -> Path:
    """What this process's virtual environment was made from, else its own interpreter.

    Python 3.10 does not say; and Debian's venvs say /usr/bin/python, which may not be there.
    """
    own = Path(sys.executable)
    if sys.prefix == sys.base_prefix:
        return own
    said = Path(getattr(sys, "_base_executable", None) or own)
    short = f"python{sys.version_info[0]}.{sys.version_info[1]}{getattr(sys, 'abiflags', '')}"
    above = Path(sys.base_prefix)
    candidates = (said, above / "bin" / short, above / "bin" / "python3", above / "python.exe")
    return next((path for path in candidates if path != own and path.exists()), own)


def _in_place(place: Path, asked: str) -> Path:
    if place.is_file():
        return place
    if not place.is_dir():
        raise EnvironmentUnusable(
            message("there is no Python at {asked}", asked=asked),
            fix=message("name an interpreter, a folder or a version"),
            code="no-python",
        )
    for name in ("bin/python", "Scripts/python.exe", "python.exe", "bin/python3"):
        if (place / name).exists():
            return place / name
    raise EnvironmentUnusable(
        message("{asked} is a folder without a Python in it", asked=asked),
        fix=message("name a virtual environment, an interpreter or a version"),
        code="no-python",
    )


def _uv() -> str:
    from uv import find_uv_bin

    try:
        return find_uv_bin()
    except FileNotFoundError:
        return "uv"


def _by_uv(system: System, asked: str) -> Path | None:
    """Ask uv, which knows the registry, its own installations and PATH; --system keeps it off active environments."""
    answer = system.run([_uv(), "python", "find", "--system", *_UV, "--", asked], timeout=_SECONDS)
    lines = answer.stdout.strip().splitlines()
    return Path(lines[-1]) if answer.ok and lines else None


def _by_pyenv(system: System, asked: str) -> Path | None:
    """Versions that pyenv holds without having them on PATH, the newest first."""
    match = _VERSION.fullmatch(asked)
    if match is None or "pypy" in asked:
        return None
    wanted, threads = match[1].rstrip("t"), match[1].endswith("t")
    rows = [row for row in _pyenv(system) if row[0] == wanted or row[0].startswith(f"{wanted}.")]
    rows = [row for row in rows if row[1] is threads]
    return max(rows, key=lambda row: tuple(map(int, re.findall(r"\d+", row[0]))))[2] if rows else None


def _pyenv(system: System) -> Iterator[tuple[str, bool, Path]]:
    """Version, free-threaded or not, and interpreter of each."""
    home = system.environ.get("PYENV_ROOT") or f"{system.environ.get('HOME') or '~'}/.pyenv"
    for path in system.glob(f"{home}/versions/*/bin/python"):
        match = re.fullmatch(r"(\d+\.\d+\.\d+)(t?)", path.split("/")[-3], re.ASCII)
        if match:
            yield match[1], bool(match[2]), Path(path)


def _nothing(system: System, asked: str) -> EnvironmentUnusable:
    answer = system.run(
        [_uv(), "python", "list", "--only-installed", "--output-format", "json", *_UV], timeout=_SECONDS
    )
    rows = dict(parse_uv_list(answer.stdout)) if answer.ok else {}
    for version, threads, path in _pyenv(system):
        rows.setdefault(f"{version}{'t' if threads else ''}", str(path))
    for name, python in conda_environments(system):
        rows.setdefault(name, str(python))
    here = ", ".join(f"{version} ({path})" for version, path in rows.items()) or message("none")
    if not _VERSION.fullmatch(asked):
        advice = message(
            "name a version such as 3.12, a conda environment, or the path of an interpreter with --python"
        )
    elif rows:
        advice = message(
            "install it (uv python install {asked}), or name one of these with --python", asked=asked
        )
    else:
        advice = message("install Python, or name one with --python")
    return EnvironmentUnusable(
        message("no Python {asked!r} was found; there are: {here}", asked=asked[:60], here=here),
        fix=advice,
        code="no-python",
    )


def parse_uv_list(text: str) -> Iterator[tuple[str, str]]:
    """Version and path of each row of `uv python list --output-format json`; rows that are none are left."""
    try:
        rows = read_json(text)
    except ValueError:
        return
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("version", "path")):
            continue
        name = "" if row.get("implementation") == "cpython" else f"{row.get('implementation')} "
        threads = "t" if row.get("variant") == "freethreaded" else ""
        yield f"{name}{row['version']}{threads}", row["path"]
