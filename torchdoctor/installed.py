"""What PyTorch an environment holds: versions and build tags read as text, nothing imported."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheels_index import variant_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from torchdoctor.machine import World

__all__ = ["Installed", "InstalledPackage", "build_tag", "installed_versions", "read_installed"]

_LISTING = """
import importlib.metadata, json
named = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}
print(json.dumps(named))
"""

PROJECTS = ("torch", "torchvision", "torchaudio")
_LIMIT = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledPackage:
    """One distribution: its version by its metadata, its build by its own version.py (None: not said)."""

    name: str
    version: str
    build: str | None
    folder: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """The PyTorch packages of an environment; a name can be there more than once."""

    packages: tuple[InstalledPackage, ...]

    def named(self, name: str) -> InstalledPackage | None:
        """The first copy on the path, which is the one that is imported."""
        return next((row for row in self.packages if row.name == name), None)

    def to_json(self) -> list[dict[str, Any]]:
        """Each package as a row."""
        return [
            {"name": row.name, "version": row.version, "build": row.build, "folder": row.folder}
            for row in self.packages
        ]


def read_installed(folders: Iterable[Path]) -> Installed:
    """Look through site-packages folders, in the order in which Python does."""
    return Installed(packages=tuple(row for folder in folders for row in _in_folder(folder)))


def installed_versions(world: World, python: Path) -> dict[str, str]:
    """Every package that an interpreter sees, by normalised name; empty when it cannot say."""
    answer = world.run([str(python), "-I", "-c", _LISTING], timeout=60)
    try:
        named = json.loads(answer.stdout) if answer.ok else {}
    except ValueError:
        named = {}
    return {str(canonicalize_name(name)): version for name, version in named.items()}


def _in_folder(folder: Path) -> list[InstalledPackage]:
    rows = []
    for info in sorted(folder.glob("torch*.dist-info")):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        project = canonicalize_name(name)
        if project in PROJECTS and version:
            build = _build(folder / project / "version.py") or _tag(version)
            rows.append(InstalledPackage(name=project, version=version, build=build, folder=str(folder)))
    return rows


def _build(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return build_tag(file.read(_LIMIT).decode("utf-8", "replace"))
    except OSError:
        return None


def build_tag(text: str) -> str | None:
    """The variant in the `__version__` line of a version.py, such as cu130; None when it names none."""
    match = re.search(r"^__version__\s*(?::\s*str\s*)?=\s*['\"]([^'\"]{1,100})['\"]", text, re.MULTILINE)
    return _tag(match[1]) if match else None


def _tag(version: str) -> str | None:
    try:
        return variant_of(Version(version))
    except InvalidVersion:
        return None
