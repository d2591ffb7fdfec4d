"""The real environments that the table is tried on: made by pip's means once, or those that somebody has ready."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.breaks.standin import copy_by_links

if TYPE_CHECKING:
    from tests.breaks.place import Place

__all__ = ["READY", "WANTED", "list_of_files", "real_copy", "real_environments"]

# A folder with environments of these names; without it they are made, which fetches some 7 GB.
READY = "TORCHDOCTOR_REAL_ENVIRONMENTS"
WANTED = {
    "cu130": ("torch==2.14.1", "torchvision==0.29.1", "numpy"),
    "cu128": ("torch==2.9.1", "torchvision==0.24.1", "torchaudio==2.9.1", "numpy"),
}
_CPU = ("torch==2.13.0", "--torch-backend", "cpu")
_PYTHON = "3.11"


def real_environments(folder: Path) -> dict[str, Path]:
    """The environments by the name of their build."""
    if ready := os.environ.get(READY):
        return {name: Path(ready) / name for name in (*WANTED, "cpu") if (Path(ready) / name).is_dir()}
    uv = [sys.executable, "-m", "uv"]
    made = {}
    for name, packages in {**WANTED, "cpu": _CPU}.items():
        made[name] = folder / name
        subprocess.run([*uv, "venv", "--seed", "--python", _PYTHON, made[name]], check=True)
        # With bytecode, as pip leaves it: each of the copies is imported faster.
        command = [*uv, "pip", "install", "--compile-bytecode", "--python", made[name] / "bin/python"]
        subprocess.run([*command, *packages], check=True)
    return made


def real_copy(place_folder: Path, original: Path) -> Path:
    """A copy to break, which takes no space."""
    return copy_by_links(original, place_folder / "env")


def list_of_files(place: Place) -> dict[str, tuple[int, int]]:
    """Each file with its number and size, but for compiled modules: two lists differ where anything was changed."""
    found = {}
    for folder, _, names in os.walk(place.env):
        if not folder.endswith("__pycache__"):
            for name in names:
                status = os.lstat(os.path.join(folder, name))  # noqa: PTH118  (some 20,000)
                found[os.path.join(folder, name)] = (status.st_ino, status.st_size)  # noqa: PTH118
    return found


def forget(folder: Path) -> None:
    """Remove a copy: links alone are removed."""
    shutil.rmtree(folder, ignore_errors=True)
