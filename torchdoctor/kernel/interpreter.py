"""The first word of a kernel's command -> its interpreter, that one's environment, and what is installed there."""

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
    "package_version",
    "prefix_of",
    "python_in",
    "resolve_kernel_command",
    "site_folders",
    "torch_of",
]

# jupyter_client starts these with the Python that runs Jupyter (KernelManager.format_kernel_cmd).
_JUPYTERS_OWN = re.compile(r"python(3(\.\d+)?)?")
_PYTHON = re.compile(r"(pythonw?|pypy)[\d.]*t?(\.exe)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelCommand:
    """What a command starts: the program, None when it is not there, and whether that is a Python."""

    program: Path | None
    is_python: bool
    jupyters_own: bool = False


def resolve_kernel_command(system: System, word: str, own: Path | None) -> KernelCommand:
    """The program that Jupyter would start for `word`; `own` is the environment that Jupyter runs in."""
    if _JUPYTERS_OWN.fullmatch(word):
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
    """The interpreter of an environment: a venv's, or conda's, whose python.exe lies at the top."""
    places = (prefix / "bin" / "python", prefix / "bin" / "python3", prefix / "Scripts" / "python.exe")
    return next((path for path in (*places, prefix / "python.exe") if system.exists(str(path))), None)


def prefix_of(python: Path) -> Path:
    """The environment of an interpreter, by where it lies."""
    return python.parent.parent if python.parent.name.lower() in ("bin", "scripts") else python.parent


def site_folders(system: System, prefix: Path, settings: Iterable[tuple[str, str]] = ()) -> tuple[Path, ...]:
    """The folders of packages that an environment's interpreter sees, in its order, as far as files tell."""
    found = [Path(path) for path in dict(settings).get("PYTHONPATH", "").split(os.pathsep) if path]
    base = glob.escape(str(prefix))
    for pattern in ("lib/python3*/site-packages", "lib/pypy3*/site-packages", "Lib/site-packages"):
        found += map(Path, system.glob(f"{base}/{pattern}"))
    config = system.read_text(str(prefix / "pyvenv.cfg"))
    if config is None or re.search(r"(?m)^include-system-site-packages\s*=\s*true", config):
        home = re.search(r"(?m)^home\s*=\s*(.+?)\s*$", config) if config else None
        outer = Path(home[1]).parent if home else prefix
        escaped = glob.escape(str(outer))
        for pattern in ("lib/python3*/site-packages", "lib/python3/dist-packages"):
            found += map(Path, system.glob(f"{escaped}/{pattern}"))
        if outer == Path("/usr"):
            found += map(Path, system.glob("/usr/local/lib/python3*/dist-packages"))
        user = system.environ.get("PYTHONUSERBASE") or f"{system.environ.get('HOME', '')}/.local"
        found += map(Path, system.glob(f"{glob.escape(user)}/lib/python3*/site-packages"))
    return tuple(dict.fromkeys(found))


def package_version(system: System, folders: Iterable[Path], name: str) -> str | None:
    """The version of a package by the name of its metadata folder; None where it is not."""
    for folder in folders:
        for kind in ("dist-info", "egg-info"):
            for path in system.glob(f"{glob.escape(str(folder))}/{name}-*.{kind}"):
                version = re.fullmatch(rf"{name}-([^-]+)(-py3.*)?\.{kind}", Path(path).name)
                if version:
                    return version[1]
    return None


def torch_of(system: System, folders: Iterable[Path]) -> tuple[str | None, str | None]:
    """The version and the variant of the torch that would be imported; None for what is not there or not said."""
    for folder in folders:
        version = package_version(system, (folder,), "torch")
        if version is not None:
            text = system.read_text(str(folder / "torch" / "version.py"))
            build = variant_of_version_file(text) if text else None
            return version, build or variant_of_version_file(f"__version__ = '{version}'")
    return None, None
