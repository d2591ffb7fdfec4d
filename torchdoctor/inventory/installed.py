"""Which PyTorch an environment has: versions and variants read as text, nothing imported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchdoctor.inventory.distributions import read_folder
from torchdoctor.inventory.metadata import is_relevant
from torchdoctor.inventory.shared_files import check_records
from torchdoctor.inventory.torch_packages import copies_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo

__all__ = [
    "Installed",
    "InstalledPackage",
    "damaged_packages",
    "installed_versions",
    "read_installed",
    "versions_in_files",
]

_LISTING_SECONDS = 60.0
_LISTING = """
import importlib.metadata, json
named = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}
print(json.dumps(named))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledPackage:
    """One copy of torch, torchvision or torchaudio."""

    name: str
    version: str  # by its metadata
    build: (
        str | None
    )  # its variant, such as cu130, by its version.py or local version; None where neither says it
    folder: str  # of the path


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """The PyTorch packages of an environment; there can be several of one name."""

    packages: tuple[InstalledPackage, ...]

    def named(self, name: str) -> InstalledPackage | None:
        """Return the first copy on the path, which is the one that is imported."""
        return next((package for package in self.packages if package.name == name), None)

    def to_json(self) -> list[dict[str, Any]]:
        """Return each package as JSON."""
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
    """Return the packages in site-packages folders, which are given in the order of imports."""
    return Installed(packages=tuple(package for folder in folders for package in _in_folder(folder)))


def damaged_packages(folders: Iterable[Path]) -> Mapping[str, int]:
    """Return the packages of PyTorch and its dependencies that are damaged: name -> number of changed files.

    The existence and size of each file are compared with its RECORD; no file is read.
    """
    damaged: dict[str, int] = {}
    for folder in folders:
        relevant = [each for each in read_folder(str(folder)).distributions if is_relevant(each.name)]
        damaged.update({check.name: check.wrong_count for check in check_records(relevant, "sizes").wrong})
    return damaged


def installed_versions(system: System, python: Path) -> dict[str, str]:
    """Return every package that an interpreter sees, normalised name -> version; empty when it cannot say."""
    answer = system.run([str(python), "-I", "-c", _LISTING], timeout=_LISTING_SECONDS)
    try:
        named = json.loads(answer.stdout) if answer.ok else {}
    except ValueError:
        named = {}
    return {str(canonicalize_name(name)): version for name, version in named.items()}


def versions_in_files(python: PythonInfo) -> dict[str, str]:
    """Return what `installed_versions` does, read from the folders of its path; nothing of it runs."""
    found: dict[str, str] = {}
    for folder in python.path:
        for package in read_folder(folder).distributions:
            if package.version is not None:
                found.setdefault(package.name, package.version)
    return found


def _in_folder(folder: Path) -> list[InstalledPackage]:

    return [
        InstalledPackage(name=copy.name, version=copy.version, build=copy.variant.value, folder=copy.folder)
        for copy in copies_in(read_folder(str(folder)))
        if copy.version is not None
    ]
