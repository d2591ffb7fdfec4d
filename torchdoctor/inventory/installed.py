"""What PyTorch an environment holds: versions and build tags read as text, nothing imported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchdoctor.inventory.distributions import read_folder
from torchdoctor.inventory.metadata import is_relevant
from torchdoctor.inventory.record import check_record
from torchdoctor.inventory.torch_packages import copies_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from torchdoctor.core.system import System

__all__ = [
    "Installed",
    "InstalledPackage",
    "damaged_packages",
    "installed_versions",
    "read_installed",
]

_LISTING = """
import importlib.metadata, json
named = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}
print(json.dumps(named))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledPackage:
    """One copy: its version by its metadata, its build by its version.py or local version (None: not said)."""

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
        return next((package for package in self.packages if package.name == name), None)

    def to_json(self) -> list[dict[str, Any]]:
        """Each package as a row."""
        return [
            {
                "name": package.name,
                "version": package.version,
                "build": package.build,
                "folder": package.folder,
            }
            for package in self.packages
        ]


def read_installed(folders: Iterable[Path]) -> Installed:
    """Look through site-packages folders, in the order in which Python does."""
    return Installed(packages=tuple(package for folder in folders for package in _in_folder(folder)))


def damaged_packages(folders: Iterable[Path]) -> Mapping[str, int]:
    """PyTorch's packages and their neighbours whose files are not as they were installed, and how many are not.

    Files are looked for and their sizes compared, as their RECORD says; none is read.
    """
    damaged: dict[str, int] = {}
    for folder in folders:
        for distribution in read_folder(str(folder)).distributions:
            check = check_record(distribution, "sizes") if is_relevant(distribution.name) else None
            if check is not None and check.wrong_count:
                damaged[distribution.name] = check.wrong_count
    return damaged


def installed_versions(system: System, python: Path) -> dict[str, str]:
    """Every package that an interpreter sees, by normalised name; empty when it cannot say."""
    answer = system.run([str(python), "-I", "-c", _LISTING], timeout=60)
    try:
        named = json.loads(answer.stdout) if answer.ok else {}
    except ValueError:
        named = {}
    return {str(canonicalize_name(name)): version for name, version in named.items()}


def _in_folder(folder: Path) -> list[InstalledPackage]:

    return [
        InstalledPackage(name=copy.name, version=copy.version, build=copy.variant.value, folder=copy.folder)
        for copy in copies_in(read_folder(str(folder)))
        if copy.version is not None
    ]
