"""Turn rows of files into the groups that the data files hold: official index and PyPI, kept apart."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import Any
from urllib.parse import quote

from packaging.utils import parse_wheel_filename
from packaging.version import Version

__all__ = [
    "by_python",
    "groups",
    "newest_first",
    "platform_of",
    "pypi_group",
    "python_of",
    "python_order",
    "pythons_of",
]

Row = dict[str, Any]

_NAMED_SOURCES = 4  # how many repositories a group names; the rest are counted


def python_order(python: str) -> tuple[int, int, bool]:
    """Sort `3.9` before `3.10` before `3.10t`; anything that is not a version comes last."""
    found = re.fullmatch(r"(\d+)\.(\d+)(t?)", python)
    return (int(found[1]), int(found[2]), bool(found[3])) if found else (99, 0, False)


def python_of(filename: str) -> str:
    """Return `3.12`, `3.13t` or, for a wheel of no particular CPython, `py3`."""
    tag = next(iter(parse_wheel_filename(filename)[3]))
    found = re.fullmatch(r"cp(\d)(\d+)", tag.interpreter)
    if found is None:
        return tag.interpreter
    return f"{found[1]}.{found[2]}" + ("t" if tag.abi.endswith("t") else "")


def pythons_of(filenames: list[str]) -> list[str]:
    """Return the Pythons of some wheels, oldest first."""
    return sorted({python_of(name) for name in filenames}, key=python_order)


def platform_of(filename: str) -> str | None:
    """Return our platform key of a wheel, or None for one that we do not choose for (s390x, any)."""
    tag = next(iter(parse_wheel_filename(filename)[3])).platform
    if tag.startswith(("manylinux", "linux")):
        return next((f"linux_{arch}" for arch in ("x86_64", "aarch64") if tag.endswith(arch)), None)
    if tag.startswith("macosx"):
        return next((f"macos_{arch}" for arch in ("arm64", "x86_64") if tag.endswith(arch)), None)
    return {"win_amd64": "windows_x86_64", "win_arm64": "windows_arm64"}.get(tag)


def groups(rows: list[Row]) -> list[dict[str, Any]]:
    """Group rows of the official index by project, version and folder, newest version first."""
    found: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["project"], row["version"], _folder(row)].append(row)
    ordered = sorted(found, key=lambda key: (key[0], newest_first(key[1]), key[2]))
    return [_group(key, found[key]) for key in ordered]


def newest_first(version: str) -> tuple[tuple[int, ...], str]:
    """Sort versions of a project, the newest first."""
    release = Version(version).release
    return tuple(-part for part in release), version


def _folder(row: Row) -> str:
    """Return the folder of a row, having checked that it and the name make the path that was seen."""
    folder = "whl/" + (f"{row['variant']}/" if row["variant"] else "")
    if row["path"] != folder + quote(row["filename"]):
        raise ValueError(f"the path is not the folder and the name: {row['path']}")
    return folder


def _group(key: tuple[str, str, str], rows: list[Row]) -> dict[str, Any]:
    project, version, folder = key
    files = sorted({(row["filename"], row["sha256"]) for row in rows}, key=lambda file: by_python(file[0]))
    if len({name for name, _ in files}) != len(files):
        raise ValueError(f"a file of {project} {version} in {folder} has two digests")
    return {
        "project": project,
        "version": version,
        "folder": folder,
        "source": _sources(rows),
        "files": [list(file) for file in files],
    }


def by_python(filename: str) -> tuple[str, tuple[int, int, bool], str]:
    """Sort files by platform, then Python."""
    return platform_of(filename) or "other", python_order(python_of(filename)), filename


def _sources(rows: list[Row]) -> str:
    """Join the rows' sources: the kinds, the repositories named most often, and how many more."""
    kinds, named = set(), Counter[str]()
    for row in rows:
        kind, _, names = row["source"].partition(": ")
        kinds.add(kind)
        named.update(re.sub(r" \(\+\d+ more\)$", "", names).split(", "))
    ordered = sorted(named, key=lambda name: (-named[name], name))
    more = len(ordered) - _NAMED_SOURCES
    return f"{', '.join(sorted(kinds))}: {', '.join(ordered[:_NAMED_SOURCES])}" + (
        f" (+{more} more)" if more > 0 else ""
    )


def pypi_group(project: str, version: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return PyPI's wheels of one version: name, digest and size in bytes."""
    wheels = [file for file in entry["files"] if file["filename"].endswith(".whl")]
    wheels.sort(key=lambda file: by_python(file["filename"]))
    return {
        "project": project,
        "version": version,
        "requires_python": entry["requires_python"],
        "uploaded": entry["upload_date"],
        "yanked": entry["yanked"],
        "files": [[file["filename"], file["sha256"], file["size"]] for file in wheels],
    }
