"""Folders of this user: where torchdoctor keeps its cache, its data and its configuration."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import EnvironmentUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "UserFolders",
    "cache_folder",
    "current_folder",
    "data_folder",
    "full_path",
    "user_directory",
    "user_folders",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class UserFolders:
    """The folders of the user who runs torchdoctor: its `cache`, its `data`, and the `current` folder."""

    cache: Path
    data: Path
    current: Path


def user_folders(environ: Mapping[str, str]) -> UserFolders:
    """Return this user's folders; raises `EnvironmentUnusable` for a user without a home folder."""
    return UserFolders(cache=cache_folder(environ), data=data_folder(environ), current=current_folder())


def full_path(path: Path) -> Path:
    """Return the absolute path, without `..` and with every link followed.

    Raises `EnvironmentUnusable` when there is no such path: the current folder was removed, or there is no home folder.
    """
    try:
        return Path(os.path.realpath(path.expanduser()))
    except (OSError, RuntimeError, ValueError) as error:
        raise EnvironmentUnusable(
            message("{place!r} cannot be found: {why}", place=str(path)[:200], why=error),
            fix=message("give its full path, and run it from a folder that exists"),
        ) from error


def current_folder() -> Path:
    """Return the current folder, or the root of the disk when the current folder was removed."""
    try:
        return Path.cwd()
    except OSError:
        return Path(Path(sys.prefix).anchor)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return `TORCHDOCTOR_CACHE_DIR` or this user's cache folder; raises what `user_directory` raises."""
    if chosen := environ.get("TORCHDOCTOR_CACHE_DIR"):
        return full_path(Path(chosen))
    from platformdirs import user_cache_path

    return user_directory(user_cache_path, "TORCHDOCTOR_CACHE_DIR")


def data_folder(environ: Mapping[str, str]) -> Path:
    """Return `TORCHDOCTOR_DATA_DIR` or this user's data folder; raises what `user_directory` raises."""
    if chosen := environ.get("TORCHDOCTOR_DATA_DIR"):
        return full_path(Path(chosen))
    from platformdirs import user_data_path

    return user_directory(user_data_path, "TORCHDOCTOR_DATA_DIR")


def user_directory(find_folder: Callable[..., Path], variable: str) -> Path:
    """Return this user's folder that a function of platformdirs finds; `variable` can name another one.

    Raises `EnvironmentUnusable` for a user without a home folder, as in many containers.
    """
    try:
        folder = Path(find_folder("torchdoctor", appauthor=False)).expanduser()
    except (KeyError, RuntimeError) as error:
        raise EnvironmentUnusable(
            message("this user has no home folder, in which torchdoctor would keep its files"),
            fix=message("set HOME, or {variable}, to a writable folder", variable=variable),
            code="no-home",
        ) from error
    return full_path(folder)
