"""The indexes and folders of wheels that pip and uv are configured with, each with where it was read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.i18n import message
from torchdoctor.inventory.pip_settings import ENVIRONMENT_SECTION, read_pip_settings
from torchdoctor.inventory.uv_settings import read_uv_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.pip_settings import PipSetting

__all__ = ["IndexSetting", "installer_settings", "settings_of_pip", "settings_of_uv"]

Kind = Literal["index", "extra-index", "find-links", "no-index"]


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSetting:
    """One configured index or folder.

    The kind `no-index` names none: no index is asked, only what find-links name.
    """

    kind: Kind
    place: str  # a URL or a path, as it stands: it may hold a password
    origin: str  # the tool and the key, for people
    of_project: bool = (
        False  # whether a file of the project in the current folder has it, and not the user's own
    )


_PIP_KEYS: dict[str, Kind] = {
    "index-url": "index",
    "extra-index-url": "extra-index",
    "find-links": "find-links",
}
_NO_INDEX: Literal["no-index"] = "no-index"
# https://github.com/pypa/pip/blob/main/src/pip/_internal/utils/misc.py, and uv's as clap reads it
_TRUE = ("y", "yes", "t", "true", "on", "1")
# pip lets the environment override a command's section, and that the global one.
# https://pip.pypa.io/en/stable/topics/configuration/#precedence-override-order
_PIP_SECTIONS = (ENVIRONMENT_SECTION, "install", "global")


def installer_settings(
    environ: Mapping[str, str], python: PythonInfo, folder: Path
) -> tuple[IndexSetting, ...]:
    """What the pip of `python` and then uv, for a project in `folder`, are configured with; each place once."""
    settings = [
        *settings_of_pip(read_pip_settings(environ, python)),
        *settings_of_uv(environ, list(read_uv_tables(environ, folder)), folder),
    ]
    return tuple({(setting.kind, setting.place): setting for setting in reversed(settings)}.values())[::-1]


def settings_of_pip(values: Iterable[PipSetting]) -> tuple[IndexSetting, ...]:
    """Of pip's settings those that name a place for an installation, the one that counts of each key."""
    found = {(value.section, value.key): value.value for value in values}
    settings = [
        IndexSetting(
            kind=kind,
            place=place,
            origin=message("pip's {key} ({section})", key=key, section=_section(section)),
        )
        for key, kind in _PIP_KEYS.items()
        for section, value in _first_set(found, key)
        for place in value.split()
    ]
    for section, value in _first_set(found, _NO_INDEX):
        if value.lower() in _TRUE:
            origin = message("pip's {key} ({section})", key=_NO_INDEX, section=_section(section))
            settings.append(IndexSetting(kind=_NO_INDEX, place="", origin=origin))
    return tuple(settings)


def _section(name: str) -> str:
    names = {ENVIRONMENT_SECTION: message("env"), "install": message("install"), "global": message("global")}
    return names[name]


def _first_set(found: Mapping[tuple[str, str], str], key: str) -> list[tuple[str, str]]:
    values = [(section, found[section, key]) for section in _PIP_SECTIONS if found.get((section, key))]
    return values[:1]


_UV_KEYS: dict[str, Kind] = {
    "UV_DEFAULT_INDEX": "index",
    "UV_INDEX_URL": "index",
    "UV_INDEX": "extra-index",
    "UV_EXTRA_INDEX_URL": "extra-index",
    "UV_FIND_LINKS": "find-links",
}


def settings_of_uv(
    environ: Mapping[str, str], files: Sequence[tuple[str, Mapping[str, Any]]], folder: Path | None = None
) -> tuple[IndexSetting, ...]:
    """Read uv's variables, then its files (each a name and the parsed table), the nearest first.

    A file in `folder` or above it is of a project.

    https://docs.astral.sh/uv/reference/settings/ and /reference/environment/
    """
    settings: list[IndexSetting] = []
    for key, kind in _UV_KEYS.items():
        places = re.split(r"[\s,]+" if key == "UV_FIND_LINKS" else r"\s+", environ.get(key, "").strip())
        settings += _settings(
            kind, [_without_name(place) for place in places], message("uv's {key}", key=key)
        )
    if environ.get("UV_NO_INDEX", "").lower() in _TRUE:
        settings.append(
            IndexSetting(kind=_NO_INDEX, place="", origin=message("uv's {key}", key="UV_NO_INDEX"))
        )
    for name, table in files:
        named = bool(environ.get("UV_CONFIG_FILE"))  # by the user, wherever it lies
        of_project = not named and folder is not None and Path(name).parent in (folder, *folder.parents)
        settings += [replace(setting, of_project=of_project) for setting in _from_table(table, name)]
    return tuple(settings)


def _without_name(place: str) -> str:
    # UV_INDEX and UV_DEFAULT_INDEX take NAME=URL as well.
    match = re.fullmatch(r"[A-Za-z0-9._-]+=(.+)", place)
    return match[1] if match else place


def _from_table(table: Mapping[str, Any], name: str) -> list[IndexSetting]:
    settings: list[IndexSetting] = []
    for scope in (table.get("pip"), table):
        if not isinstance(scope, dict):
            continue
        settings += _settings("index", [scope.get("index-url")], _in_uv("index-url", name))
        settings += _settings("extra-index", scope.get("extra-index-url"), _in_uv("extra-index-url", name))
        settings += _settings("find-links", scope.get("find-links"), _in_uv("find-links", name))
        if scope.get("no-index") is True:
            settings.append(IndexSetting(kind=_NO_INDEX, place="", origin=_in_uv(_NO_INDEX, name)))
    indexes = table.get("index")
    for index in indexes if isinstance(indexes, list) else ():
        # An explicit index serves only the packages that a project pins to it.
        if not isinstance(index, dict) or index.get("explicit"):
            continue
        kind: Kind = "index" if index.get("default") else "extra-index"
        if index.get("format") == "flat":
            kind = "find-links"
        settings += _settings(kind, [index.get("url")], _in_uv("index", name))
    return settings


def _in_uv(key: str, file: str) -> str:
    return message("uv's {key} ({file})", key=key, file=file)


def _settings(kind: Kind, places: object, origin: str) -> list[IndexSetting]:
    if not isinstance(places, list):
        places = [places]
    return [
        IndexSetting(kind=kind, place=place, origin=origin)
        for place in places
        if isinstance(place, str) and place
    ]
