"""Files that several packages list: one that leaves takes along only what no other has.

Wheels of NVIDIA share files, and an installer that removes one of them removes these too.
"""

from __future__ import annotations

import csv
import os
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchdoctor.core.fs import SHARED_MODE, atomic_write
from torchdoctor.inventory import files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

__all__ = ["bytes_of_packages", "package_of", "recorded_paths", "release_shared_files"]

_RECORD = "RECORD"
_MAX_RECORD_BYTES = 32 << 20


def release_shared_files(site_packages: Iterable[Path], leaving: Collection[str]) -> None:
    """Take the files that packages which stay list as well out of the RECORDs of those that leave.

    Names are normalised. A RECORD is replaced and not written into: it may be a hard link. Raises `OSError`.
    """
    for folder in site_packages:
        going, kept = _split(folder, leaving)
        if not going:
            continue
        others = {path for metadata in kept for path, _ in _rows(metadata)}
        for metadata in going:
            rows = list(_rows(metadata))
            own = [line for path, line in rows if path not in others]
            if len(own) < len(rows):
                atomic_write(metadata / _RECORD, "".join(f"{line}\n" for line in own), mode=SHARED_MODE)


def bytes_of_packages(site_packages: Iterable[Path], names: Collection[str]) -> dict[str, int]:
    """Return how many bytes each of the packages takes, without files that packages which stay list too."""
    sizes = dict.fromkeys(names, 0)
    for folder in site_packages:
        going, kept = _split(folder, names)
        others = {path for metadata in kept for path, _ in _rows(metadata)} if going else set()
        for metadata in going:
            paths = {path for path, _ in _rows(metadata)} - others
            sizes[package_of(metadata)] += sum(_size(path) for path in paths)
    return sizes


def recorded_paths(metadata: Path) -> Iterator[str]:
    """Yield the path of each file that the RECORD in a metadata folder names."""
    return (path for path, _ in _rows(metadata))


def _split(folder: Path, leaving: Collection[str]) -> tuple[list[Path], list[Path]]:
    """The metadata folders of the packages that leave, and of those that stay."""
    folders = sorted(folder.glob("*.dist-info"))
    going = [metadata for metadata in folders if package_of(metadata) in leaving]
    return going, [metadata for metadata in folders if metadata not in going]


def package_of(metadata: Path) -> str:
    """Return the normalised name of the package whose metadata folder this is."""
    return str(canonicalize_name(metadata.name.partition("-")[0]))


def _rows(metadata: Path) -> Iterator[tuple[str, str]]:
    """Each path of a RECORD, joined with its folder, and the line; a RECORD that cannot be read has none."""
    text = files.read_text(str(metadata / _RECORD), limit=_MAX_RECORD_BYTES)
    for line in (text or "").splitlines():
        name = _path_in(line)
        if name and "\0" not in name:
            yield os.path.normpath(metadata.parent / name), line


def _path_in(line: str) -> str:
    if not line.startswith('"'):
        return line.partition(",")[0]
    try:
        return next(csv.reader([line]), [""])[0]
    except csv.Error:
        return ""


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
