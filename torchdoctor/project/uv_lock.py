"""The names of the packages in a uv.lock: what a project brings besides what it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["locked_names"]

_MAX_BYTES = 64 * 1024 * 1024
# uv writes the name first in each table; to read tens of thousands of lines as TOML takes seconds.
_NAME = re.compile(rb'^\[\[package\]\]\r?\nname = "([a-z0-9-]{1,100})"\r?$', re.MULTILINE)


def locked_names(folder: Path) -> frozenset[str]:
    """Return the names in the uv.lock of a folder; none where there is no such file that can be read."""
    try:
        with open_regular(folder / "uv.lock") as file:
            content = file.read(_MAX_BYTES)
    except OSError:
        return frozenset()
    return frozenset(name.decode() for name in _NAME.findall(content))
