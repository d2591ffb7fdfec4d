"""pip's settings: its files in the order in which pip reads them, then its variables.

The files are read as pip reads them (https://pip.pypa.io/en/stable/topics/configuration/), since starting pip to ask
it takes longer than everything else that is looked at.
"""

from __future__ import annotations

import configparser
import locale
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.inventory import files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.detect import PythonInfo

__all__ = [
    "ENVIRONMENT_SECTION",
    "PipPlace",
    "PipSetting",
    "parse_pip_file",
    "pip_files",
    "read_pip_settings",
]

# What `pip config list` calls the level of the variables.
ENVIRONMENT_SECTION = ":env:"
_MAX_SETTINGS_PER_FILE = 500
# Not settings: https://github.com/pypa/pip/blob/main/src/pip/_internal/configuration.py, ENV_NAMES_IGNORED
_IGNORED_VARIABLES = ("PIP_VERSION", "PIP_HELP", "PIP_CONFIG_FILE")
_NULL_DEVICES = ("/dev/null", "nul", "NUL")
_HOMEBREW = "/opt/homebrew"


@dataclass(frozen=True, kw_only=True, slots=True)
class PipSetting:
    """One value that pip is configured with, as it stands: it may hold a password."""

    section: str  # global, a command such as install, or ENVIRONMENT_SECTION
    key: str  # as pip writes it, for example index-url
    value: str
    origin: str  # the path of the file, or the name of the variable


@dataclass(frozen=True, kw_only=True, slots=True)
class PipPlace:
    """Where the pip of an interpreter looks for its settings."""

    sys_platform: str
    prefix: str | Path


def read_pip_settings(environ: Mapping[str, str], python: PythonInfo | PipPlace) -> tuple[PipSetting, ...]:
    """Every value in the order in which pip reads them: of two for one section and key, the later one counts.

    `python` is the interpreter whose pip is meant. Files that are missing or broken are passed over.
    """
    settings = [
        PipSetting(section=section, key=key, value=value, origin=path)
        for path in pip_files(environ, python)
        for section, key, value in parse_pip_file(_read(path))
    ]
    settings += [
        PipSetting(section=ENVIRONMENT_SECTION, key=_normalize(name[4:]), value=value, origin=name)
        for name, value in sorted(environ.items())
        if name.startswith("PIP_") and name not in _IGNORED_VARIABLES and value
    ]
    return tuple(settings)


def pip_files(environ: Mapping[str, str], python: PythonInfo | PipPlace) -> tuple[str, ...]:
    """The paths at which pip looks for settings, whether or not they exist; the later ones win.

    The order is global, user, environment, PIP_CONFIG_FILE. Where that last one exists, pip leaves the user's out.
    """
    named = environ.get("PIP_CONFIG_FILE")
    if named in _NULL_DEVICES:
        return ()
    shared, own = _windows_files(environ) if python.sys_platform == "win32" else _unix_files(environ, python)
    name = "pip.ini" if python.sys_platform == "win32" else "pip.conf"
    separator = "\\" if python.sys_platform == "win32" else "/"
    paths = [*shared, *(() if named and files.exists(named) else own), f"{python.prefix}{separator}{name}"]
    return tuple(dict.fromkeys([*paths, *([named] if named else [])]))


def _windows_files(environ: Mapping[str, str]) -> tuple[list[str], list[str]]:
    home = environ.get("USERPROFILE") or environ.get("HOME") or ""
    shared, roaming = environ.get("PROGRAMDATA", r"C:\ProgramData"), environ.get("APPDATA", "")
    return [rf"{shared}\pip\pip.ini"], [rf"{home}\pip\pip.ini", rf"{roaming}\pip\pip.ini"]


def _unix_files(environ: Mapping[str, str], python: PythonInfo | PipPlace) -> tuple[list[str], list[str]]:
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111  (text)
    old, config = f"{home}/.pip/pip.conf", f"{home}/.config/pip/pip.conf"
    if python.sys_platform == "darwin":
        shared = ["/Library/Application Support/pip/pip.conf"]
        if str(python.prefix).startswith(_HOMEBREW):
            shared.insert(0, f"{_HOMEBREW}/share/pip/pip.conf")
        support = f"{home}/Library/Application Support/pip"
        return shared, [old, f"{support}/pip.conf" if files.exists(support) else config]
    folders = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    if environ.get("XDG_CONFIG_HOME"):
        config = f"{environ['XDG_CONFIG_HOME']}/pip/pip.conf"
    return [*(f"{folder}/pip/pip.conf" for folder in folders), "/etc/pip.conf"], [old, config]


def parse_pip_file(text: str) -> list[tuple[str, str, str]]:
    """Section, key and value of each setting, as pip reads it; nothing from a file that is broken."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except (configparser.Error, ValueError):
        return []
    settings = [
        (section, _normalize(key), value)
        for section in parser.sections()
        for key, value in parser.items(section)
        if value
    ]
    return settings[:_MAX_SETTINGS_PER_FILE]


def _normalize(name: str) -> str:
    return re.sub(r"^--", "", name.lower().replace("_", "-"))


def _read(path: str) -> str:
    """The text of a file, by the system's encoding where it is not UTF-8: that is how pip reads it."""
    raw = files.head(path, files.TEXT) or b""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode(locale.getpreferredencoding(do_setlocale=False), "replace")
