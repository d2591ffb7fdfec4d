"""The first word of a kernel's command -> its interpreter, that one's environment, and what is installed there."""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.inventory.installed import build_tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.core.system import World

__all__ = ["Runs", "package_version", "prefix_of", "python_in", "site_folders", "torch_of", "what_runs"]

# jupyter_client starts these with the Python that runs Jupyter (KernelManager.format_kernel_cmd).
_JUPYTERS_OWN = re.compile(r"python(3(\.\d+)?)?")
_PYTHON = re.compile(r"(pythonw?|pypy)[\d.]*t?(\.exe)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Runs:
    """What a command starts: the program, None when it is not there, and whether that is a Python."""

    program: Path | None
    is_python: bool
    jupyters_own: bool = False


def what_runs(world: World, word: str, own: Path | None) -> Runs:
    """The program that Jupyter would start for `word`; `own` is the environment that Jupyter runs in."""
    if _JUPYTERS_OWN.fullmatch(word):
        python = python_in(world, own) if own else None
        return Runs(program=python, is_python=True, jupyters_own=True)
    is_python = bool(_PYTHON.fullmatch(re.split(r"[/\\]", word)[-1]))
    if "/" in word or "\\" in word:
        return Runs(program=Path(word) if world.exists(word) else None, is_python=is_python)
    for folder in world.environ.get("PATH", "").split(os.pathsep):
        if folder and world.exists(f"{folder}/{word}"):
            return Runs(program=Path(folder) / word, is_python=is_python)
    return Runs(program=None, is_python=is_python)


def python_in(world: World, prefix: Path) -> Path | None:
    """The interpreter of an environment: a venv's, or conda's, whose python.exe lies at the top."""
    places = (prefix / "bin" / "python", prefix / "bin" / "python3", prefix / "Scripts" / "python.exe")
    return next((path for path in (*places, prefix / "python.exe") if world.exists(str(path))), None)


def prefix_of(python: Path) -> Path:
    """The environment of an interpreter, by where it lies."""
    return python.parent.parent if python.parent.name.lower() in ("bin", "scripts") else python.parent


def site_folders(world: World, prefix: Path, settings: Iterable[tuple[str, str]] = ()) -> tuple[Path, ...]:
    """The folders of packages that an environment's interpreter sees, in its order, as far as files tell."""
    found = [Path(path) for path in dict(settings).get("PYTHONPATH", "").split(os.pathsep) if path]
    base = glob.escape(str(prefix))
    for pattern in ("lib/python3*/site-packages", "lib/pypy3*/site-packages", "Lib/site-packages"):
        found += map(Path, world.glob(f"{base}/{pattern}"))
    config = world.read_text(str(prefix / "pyvenv.cfg"))
    if config is None or re.search(r"(?m)^include-system-site-packages\s*=\s*true", config):
        home = re.search(r"(?m)^home\s*=\s*(.+?)\s*$", config) if config else None
        outer = Path(home[1]).parent if home else prefix
        escaped = glob.escape(str(outer))
        for pattern in ("lib/python3*/site-packages", "lib/python3/dist-packages"):
            found += map(Path, world.glob(f"{escaped}/{pattern}"))
        if outer == Path("/usr"):
            found += map(Path, world.glob("/usr/local/lib/python3*/dist-packages"))
        user = world.environ.get("PYTHONUSERBASE") or f"{world.environ.get('HOME', '')}/.local"
        found += map(Path, world.glob(f"{glob.escape(user)}/lib/python3*/site-packages"))
    return tuple(dict.fromkeys(found))


def package_version(world: World, folders: Iterable[Path], name: str) -> str | None:
    """The version of a package by the name of its metadata folder; None where it is not."""
    for folder in folders:
        for kind in ("dist-info", "egg-info"):
            for path in world.glob(f"{glob.escape(str(folder))}/{name}-*.{kind}"):
                version = re.fullmatch(rf"{name}-([^-]+)(-py3.*)?\.{kind}", Path(path).name)
                if version:
                    return version[1]
    return None


def torch_of(world: World, folders: Iterable[Path]) -> tuple[str | None, str | None]:
    """The version and the variant of the torch that would be imported; None for what is not there or not said."""
    for folder in folders:
        version = package_version(world, (folder,), "torch")
        if version is not None:
            text = world.read_text(str(folder / "torch" / "version.py"))
            build = build_tag(text) if text else None
            return version, build or build_tag(f"__version__ = '{version}'")
    return None, None
