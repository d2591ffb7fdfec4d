"""What the tags of a wheel's name say: the platform, the Python, the least glibc, the macOS tag."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["glibc_of", "macos_tags", "platform_of", "python_of", "python_order", "pythons_of"]

_CPYTHON = re.compile(r"cp(\d)(\d+)", re.ASCII)
_PYTHON = re.compile(r"(\d+)\.(\d+)(t?)", re.ASCII)
_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_", re.ASCII)
# PEP 600: the names that stood for a glibc before tags said it.
_OLD_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_WINDOWS = {"win_amd64": "windows_x86_64", "win_arm64": "windows_arm64"}


# Each name is asked for its platform, its Python and its floor in turn.
@lru_cache(maxsize=4096)
def _parts(filename: str) -> tuple[str, str, list[str]]:
    """Split a name into interpreter, ABI and platforms; `packaging.tags` would bring subprocess with it."""
    interpreter, abi, platforms = filename.removesuffix(".whl").rsplit("-", 3)[1:]
    return interpreter.partition(".")[0], abi.partition(".")[0], sorted(platforms.split("."))


def platform_of(filename: str) -> str | None:
    """Return our key of a wheel's platform, or None for one without a key (s390x, any)."""
    for tag in _parts(filename)[2]:
        if tag.startswith(("manylinux", "linux_")):
            return next((f"linux_{arch}" for arch in ("x86_64", "aarch64") if tag.endswith(arch)), None)
        if tag.startswith("macosx"):
            return next((f"macos_{arch}" for arch in ("arm64", "x86_64") if tag.endswith(arch)), None)
        if tag in _WINDOWS:
            return _WINDOWS[tag]
    return None


def python_of(filename: str) -> str | None:
    """Return `3.12`, `3.13t`, `py3` for a wheel of any Python 3, or None where the tags do not say one."""
    interpreter, abi, _ = _parts(filename)
    found = _CPYTHON.fullmatch(interpreter)
    if found is None:
        return "py3" if interpreter == "py3" else None
    if abi == "abi3":  # this Python and every later one
        return None
    return f"{found[1]}.{found[2]}" + ("t" if abi.endswith("t") else "")


def python_order(python: str) -> tuple[int, int, bool]:
    """Sort `3.9` before `3.10` before `3.10t`; anything that is not a version comes last."""
    found = _PYTHON.fullmatch(python)
    return (int(found[1]), int(found[2]), bool(found[3])) if found else (99, 0, False)


def glibc_of(filenames: Iterable[str]) -> str | None:
    """Return the least glibc that some of these need; None while one of them does not name its own."""
    floors = [_glibc(name) for name in filenames]
    known = [floor for floor in floors if floor is not None]
    return "{}.{}".format(*min(known)) if known and len(known) == len(floors) else None


def _glibc(filename: str) -> tuple[int, int] | None:
    floors = []
    for tag in _parts(filename)[2]:
        found = _MANYLINUX.match(tag)
        old = _OLD_MANYLINUX.get(tag.partition("_")[0])
        if found or old:
            floors.append((int(found[1]), int(found[2])) if found else old or (0, 0))
    return min(floors, default=None)


def macos_tags(filename: str) -> tuple[str, ...]:
    """Return the platform tags of a wheel for macOS."""
    tags = _parts(filename)[2] if "macosx_" in filename else ()
    return tuple(tag for tag in tags if tag.startswith("macosx_"))


def pythons_of(filenames: Iterable[str]) -> tuple[str, ...]:
    """Return the Pythons of some wheels, oldest first."""
    pythons = {python for name in filenames if (python := python_of(name)) is not None}
    return tuple(sorted(pythons, key=python_order))
