"""Whether an environment is held, and whether what pip is told of the hold is still there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from torchdoctor.core.text import sanitize_line
from torchdoctor.install.hold.model import HOLD_FILE, PIP_HOLD_FILE, read_hold
from torchdoctor.inventory import files

if TYPE_CHECKING:
    from torchdoctor.detect import PythonInfo
    from torchdoctor.install.hold.model import Hold

__all__ = ["HoldState", "hold_state"]

_NAMED = re.compile(rf"(?<!\S)(file:\S{{1,2000}}/{re.escape(HOLD_FILE)})(?!\S)")


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldState:
    """The hold of an environment."""

    hold: Hold | None = None
    lost: str = ""  # a path that pip's settings of the environment name, and where nothing is
    unlinked: bool = False  # the environment was moved, and pip is not held until the hold is written again


def hold_state(python: PythonInfo) -> HoldState:
    """Return the hold of the environment of `python`, by its files."""
    name = "pip.ini" if python.sys_platform == "win32" else "pip.conf"
    settings = Path(python.prefix) / name
    try:
        unlinked = settings.readlink().name == PIP_HOLD_FILE and not files.exists(str(settings))
    except OSError:
        unlinked = False
    text = files.read_text(str(settings)) or ""
    for url in dict.fromkeys(_NAMED.findall(text)):
        path = url2pathname(urlsplit(url).path)
        if not files.exists(path):
            return HoldState(lost=sanitize_line(path, limit=500))
    return HoldState(hold=read_hold(Path(python.prefix)), unlinked=unlinked)
