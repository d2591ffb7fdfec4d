"""Files that people name with `-r` and that are of another format than pip's."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from torchdoctor.core.i18n import message
from torchdoctor.requirements.refusal import refused

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.requirements.documents import Location

__all__ = ["project_file", "refuse_other_format"]

_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml")  # https://peps.python.org/pep-0751/#file-name
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pipfile", "pipfile.lock")


def project_file(location: Location) -> Path | None:
    """Return the folder of the project where the file describes one."""
    if location.path is not None and location.path.name in _PROJECT_FILES:
        return location.path.parent
    return None


def refuse_other_format(location: Location) -> None:
    """Raise `UsageError` for a file whose name says that it holds no lines of requirements."""
    name = PurePosixPath(urlsplit(location.url).path).name if location.url else ""
    name = (location.path.name if location.path is not None else name).lower()
    if _PYLOCK.fullmatch(name):
        reason = message("this is a lock (PEP 751)")
        fix = message("install exactly what it says: --lock {file}", file=location.name)
    elif name in _LOCKS:
        reason = message("this is not a file of requirements")
        fix = message("name the folder of the project: --project DIR")
    elif name.endswith((".yml", ".yaml")):
        reason = message("this is a file of conda, and no file of requirements")
        fix = message("write the packages that pip installs into a file of requirements")
    elif name.endswith((".whl", ".tar.gz", ".zip")):
        reason = message("this is a package, and no file of requirements")
        fix = message("name it with --with {file}", file=location.name)
    else:
        return
    raise refused(location.name, reason, fix=fix)
