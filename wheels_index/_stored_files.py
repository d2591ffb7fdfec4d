"""The files that an index listed, grouped as they are stored; from JSON only what can be right."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from packaging.version import Version

from wheels_index.variant import variant
from wheels_index.wheel import Wheel

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Group", "groups_from_json", "groups_of", "groups_to_json"]

_MAX_GROUP_COUNT = 50_000
_MAX_FILE_COUNT = 200_000
_MAX_TEXT_LENGTH = 4096
_PROJECT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# What nearly every URL is; others are taken apart, which takes nine times as long.
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?/[A-Za-z0-9._/%+-]*", re.ASCII)
_PART = r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*"
# As packaging.utils.parse_wheel_filename has it, so that no name fails later.
_NAME = re.compile(
    rf"([A-Za-z0-9](?:[A-Za-z0-9.]|_(?!_))*)-([A-Za-z0-9.!+_]+)(?:-[0-9]+[A-Za-z0-9_.]*)?"
    rf"-[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*-{_PART}-{_PART}\.whl",
    re.ASCII,
)

# name, sha256, size, sidecar (its sha256, true, or null for none), URL where it is not folder + name
File = tuple[str, "str | None", "int | None", "str | bool | None", "str | None"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Files of one project, version and folder."""

    project: str
    version: Version
    folder: str
    variant: str | None
    requires_python: str | None
    files: tuple[File, ...]

    def wheels(self, *, seen: str) -> list[Wheel]:
        """Return the files as wheels seen on a date."""
        return [
            Wheel(
                project=self.project,
                version=self.version,
                filename=name,
                url=url if url is not None else self.folder + name.replace("+", "%2B"),
                sha256=sha256,
                size=size,
                variant=self.variant,
                metadata_sha256=sidecar if isinstance(sidecar, str) else None,
                has_metadata=bool(sidecar),
                requires_python=self.requires_python,
                seen=seen,
            )
            for name, sha256, size, sidecar, url in self.files
        ]


def groups_of(wheels: Iterable[Wheel]) -> tuple[Group, ...]:
    """Group wheels that have a URL by project, version, folder, variant and Python."""
    found: defaultdict[tuple[str, Version, str, str | None, str | None], list[File]] = defaultdict(list)
    for wheel in wheels:
        if wheel.url is None:
            continue
        place, plain = wheel.url.rpartition("/")[0] + "/", wheel.filename.replace("+", "%2B")
        url = None if wheel.url == place + plain else wheel.url
        sidecar = wheel.metadata_sha256 or wheel.has_metadata or None
        key = (wheel.project, wheel.version, place, wheel.variant, wheel.requires_python)
        found[key].append((wheel.filename, wheel.sha256, wheel.size, sidecar, url))
    return tuple(
        Group(
            project=project, version=version, folder=folder, variant=name, requires_python=python,
            files=tuple(files),
        )
        for (project, version, folder, name, python), files in found.items()
    )  # fmt: skip


def groups_to_json(groups: Iterable[Group]) -> list[dict[str, Any]]:
    """Return the groups as JSON that `groups_from_json` reads."""
    return [
        {
            "project": group.project,
            "version": str(group.version),
            "folder": group.folder,
            "variant": group.variant,
            "requires_python": group.requires_python,
            "files": [list(file) for file in group.files],
        }
        for group in groups
    ]


def groups_from_json(data: Any) -> tuple[Group, ...]:
    """Read groups; raises `ValueError`, with the place, for anything that is not as it was written."""
    if not isinstance(data, list) or len(data) > _MAX_GROUP_COUNT:
        raise ValueError("groups: not a list, or too long")
    groups = tuple(_group(row, f"groups[{number}]") for number, row in enumerate(data))
    if sum(len(group.files) for group in groups) > _MAX_FILE_COUNT:
        raise ValueError(f"groups: more than {_MAX_FILE_COUNT} files")
    return groups


def _group(row: Any, where: str) -> Group:
    if not isinstance(row, dict) or not isinstance(row.get("files"), list):
        raise ValueError(f"{where}: not a group of files")  # noqa: TRY004  (one kind for bad data)
    project, text, name = (
        _checked_text(row.get(key), f"{where}.{key}") for key in ("project", "version", "variant")
    )
    folder = _checked_url(row.get("folder"), f"{where}.folder")
    if project is None or not _PROJECT.fullmatch(project) or text is None or folder is None:
        raise ValueError(f"{where}: project, version and folder must be there")
    if name is not None:
        variant(name)
    version = Version(text)
    names = f"{project}-{version}"
    files = []
    for number, file in enumerate(row["files"]):
        why = _fault(file, names)
        if why is not None:
            raise ValueError(f"{where}.files[{number}]: {why}")
        files.append(tuple(file))
    return Group(
        project=project,
        version=version,
        folder=folder,
        variant=name,
        requires_python=_checked_text(row.get("requires_python"), f"{where}.requires_python"),
        files=tuple(files),
    )


def _fault(file: Any, names: str) -> str | None:
    """Return what is wrong with a file of the project and version `names`; None for nothing."""
    if not isinstance(file, list) or len(file) != 5:  # noqa: PLR2004  (the fields of `File`)
        return "not a file"
    name, sha256, size, sidecar, url = file
    found = _NAME.fullmatch(name) if isinstance(name, str) and len(name) <= 255 else None  # noqa: PLR2004
    if found is None or _stored_name(found[1], found[2]) != names:
        return f"not the name of a wheel of {names}"
    if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        return "not a sha256"
    if size is not None and (type(size) is not int or size < 0):
        return "not a size"
    if not (sidecar is None or sidecar is True or (isinstance(sidecar, str) and _SHA256.fullmatch(sidecar))):
        return "not a sidecar"
    if url is not None:
        _checked_url(url, names)
    return None


@lru_cache(maxsize=4096)
def _stored_name(project: str, version: str) -> str:
    """Return the project and version of a file name as a group has them."""
    return f"{re.sub(r'[-_.]+', '-', project).lower()}-{Version(version)}"


def _checked_text(value: Any, where: str) -> str | None:
    if value is not None and not (
        isinstance(value, str) and len(value) <= _MAX_TEXT_LENGTH and value.isprintable()
    ):
        raise ValueError(f"{where}: not a text of one line")
    return value


def _checked_url(value: Any, where: str) -> str | None:
    text = _checked_text(value, where)
    if text is None or _PLAIN_URL.fullmatch(text):
        return text
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).netloc:
        raise ValueError(f"{where}: not an http or https URL")
    return text
