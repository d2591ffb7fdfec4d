"""Where the files of a wheel, or of an installed package, lie in an environment."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchdoctor.core.fs.regular_files import open_regular, read_regular
from torchdoctor.core.wheelfile import command_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["files_of_installed", "files_of_wheel", "glob_site_packages", "metadata_folders"]

_MAX_RECORD_BYTES = 64 << 20


def glob_site_packages(folder: Path) -> tuple[Path, ...]:
    """Return the package folders of a new virtual environment, each once."""
    candidates = [folder / "Lib" / "site-packages", *sorted(folder.glob("lib/python*/site-packages"))]
    return tuple({path.resolve(): path for path in candidates if path.is_dir()}.values())


def metadata_folders(site_packages: Path, names: Collection[str]) -> Iterator[Path]:
    """Yield the `.dist-info` folders of the packages named, by normalised name."""
    for metadata in sorted(site_packages.glob("*.dist-info")):
        if canonicalize_name(metadata.name.partition("-")[0]) in names:
            yield metadata


def files_of_installed(folder: Path, site_packages: Path, metadata: Path) -> Iterator[str]:
    """Yield the files of an installed package as POSIX paths relative to the environment at `folder`.

    They are what its RECORD names and what its metadata folder holds; files outside of the environment are left out.
    """
    try:
        text = read_regular(metadata / "RECORD", limit=_MAX_RECORD_BYTES).decode("utf-8")
        recorded = [fields[0] for fields in csv.reader(io.StringIO(text, newline="")) if fields]
    except (OSError, ValueError, csv.Error):
        # A RECORD that cannot be read names nothing.
        recorded = []
    own = (str(path.relative_to(site_packages)) for path in metadata.rglob("*") if path.is_file())
    for name in {*recorded, *own}:
        path = Path(os.path.normpath(site_packages / name))
        if path.is_relative_to(folder) and path.is_file():
            yield path.relative_to(folder).as_posix()


def files_of_wheel(folder: Path, site_packages: Path, wheel: Path) -> Iterator[str]:
    """Yield where the files and commands of `wheel` will lie: POSIX paths relative to the environment at `folder`.

    https://packaging.python.org/en/latest/specifications/binary-distribution-format/#the-data-directory
    """
    inside = site_packages.relative_to(folder).as_posix()
    scripts = "Scripts" if (folder / "Scripts").is_dir() else "bin"
    with open_regular(wheel) as file, zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            top, _, rest = name.partition("/")
            if name.endswith("/"):
                continue
            if top.endswith(".data"):
                scheme, _, rest = rest.partition("/")
                yield {"data": rest, "scripts": f"{scripts}/{rest}"}.get(scheme, f"{inside}/{rest}")
            else:
                yield f"{inside}/{name}"
            if top.endswith(".dist-info"):
                yield from (f"{inside}/{top}/{more}" for more in ("INSTALLER", "REQUESTED", "uv_cache.json"))
            if name.endswith(".dist-info/entry_points.txt"):
                text = archive.read(name).decode("utf-8", "replace")
                yield from (
                    f"{scripts}/{command}"
                    for name in command_names(text)
                    for command in (name, f"{name}.exe")
                )
