"""The files of the packages that an environment keeps, as their RECORDs name them."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.wheelfile import location_of
from torchdoctor.core.wheelfile.placement import COMMANDS
from torchdoctor.install.shared_files import package_of, recorded_paths

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

__all__ = ["InstalledFiles", "files_that_stay"]

_BLOCK_BYTES = 1 << 20


class InstalledFiles:
    """The files of one package in the environment at `folder`, whose metadata lie in `metadata`."""

    def __init__(self, folder: Path, metadata: Path) -> None:
        self.project = package_of(metadata)
        self.shown = metadata.name.removesuffix(".dist-info")
        self.locations: dict[str, str] = {}
        for path in recorded_paths(metadata):
            if path.startswith(f"{folder}{os.sep}") and not path.endswith(".pyc"):
                location = location_of(path[len(str(folder)) + 1 :].replace(os.sep, "/"))
                # A RECORD does not tell a command that was made from one that the wheel had.
                self.locations[location] = "" if location.startswith(f"{COMMANDS}/") else path

    def digest(self, name: str) -> str | None:
        """Return the SHA-256 of a regular file; None for anything else."""
        digest = hashlib.sha256()
        try:
            if not stat.S_ISREG(os.lstat(name).st_mode):
                return None
            with open_regular(name) as file:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
        except OSError:
            return None
        return digest.hexdigest()


def files_that_stay(
    folder: Path, site_packages: Sequence[Path], leaving: Collection[str]
) -> Iterator[InstalledFiles]:
    """Yield the files of each package of the environment but those that leave, by normalised name."""
    for site in site_packages:
        for metadata in sorted(site.glob("*.dist-info")):
            if package_of(metadata) not in leaving:
                yield InstalledFiles(folder, metadata)
