"""Environments that go by a name: conda's, and those that pyenv's virtualenv plugin makes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.core.system import System

__all__ = ["conda_environments", "find_environment_by_name"]

_NAME = re.compile(r"[\w][\w .+-]{0,99}")
_MAX_LINES = 500
# Where installers put conda unless told otherwise.
_ROOTS = ("miniforge3", "mambaforge", "miniconda3", "anaconda3", "micromamba", ".local/share/mamba")


def find_environment_by_name(system: System, name: str) -> Path | None:
    """The interpreter of the environment of that name; None where there is none."""
    if not _NAME.fullmatch(name):
        return None
    found = dict(reversed(list(conda_environments(system)))).get(name)
    return found or _interpreter(system, f"{_pyenv_root(system)}/versions/{name}")


def conda_environments(system: System) -> Iterator[tuple[str, Path]]:
    """Name and interpreter of each environment of conda's and mamba's, `base` among them.

    conda lists what it made in ~/.conda/environments.txt; the others lie in the `envs` of an installation.
    """
    seen: set[str] = set()
    for folder in _folders(system):
        python = _interpreter(system, folder) if folder not in seen else None
        seen.add(folder)
        if python is not None and system.exists(f"{folder}/conda-meta"):
            parts = re.split(r"[\\/]", folder.rstrip("\\/"))
            yield (parts[-1] if "envs" in parts[-2:-1] else "base"), python


def _folders(system: System) -> Iterator[str]:
    home = system.environ.get("HOME") or system.environ.get("USERPROFILE") or ""
    listed = system.read_text(f"{home}/.conda/environments.txt") or ""
    yield from (line.strip() for line in listed.splitlines()[:_MAX_LINES] if line.strip())
    for root in _roots(system, home):
        yield root
        yield from system.glob(f"{root}/envs/*")
    for folder in re.split(r"[:;](?![\\/])", system.environ.get("CONDA_ENVS_PATH", "")):
        if folder:
            yield from system.glob(f"{folder}/*")


def _roots(system: System, home: str) -> list[str]:
    """The installation that is active first, then that of the `conda` in use, then the usual places."""
    active = system.environ.get("CONDA_PREFIX", "")
    program = system.environ.get("CONDA_EXE", "")
    roots = [
        re.sub(r"[\\/]envs[\\/][^\\/]+$", "", active),
        re.sub(r"[\\/](?:bin|Scripts|condabin)[\\/][^\\/]+$", "", program),
        system.environ.get("MAMBA_ROOT_PREFIX", ""),
        *(f"{home}/{name}" for name in _ROOTS),
        "/opt/conda",
    ]
    return [root for root in dict.fromkeys(roots) if root]


def _pyenv_root(system: System) -> str:
    return system.environ.get("PYENV_ROOT") or f"{system.environ.get('HOME') or '~'}/.pyenv"


def _interpreter(system: System, folder: str) -> Path | None:
    for name in ("bin/python", "python.exe", "Scripts/python.exe"):
        if system.exists(f"{folder}/{name}"):
            return Path(folder) / name
    return None
