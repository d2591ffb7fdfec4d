"""Removes a virtual environment: what is in it is looked at first, and it is gone in one step."""

from __future__ import annotations

import os
import re
import shutil
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs import sync_directory
from torchdoctor.core.i18n import joined, message
from torchdoctor.core.shell_words import quoted
from torchdoctor.core.text import sanitize_line
from torchdoctor.errors import EnvironmentUnusable, InstallFailed
from torchdoctor.install.hold.model import HOLD_FILE, PIP_HOLD_FILE, UV_HOLD_FILE
from torchdoctor.install.location import must_change_in_place
from torchdoctor.install.staging import exclusive_install_lock, staging_path
from torchdoctor.install.wheel_layout import files_of_installed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["refuse_to_remove", "remove_environment", "size_on_disk"]

# What venv, virtualenv, uv, pip and packages put at the top of an environment, and torchdoctor.
_USUAL = frozenset({
    "bin", "scripts", "lib", "lib32", "lib64", "include", "share", "etc", "man", "doc", "docs", "tcl", "libs",
    "pyvenv.cfg", ".gitignore", "cachedir.tag", ".lock", "pip.conf", "pip.ini", "pip-selfcheck.json",
    "torchdoctor.json", HOLD_FILE, PIP_HOLD_FILE, UV_HOLD_FILE, ".ds_store", "desktop.ini",
})  # fmt: skip
_OF_ENVIRONMENT = re.compile(
    r"(?:bin|Scripts|[Ii]nclude|lib(?:32|64)?/python[\d.]+t?/site-packages|Lib/site-packages|share/jupyter"
    r"|etc/(?:jupyter|conda)|share/man|man)/"
)
_MAX_SHOWN = 10


def refuse_to_remove(folder: Path) -> None:
    """Raise `EnvironmentUnusable` for anything but a virtual environment that holds nothing of its user's own."""
    _refuse_other_kinds(folder)
    if folder.resolve() == Path(sys.prefix).resolve():
        raise EnvironmentUnusable(
            message("torchdoctor itself runs from {folder}", folder=folder),
            fix=message("run a torchdoctor from elsewhere, or delete the folder by hand"),
            code="own-environment",
        )
    home = Path.home()
    if folder in (home, home / ".local", *home.parents):
        raise EnvironmentUnusable(
            message("{folder} holds more than an environment", folder=folder),
            fix=message("delete by hand what is to go"),
            code="holds-other-files",
        )
    own = list(islice(_files_of_others(folder), _MAX_SHOWN))
    if own:
        raise EnvironmentUnusable(
            message(
                "{folder} also holds what does not belong to an environment: {names}",
                folder=folder,
                names=joined([sanitize_line(name) for name in own]),
            ),
            fix=message("move that elsewhere, and run the command again"),
            code="holds-other-files",
        )
    if must_change_in_place(folder, "venv"):
        raise EnvironmentUnusable(
            message(
                "{folder} cannot be removed: it is a mount point, a disk is mounted in it, or the folder above it "
                "cannot be written to",
                folder=folder,
            ),
            fix=message(
                "unmount the disk, or run the command as the owner of {parent}", parent=folder.parent
            ),
            code="cannot-remove",
        )


def _refuse_other_kinds(folder: Path) -> None:
    if folder.is_symlink():
        raise EnvironmentUnusable(
            message("{folder} is a link to {place}", folder=folder, place=folder.resolve()),
            fix=message("name that folder, or delete the link"),
            code="is-a-link",
        )
    if (folder / "conda-meta").is_dir():
        raise EnvironmentUnusable(
            message("{folder} is a conda environment", folder=folder),
            fix=message("remove it with conda: conda env remove -p {folder}", folder=quoted(str(folder))),
            code="conda",
        )
    if not (folder / "pyvenv.cfg").is_file():
        what = (
            message("{place} is not a virtual environment", place=folder)
            if folder.is_dir()
            else message("{place} does not exist", place=folder)
        )
        raise EnvironmentUnusable(what, fix=message("name the folder of an environment"), code="not-a-venv")


def _files_of_others(folder: Path) -> Iterator[str]:
    """Yield what neither made the environment nor a package brought, as paths below the folder."""
    recorded = set(_recorded_files(folder))
    for place, folders, names in os.walk(folder):
        below = Path(place).relative_to(folder).as_posix()
        if below == ".":
            others = [name for name in (*folders, *names) if name.lower() not in _USUAL]
            folders[:] = [name for name in folders if name not in others]
            yield from sorted(others)
            continue
        folders[:] = [name for name in folders if not _is_of_environment(f"{below}/{name}/")]
        for name in names:
            path = f"{below}/{name}"
            if path not in recorded and not _is_of_environment(path):
                yield path


def _recorded_files(folder: Path) -> Iterator[str]:
    for site in (*folder.glob("lib*/python*/site-packages"), *folder.glob("Lib/site-packages")):
        for metadata in site.glob("*.dist-info"):
            yield from files_of_installed(folder, site, metadata)


def _is_of_environment(path: str) -> bool:
    """Say whether only what makes an environment, and packages, put files there; a folder ends with a slash."""
    return _OF_ENVIRONMENT.match(path) is not None


def size_on_disk(folder: Path) -> int:
    """Return the bytes that become free: those of files without links elsewhere."""
    return sum(status.st_size for status in _files(folder) if status.st_nlink == 1)


def _files(folder: Path) -> Iterator[os.stat_result]:
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                yield (Path(place) / name).lstat()
            except OSError:  # another program removed it meanwhile
                continue


def remove_environment(folder: Path, lock_dir: Path) -> None:
    """Remove the environment: one rename, then its files.

    Raises `EnvironmentUnusable` where it holds other files by now and `InstallFailed`, with it as it was.
    """
    with exclusive_install_lock(folder, lock_dir):
        refuse_to_remove(folder)  # again: a question may have stood for long
        # A killed run leaves a name that the next one at this place clears.
        going = staging_path(folder, f"new-{os.getpid()}-removed")
        try:
            folder.rename(going)
        except OSError as error:
            raise InstallFailed(
                message("{folder} cannot be removed: {why}", folder=folder, why=error.strerror or error),
                fix=message("end the programs that run from it, and run the command again"),
                code="cannot-remove",
            ) from error
        sync_directory(folder.parent)
        shutil.rmtree(going, ignore_errors=True)
        if going.exists():
            raise InstallFailed(
                message("{folder} is gone, and files of it are left in {place}", folder=folder, place=going),
                fix=message("end the programs that use them, and delete that folder"),
                code="cannot-remove",
            )
