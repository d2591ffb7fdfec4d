"""The indexes and folders of wheels that pip and uv are configured with, each with where it was read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.i18n import message
from torchdoctor.inventory.pip_settings import ENVIRONMENT_SECTION, read_pip_settings
from torchdoctor.inventory.uv_settings import read_uv_tables
from torchdoctor.sources.installer_limits import settings_table
from torchdoctor.sources.tool_values import project_pip_file, values_of_pip, values_of_uv, without_own_hold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.pip_settings import PipPlace, PipSetting
    from torchdoctor.sources.tool_values import ToolValue

__all__ = ["IndexSetting", "InstallerSettings", "installer_settings", "settings_of_pip", "settings_of_uv"]

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
    file: str | None = None  # the path of the file that has it, where it is of a project


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallerSettings:
    """What pip and uv are configured with: indexes and folders, and everything else that changes the choice."""

    indexes: tuple[IndexSetting, ...] = ()
    values: tuple[ToolValue, ...] = ()


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
    environ: Mapping[str, str], python: PythonInfo | PipPlace, folder: Path
) -> InstallerSettings:
    """What the pip of `python` and then uv, for a project in `folder`, are configured with; each place once."""
    pip, uv = read_pip_settings(environ, python), list(read_uv_tables(environ, folder))
    project_file = project_pip_file(environ, python, folder)
    # What a project says must not hide what the user's own files say: it may turn out not to be used.
    own = [value for value in pip if value.origin != project_file]
    indexes = [
        *settings_of_pip(own),
        *(each for each in settings_of_pip(pip, project_file) if each.of_project),
        *settings_of_uv(environ, uv, folder),
    ]
    keys = _keys_of("pip"), _keys_of("uv")
    values = [
        *values_of_pip(own, keys[0]),
        *(each for each in values_of_pip(pip, keys[0], project_file) if each.of_project),
        *values_of_uv(
            environ, uv, keys[1], only_variables=settings_table()["variables"]["uv"], folder=folder
        ),
    ]
    settings = InstallerSettings(
        indexes=tuple(indexes),
        values=tuple(left for value in values if (left := without_own_hold(value, environ)) is not None),
    )
    return _each_once(settings)


def _each_once(settings: InstallerSettings) -> InstallerSettings:
    """Return each place once, and of a project nothing that the user is configured with anyway."""
    users = {(each.kind, each.place) for each in settings.indexes if not each.of_project}
    distinct = {
        (each.kind, each.place): each
        for each in reversed(settings.indexes)
        if not each.of_project or (each.kind, each.place) not in users
    }
    said = {(each.key, str(each.value)) for each in settings.values if not each.of_project}
    return InstallerSettings(
        indexes=tuple(distinct.values())[::-1],
        values=tuple(
            each for each in settings.values if not each.of_project or (each.key, str(each.value)) not in said
        ),
    )


def _keys_of(tool: str) -> tuple[str, ...]:
    table = settings_table()
    others = (keys.get(tool, ()) for keys in table["not_followed"].values())
    return tuple(dict.fromkeys((*table["followed"][tool], *(key for keys in others for key in keys))))


def settings_of_pip(
    values: Iterable[PipSetting], project_file: str | None = None
) -> tuple[IndexSetting, ...]:
    """Of pip's settings those that name a place for an installation, the one that counts of each key.

    Those of `project_file` are of a project.
    """
    found = {(value.section, value.key): value for value in values}
    settings = [
        _of_pip(kind, place, key, value, project_file)
        for key, kind in _PIP_KEYS.items()
        for value in _first_set(found, key)
        for place in value.value.split()
    ]
    settings += [
        _of_pip(_NO_INDEX, "", _NO_INDEX, value, project_file)
        for value in _first_set(found, _NO_INDEX)
        if value.value.lower() in _TRUE
    ]
    return tuple(settings)


def _of_pip(kind: Kind, place: str, key: str, value: PipSetting, project_file: str | None) -> IndexSetting:
    of_project = project_file is not None and value.origin == project_file
    return IndexSetting(
        kind=kind,
        place=place,
        origin=message("pip's {key} ({section})", key=key, section=_section(value.section)),
        of_project=of_project,
        file=project_file if of_project else None,
    )


def _section(name: str) -> str:
    names = {ENVIRONMENT_SECTION: message("env"), "install": message("install"), "global": message("global")}
    return names[name]


def _first_set(found: Mapping[tuple[str, str], PipSetting], key: str) -> list[PipSetting]:
    values = [found[section, key] for section in _PIP_SECTIONS if (section, key) in found]
    return [value for value in values if value.value][:1]


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
        file = name if of_project else None
        settings += [
            replace(setting, of_project=of_project, file=file) for setting in _from_table(table, name)
        ]
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
