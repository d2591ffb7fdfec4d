"""Where the dynamic linker of Linux looks: a library's own search path, LD_LIBRARY_PATH, its settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from torchdoctor.core.system import System

__all__ = ["expanded", "library_path", "loader_folders"]

_MAX_FOLDERS = 100
_SETTINGS = "/etc/ld.so.conf.d/*.conf"
_FOLDERS = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")


def library_path(environ: Mapping[str, str]) -> list[str]:
    """Return the folders of LD_LIBRARY_PATH."""
    return [folder for folder in environ.get("LD_LIBRARY_PATH", "").split(":") if folder][:_MAX_FOLDERS]


def loader_folders(system: System) -> Iterator[str]:
    """Yield the folders in which the linker looks by its settings."""
    for path in system.glob(_SETTINGS)[:_MAX_FOLDERS]:
        lines = (system.read_text(path) or "").splitlines()[:_MAX_FOLDERS]
        yield from (line.strip() for line in lines if line.startswith("/"))
    yield from _FOLDERS


def expanded(search_path: Iterable[str], library: str) -> Iterator[str]:
    """Yield the folders of a library's search path, its own folder put in."""
    origin = os.path.dirname(library)  # noqa: PTH120
    for folder in list(search_path)[:_MAX_FOLDERS]:
        yield folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
