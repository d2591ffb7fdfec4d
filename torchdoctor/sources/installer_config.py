"""What pip and uv are configured with: index, extra indexes, find-links, no index, each with where it came from."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.i18n.messages import message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Setting", "pip_settings", "uv_settings"]

Kind = Literal["index", "extra-index", "find-links", "no-index"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One configured place. `origin` names the tool and the key it was read from.

    The kind `no-index` names none: no index is to be asked, only what find-links name.
    """

    kind: Kind
    place: str
    origin: str


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
_PIP_SECTIONS = (":env:", "install", "global")


def pip_settings(listing: str) -> tuple[Setting, ...]:
    """Read what `pip config list` printed; lines that are not settings are passed over."""
    found: dict[tuple[str, str], str] = {}
    for line in listing.splitlines():
        match = re.fullmatch(r"(:env:|[a-z]{1,20})\.([a-z-]{1,40})=(.+)", line.strip())
        if match and match[1] in _PIP_SECTIONS and match[2] in (*_PIP_KEYS, _NO_INDEX):
            found[match[1], match[2]] = _unquoted(match[3])
    rows = [
        Setting(
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
            rows.append(Setting(kind=_NO_INDEX, place="", origin=origin))
    return tuple(rows)


def _section(name: str) -> str:
    names = {":env:": message("env"), "install": message("install"), "global": message("global")}
    return names[name]


def _first_set(found: Mapping[tuple[str, str], str], key: str) -> list[tuple[str, str]]:
    rows = [(section, found[section, key]) for section in _PIP_SECTIONS if found.get((section, key))]
    return rows[:1]


def _unquoted(text: str) -> str:
    # pip prints each value as Python's repr.
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


_UV_KEYS: dict[str, Kind] = {
    "UV_DEFAULT_INDEX": "index",
    "UV_INDEX_URL": "index",
    "UV_INDEX": "extra-index",
    "UV_EXTRA_INDEX_URL": "extra-index",
    "UV_FIND_LINKS": "find-links",
}


def uv_settings(
    environ: Mapping[str, str], files: Sequence[tuple[str, Mapping[str, Any]]]
) -> tuple[Setting, ...]:
    """Read uv's variables, then its files (each a name and the parsed table), the nearest first.

    https://docs.astral.sh/uv/reference/settings/ and /reference/environment/
    """
    rows: list[Setting] = []
    for key, kind in _UV_KEYS.items():
        places = re.split(r"[\s,]+" if key == "UV_FIND_LINKS" else r"\s+", environ.get(key, "").strip())
        rows += _settings(kind, [_without_name(place) for place in places], message("uv's {key}", key=key))
    if environ.get("UV_NO_INDEX", "").lower() in _TRUE:
        rows.append(Setting(kind=_NO_INDEX, place="", origin=message("uv's {key}", key="UV_NO_INDEX")))
    for name, table in files:
        rows += _from_table(table, name)
    return tuple(rows)


def _without_name(place: str) -> str:
    # UV_INDEX and UV_DEFAULT_INDEX take NAME=URL as well.
    match = re.fullmatch(r"[A-Za-z0-9._-]+=(.+)", place)
    return match[1] if match else place


def _from_table(table: Mapping[str, Any], name: str) -> list[Setting]:
    rows: list[Setting] = []
    for scope in (table.get("pip"), table):
        if not isinstance(scope, dict):
            continue
        rows += _settings("index", [scope.get("index-url")], _in_uv("index-url", name))
        rows += _settings("extra-index", scope.get("extra-index-url"), _in_uv("extra-index-url", name))
        rows += _settings("find-links", scope.get("find-links"), _in_uv("find-links", name))
        if scope.get("no-index") is True:
            rows.append(Setting(kind=_NO_INDEX, place="", origin=_in_uv(_NO_INDEX, name)))
    indexes = table.get("index")
    for index in indexes if isinstance(indexes, list) else ():
        # An explicit index serves only the packages that a project pins to it.
        if not isinstance(index, dict) or index.get("explicit"):
            continue
        kind: Kind = "index" if index.get("default") else "extra-index"
        if index.get("format") == "flat":
            kind = "find-links"
        rows += _settings(kind, [index.get("url")], _in_uv("index", name))
    return rows


def _in_uv(key: str, file: str) -> str:
    return message("uv's {key} ({file})", key=key, file=file)


def _settings(kind: Kind, places: object, origin: str) -> list[Setting]:
    if not isinstance(places, list):
        places = [places]
    return [
        Setting(kind=kind, place=place, origin=origin) for place in places if isinstance(place, str) and place
    ]
