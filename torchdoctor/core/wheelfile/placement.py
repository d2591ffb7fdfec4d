"""Where each file of a wheel goes in an environment, whichever folder of the wheel holds it.

https://packaging.python.org/en/latest/specifications/binary-distribution-format/#the-data-directory
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["COMMANDS", "DATA", "HEADERS", "PACKAGES", "command_names", "location_of", "placements"]

# The first part of each location.
PACKAGES, COMMANDS, HEADERS, DATA = "packages", "commands", "headers", "data"
# The `data` folder is put into the environment itself, and reaches the other places too. `lib64` is a link in one.
_INTO_PACKAGES = re.compile(r"(lib(64)?/(python|pypy)[\d.]+t?|lib)/site-packages/", re.IGNORECASE)
_INTO_COMMANDS = re.compile(r"(bin|scripts)/", re.IGNORECASE)
_INTO_HEADERS = re.compile(r"include/(site/)?python[\d.]+t?/", re.IGNORECASE)
_COMMAND_GROUPS = ("console_scripts", "gui_scripts")
_NAME_END = re.compile("[=:]")


def placements(names: Iterable[str], project: str) -> Iterator[tuple[str, str]]:
    """Yield the location and the name of each file in a wheel of `project`.

    A location is `packages/torch/__init__.py`, `commands/torchrun`, `headers/PROJECT/x.h` or `data/share/x`: two files
    with one location would be one file of the environment.
    """
    for name in names:
        top, _, rest = name.partition("/")
        if not top.endswith(".data") or not rest:
            yield f"{PACKAGES}/{name}", name
            continue
        scheme, _, inside = rest.partition("/")
        yield _in_scheme(scheme, inside, project), name


def _in_scheme(scheme: str, inside: str, project: str) -> str:
    if scheme == "scripts":
        return f"{COMMANDS}/{inside}"
    if scheme == "headers":
        return f"{HEADERS}/{project}/{inside}"
    return location_of(inside) if scheme == "data" else f"{PACKAGES}/{inside}"


def location_of(path: str) -> str:
    """Return the location of a path below an environment's own folder."""
    for place, pattern in ((PACKAGES, _INTO_PACKAGES), (COMMANDS, _INTO_COMMANDS), (HEADERS, _INTO_HEADERS)):
        if found := pattern.match(path):
            return f"{place}/{path[found.end() :]}"
    return f"{DATA}/{path}"


def command_names(entry_points: str) -> list[str]:
    """Return every command that an installer may make for an `entry_points.txt`.

    Installers differ: in what ends a line, whether an indented line is one of its own, and whether a colon ends a name.
    The names of all readings are returned, so that none is made that was not looked at.
    """
    names: dict[str, None] = {}
    in_group = False
    for line in entry_points.splitlines():
        text = line.strip().lstrip("\ufeff")
        if text.startswith("["):
            in_group = text[1:].partition("]")[0].strip().lower() in _COMMAND_GROUPS
        elif in_group and text and text[0] not in "#;":
            names[text.partition("=")[0].strip()] = None
            names[_NAME_END.split(text, maxsplit=1)[0].strip()] = None
    return list(names)
