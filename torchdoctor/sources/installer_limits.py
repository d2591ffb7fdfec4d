"""What pip and uv are told that limits the choice: constraints, times of upload, pre-releases, builds from source.

Each setting is followed or told by name as one that is not.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.core.urls import redact_url
from torchdoctor.sources.cutoff import Cutoff, earlier, parse_pip_time, parse_uv_time, written
from torchdoctor.sources.tool_values import INDEX_TIME

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torchdoctor.sources.tool_values import ToolValue

__all__ = ["Limits", "UsedSetting", "limits_of", "settings_table"]

_MAX_SHOWN = 200
_FALSE = ("", "0", "false", "no", "n", "off", "f", "never", ":none:")
_ALL = ":all:"


@dataclass(frozen=True, kw_only=True, slots=True)
class UsedSetting:
    """A setting that takes part in the choice, for people and for the record."""

    setting: str
    value: str
    origin: str  # the file, the variable or the option

    def to_json(self) -> dict[str, str]:
        """Return a row of `limits` of contract 3."""
        return {"setting": self.setting, "value": self.value, "origin": self.origin}


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What limits the choice besides what was asked for; files are those that a setting names, with that setting."""

    cutoff: Cutoff | None = None
    constraints: tuple[tuple[str, str], ...] = ()
    overrides: tuple[tuple[str, str], ...] = ()
    prereleases: bool = False
    no_build: frozenset[str] = frozenset()  # normalised names that are not built from source, or `:all:`
    on_torch: tuple[tuple[str, str], ...] = ()  # what constraints say of torch: a specifier, and who says it
    used: tuple[UsedSetting, ...] = ()
    notes: tuple[str, ...] = field(default=())  # what is not followed, each a sentence

    def builds(self, project: str) -> bool:
        """Say whether a project may be built from what an index has of its source."""
        return not self.no_build & {project, _ALL}

    def __bool__(self) -> bool:
        return bool(self.cutoff or self.constraints or self.overrides)


@cache
def settings_table() -> Mapping[str, Any]:
    """Return which settings of pip and uv are followed, and why each other one is not."""
    table: dict[str, Any] = tomllib.loads(
        Path(__file__).with_name("installer_settings.toml").read_text("utf-8")
    )
    return table


def limits_of(
    values: Iterable[ToolValue], *, exclude_newer: str | None = None, now: datetime | None = None
) -> Limits:
    """Return the limits that these settings make; `exclude_newer` is our own option, which stands before theirs.

    Raises `UsageError` for a time that is none.
    """
    moment = now or datetime.now(timezone.utc)
    limits = Limits()
    ended: list[tuple[ToolValue, Cutoff]] = []
    for value in values:
        if value.key in settings_table()["followed"][value.tool]:
            if value.key in ("exclude-newer", "uploaded-prior-to", "exclude-newer-package"):
                ended.append((value, _cutoff(value, moment)))
            else:
                limits = _with(limits, value)
        elif (note := _not_followed(value)) is not None:
            limits = replace(limits, notes=(*limits.notes, note))
    return _with_cutoff(limits, ended, exclude_newer, moment)


def _with_cutoff(
    limits: Limits, ended: list[tuple[ToolValue, Cutoff]], option: str | None, now: datetime
) -> Limits:
    """Join the times of both tools: the earlier one counts, unless our own option names another."""
    cutoff: Cutoff | None = None
    for _, each in ended:
        cutoff = earlier(cutoff, each)
    used = [
        UsedSetting(setting=value.key, value=_shown(value.value), origin=value.origin)
        for value, each in ended
        if option is None or each.moment is None
    ]
    if option is not None:
        origin = "--exclude-newer"
        packages = cutoff.packages if cutoff is not None else {}
        moment = parse_uv_time(option, origin, now)
        cutoff = Cutoff(moment=moment, origin=origin, packages=packages)
        text = written(moment) if moment is not None else option
        used.append(UsedSetting(setting="exclude-newer", value=text, origin=origin))
    if cutoff is not None and cutoff.moment is None and not cutoff.packages:
        cutoff = None
    return replace(limits, cutoff=cutoff, used=(*limits.used, *used))


def _cutoff(value: ToolValue, now: datetime) -> Cutoff:
    if value.key == "uploaded-prior-to":
        return Cutoff(moment=parse_pip_time(_text(value), value.origin, now), origin=value.origin)
    if value.key == "exclude-newer":
        return Cutoff(moment=parse_uv_time(_text(value), value.origin, now), origin=value.origin)
    from packaging.utils import canonicalize_name

    table = value.value if isinstance(value.value, dict) else {}
    packages = {
        str(canonicalize_name(str(name))): parse_uv_time(
            "false" if each is False else str(each), value.origin, now
        )
        for name, each in table.items()
    }
    return Cutoff(moment=None, origin=value.origin, packages=packages)


def _with(limits: Limits, value: ToolValue) -> Limits:
    """Add a setting that is followed."""
    if value.key in ("constraint", "override"):
        files = tuple((name, value.origin) for name in _text(value).split())
        if value.key == "constraint":
            limits = replace(limits, constraints=(*limits.constraints, *files))
        else:
            limits = replace(limits, overrides=(*limits.overrides, *files))
    elif value.key in ("pre", "prerelease"):
        text = _text(value).lower()
        if text not in ("allow", "true", "1", "yes", "y", "on", "t"):
            note = _told(value, message("a pre-release is taken only where it is asked for"))
            default = text in (*_FALSE, "if-necessary-or-explicit", "if-necessary", "explicit", "disallow")
            return limits if default else replace(limits, notes=(*limits.notes, note))
        limits = replace(limits, prereleases=True)
    else:
        names = _unbuilt(value)
        if not names:
            return limits
        limits = replace(limits, no_build=limits.no_build | names)
    used = UsedSetting(setting=value.key, value=_shown(value.value), origin=value.origin)
    return replace(limits, used=(*limits.used, used))


def _unbuilt(value: ToolValue) -> frozenset[str]:
    from packaging.utils import canonicalize_name

    if value.key == "no-build":
        return frozenset() if _text(value).lower() in _FALSE else frozenset({_ALL})
    names = frozenset(_text(value).replace(",", " ").split())
    if _ALL in names:
        return frozenset({_ALL})
    return frozenset(str(canonicalize_name(name)) for name in names if name not in _FALSE)


def _not_followed(value: ToolValue) -> str | None:
    """Return why a setting is not followed; None for one that says nothing, or what is so anyway."""
    text = _text(value)
    if (text.lower() in _FALSE and value.key != INDEX_TIME) or text == settings_table()["defaults"].get(
        value.key
    ):
        return None
    if value.key == INDEX_TIME:
        return _told(value, message("a time counts for every index"))
    for why, keys in settings_table()["not_followed"].items():
        if value.key in keys.get(value.tool, ()):
            return _told(value, _why(why))
    return None


def _told(value: ToolValue, why: str) -> str:
    return message(
        "{origin}: {setting} is not followed: {why}",
        origin=value.origin,
        setting=f"{value.key} {_shown(value.value)}".strip(),
        why=why,
    )


def _why(code: str) -> str:
    return {
        "wheels": message("a wheel is installed wherever there is one"),
        "newest": message("the newest versions that go together are chosen"),
        "sources": message("the indexes are asked in their order"),
        "family": message("the build is chosen for the machine; --variant names one"),
        "dependencies": message("everything that a package requires is installed; --without leaves one out"),
        "hashes": message("each file is checked with the hash that the facts, the lock or the index give"),
        "asked": message("-r, -c, --project and --override say what is asked for"),
        "builds": message("builds run as uv runs them by itself"),
        "place": message("ENV and --python say where to and for which Python"),
        "machine": message("the machine is detected, or described by options"),
        "offline": message("--offline says so"),
    }[code]


def _text(value: ToolValue) -> str:
    """A value as text: a list by its words, a truth by its name."""
    if isinstance(value.value, (list, tuple)):
        return " ".join(str(each) for each in value.value if isinstance(each, (str, int)))
    return str(value.value).strip() if not isinstance(value.value, bool) else str(value.value).lower()


def _shown(value: object) -> str:
    if isinstance(value, dict):
        text = " ".join(f"{key}={item}" for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        text = " ".join(map(str, value))
    else:
        text = str(value)
    words = (redact_url(word) if "://" in word else word for word in text.split())
    return sanitize_line(" ".join(words), limit=_MAX_SHOWN)
