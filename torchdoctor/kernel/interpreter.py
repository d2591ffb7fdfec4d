"""The first word of a kernel's command -> its interpreter, the environment, and what is installed there."""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.inventory.build_variant import variant_of_version_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.core.system import System

__all__ = [
    "KernelCommand",
    "package_folders",
    "package_version",
    "prefix_of",
    "python_in",
    "resolve_kernel_command",
    "torch_version_and_variant",
]

# jupyter_client starts these with the Python that runs Jupyter (KernelManager.format_kernel_cmd).
_PYTHON_OF_JUPYTER = re.compile(r"python(3(\.\d+)?)?")
_PYTHON = re.compile(r"(pythonw?|pypy)[\d.]*t?(\.exe)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelCommand:
    """What a command starts."""

    program: Path | None  # None when it does not exist
    is_python: bool
    jupyters_own: bool = False  # it is the Python that runs Jupyter


def resolve_kernel_command(system: System, word: str, own: Path | None) -> KernelCommand:
    """Return the program that Jupyter would start for `word`; `own` is the environment that Jupyter runs in."""
    if _PYTHON_OF_JUPYTER.fullmatch(word):
        python = python_in(system, own) if own else None
        return KernelCommand(program=python, is_python=True, jupyters_own=True)
    is_python = bool(_PYTHON.fullmatch(re.split(r"[/\\]", word)[-1]))
    if "/" in word or "\\" in word:
        return KernelCommand(program=Path(word) if system.exists(word) else None, is_python=is_python)
    for folder in system.environ.get("PATH", "").split(os.pathsep):
        if folder and system.exists(f"{folder}/{word}"):
            return KernelCommand(program=Path(folder) / word, is_python=is_python)
    return KernelCommand(program=None, is_python=is_python)


def python_in(system: System, prefix: Path) -> Path | None:
    """Return the interpreter of a venv, or of a conda environment, whose python.exe is at the top; None without one."""
    names = ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe")
    return next((prefix / name for name in names if system.exists(str(prefix / name))), None)


def prefix_of(python: Path) -> Path:
    """Return the environment of an interpreter, judged by its path."""
    return python.parent.parent if python.parent.name.lower() in ("bin", "scripts") else python.parent


def package_folders(
    system: System, prefix: Path, settings: Iterable[tuple[str, str]] = ()
) -> tuple[Path, ...]:
    """Return the package folders that the interpreter of an environment sees, in its order, as far as files tell.

    `settings` are environment variables that the kernel sets.
    """
    found = [Path(path) for path in dict(settings).get("PYTHONPATH", "").split(os.pathsep) if path]
    for pattern in ("lib/python3*/site-packages", "lib/pypy3*/site-packages", "Lib/site-packages"):
        found += _glob(system, prefix, pattern)
    config = system.read_text(str(prefix / "pyvenv.cfg"))
    if config is None or re.search(r"(?m)^include-system-site-packages\s*=\s*true", config):
        home = re.search(r"(?m)^home\s*=\s*(.+?)\s*$", config) if config else None
        outer = Path(home[1]).parent if home else prefix
        for pattern in ("lib/python3*/site-packages", "lib/python3/dist-packages"):
            found += _glob(system, outer, pattern)
        if outer == Path("/usr"):
            found += _glob(system, Path("/usr/local"), "lib/python3*/dist-packages")
        user = system.environ.get("PYTHONUSERBASE") or f"{system.environ.get('HOME', '')}/.local"
        found += _glob(system, Path(user), "lib/python3*/site-packages")
    return tuple(dict.fromkeys(found))


def _glob(system: System, folder: Path, pattern: str) -> list[Path]:
    """Return what matches `pattern` in `folder`, without conda's link `lib/python3.1` to the folder of Python 3.1x.

    https://github.com/conda/conda/issues/11423
    """
    matches = map(Path, system.glob(f"{glob.escape(str(folder))}/{pattern}"))
    return [path for path in matches if path.parent.name != "python3.1"]


def package_version(system: System, folders: Iterable[Path], name: str) -> str | None:
    """Return the version of a package by the name of its metadata folder; None when it is not installed."""
    for folder in folders:
        for kind in ("dist-info", "egg-info"):
            for path in system.glob(f"{glob.escape(str(folder))}/{name}-*.{kind}"):
                version = re.fullmatch(rf"{name}-([^-]+)(-py3.*)?\.{kind}", Path(path).name)
                if version:
                    return version[1]
    return None


def torch_version_and_variant(system: System, folders: Iterable[Path]) -> tuple[str | None, str | None]:
    """Return version and variant of the torch that would be imported; each is None when it is not known."""
    for folder in folders:
        version = package_version(system, (folder,), "torch")
        if version is not None:
            text = system.read_text(str(folder / "torch" / "version.py"))
            build = variant_of_version_file(text) if text else None
            return version, build or variant_of_version_file(f"__version__ = '{version}'")
    return None, None
