"""Files in the package folders of a new environment that none of its wheels has."""

from __future__ import annotations

import os
import sys
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from pathlib import Path

__all__ = ["files_in", "source_of", "unlisted_file"]

_METADATA = ".dist-info"
# What uv writes into the metadata folder of a package that it installs.
_WRITTEN = frozenset(
    {"record", "installer", "requested", "direct_url.json", "uv_cache.json", "uv_build.json"}
)


def files_in(folders: Iterable[Path]) -> frozenset[str]:
    """Return what lies in package folders, by its path there; a link counts as a file, whatever it leads to."""
    found: set[str] = set()
    waiting = [(str(folder), "") for folder in folders]
    while waiting:
        folder, inside = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{inside}{entry.name}/"))
                else:
                    found.add(f"{inside}{entry.name}")
    return frozenset(found)


def unlisted_file(found: AbstractSet[str], listed: Iterable[str]) -> str | None:
    """Return one of the files that are found and not listed; None where there is none.

    What an installer writes about a listed package, and bytecode of a listed file, belongs there.
    """
    known = frozenset(map(_spelt, listed))
    metadata = {top for name in known if (top := name.partition("/")[0]).endswith(_METADATA)}
    for name in sorted(found):
        folder, _, inside = _spelt(name).partition("/")
        is_written = folder in metadata and inside.casefold() in _WRITTEN
        is_bytecode = "__pycache__/" in name and _spelt(source_of(name)) in known
        if _spelt(name) not in known and not is_written and not is_bytecode:
            return name
    return None


def source_of(bytecode: str) -> str:
    """Return the source of a file in `__pycache__`.

    >>> source_of("torch/__pycache__/version.cpython-312.pyc")
    'torch/version.py'
    """
    folder, _, name = bytecode.rpartition("__pycache__/")
    return f"{folder}{name.partition('.')[0]}.py"


def _spelt(name: str) -> str:
    """Return a name as its file system tells names apart."""
    return name if sys.platform == "linux" else unicodedata.normalize("NFC", name).casefold()
