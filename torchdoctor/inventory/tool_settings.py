"""What pip and conda are configured with: each value, and the file or variable that it came from."""

from __future__ import annotations

import configparser
import re
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import message
from torchdoctor.inventory import files as disk
from torchdoctor.inventory.environment_variables import is_secret, without_credentials
from torchdoctor.inventory.model import ToolSetting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["conda_settings", "parse_condarc", "parse_pip_file", "pip_settings", "uv_settings"]

_VALUE = 500
_KEYS = 500
_CONDA = (
    "channels", "default_channels", "channel_alias", "channel_priority", "ssl_verify", "offline", "solver",
    "pip_interop_enabled", "pinned_packages", "envs_dirs", "pkgs_dirs", "proxy_servers", "custom_channels",
    "override_channels_enabled", "always_yes",
)  # fmt: skip


def pip_settings(environ: Mapping[str, str], python: PythonInfo) -> tuple[ToolSetting, ...]:
    """Each value of pip's, the one that wins last among its key's.

    https://pip.pypa.io/en/stable/topics/configuration/
    """
    rows: list[tuple[str, str, str]] = []
    for path in _pip_files(environ, python):
        text = disk.read_text(path)
        rows += [(key, value, path) for key, value in parse_pip_file(text)] if text else []
    for name, value in sorted(environ.items()):
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE" and value:
            rows.append((f"env.{name[4:].lower().replace('_', '-')}", value, name))
    # A command's own section beats the global one, and a variable beats both; among files the later wins.
    best: dict[str, tuple[int, int]] = {}
    for place, (key, _, _) in enumerate(rows):
        section, _, name = key.partition(".")
        rank = ({"global": 0, "env": 2}.get(section, 1), place)
        best[name] = max(best.get(name, (-1, -1)), rank)
    winners = {place for _, place in best.values()}
    return tuple(
        _setting("pip", key.removeprefix("env."), value, origin, place in winners)
        for place, (key, value, origin) in enumerate(rows)
    )


def _pip_files(environ: Mapping[str, str], python: PythonInfo) -> list[str]:
    """Global, user, site, and the one that PIP_CONFIG_FILE names: the later ones win."""
    named = environ.get("PIP_CONFIG_FILE")
    if named in ("/dev/null", "nul", "NUL"):
        return []
    home = environ.get("HOME") or environ.get("USERPROFILE") or ""
    if python.sys_platform == "win32":
        data, roaming = environ.get("PROGRAMDATA", r"C:\ProgramData"), environ.get("APPDATA", "")
        files = [rf"{data}\pip\pip.ini", rf"{home}\pip\pip.ini", rf"{roaming}\pip\pip.ini"]
        files.append(rf"{python.prefix}\pip.ini")
    else:
        shared = [
            f"{place}/pip/pip.conf" for place in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
        ]
        own = f"{environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}/pip/pip.conf"
        if python.sys_platform == "darwin":
            shared = ["/Library/Application Support/pip/pip.conf"]
            mac = message("{home}/Library/Application Support/pip", home=home)
            own = f"{mac}/pip.conf" if disk.exists(mac) else f"{home}/.config/pip/pip.conf"
        files = [*shared, "/etc/pip.conf", f"{home}/.pip/pip.conf", own, f"{python.prefix}/pip.conf"]
    return [*dict.fromkeys(files), *([named] if named else [])]


def parse_pip_file(text: str) -> list[tuple[str, str]]:
    """`section.key` and value of each setting, as pip reads it; nothing of a file that is broken."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except (configparser.Error, ValueError):
        return []
    rows = [
        (f"{section}.{key}", value) for section in parser.sections() for key, value in parser.items(section)
    ]
    return [(key.replace("_", "-").lower(), value) for key, value in rows[:_KEYS] if value]


def uv_settings(
    environ: Mapping[str, str], tables: list[tuple[str, dict[str, Any]]]
) -> tuple[ToolSetting, ...]:
    """uv's variables, then its files (each a name and the parsed table), the nearest first, which wins.

    https://docs.astral.sh/uv/reference/settings/
    """
    rows = [
        (name, value, name) for name, value in sorted(environ.items()) if name.startswith("UV_") and value
    ]
    for path, table in tables:
        rows += [(key, value, path) for key, value in _flat(table, "")][:_KEYS]
    seen: set[str] = set()
    found = []
    for key, value, origin in rows:
        plain = key.removeprefix("UV_").lower().replace("_", "-").removeprefix("pip.")
        found.append(_setting("uv", key, value, origin, plain not in seen))
        seen.add(plain)
    return tuple(found)


def _flat(value: Any, name: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Scalars by their dotted keys; a list of scalars is one value."""
    if isinstance(value, dict) and depth < 4:  # noqa: PLR2004  (no setting lies deeper)
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        plain = [str(row)[:_VALUE] for row in value[:50] if isinstance(row, (str, int, float, bool))]
        if plain:
            yield name, " ".join(plain)
        for row in value[:50]:
            if isinstance(row, dict):
                yield from _flat(row, name, depth + 1)
    elif isinstance(value, (str, int, float, bool)):
        yield name, str(value)


def conda_settings(environ: Mapping[str, str], python: PythonInfo) -> tuple[ToolSetting, ...]:
    """conda's files, the later of which win, and its variables.

    https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/use-condarc.html
    """
    rows: list[tuple[str, str, str]] = []
    for path in _conda_files(environ, python):
        text = disk.read_text(path)
        rows += [(key, value, path) for key, value in parse_condarc(text)] if text else []
    for key in _CONDA:
        name = f"CONDA_{key.upper()}"
        if environ.get(name):
            rows.append((key, environ[name], name))
    last = {key: place for place, (key, _, _) in enumerate(rows)}
    return tuple(
        _setting("conda", key, value, origin, last[key] == place)
        for place, (key, value, origin) in enumerate(rows)
    )


def _conda_files(environ: Mapping[str, str], python: PythonInfo) -> list[str]:
    home = environ.get("HOME") or environ.get("USERPROFILE") or ""
    root = environ.get("CONDA_ROOT") or re.sub(
        r"[\\/](bin|Scripts)[\\/]conda(\.exe)?$", "", environ.get("CONDA_EXE", "")
    )
    folders = (
        ["/etc/conda", "/var/lib/conda"] if python.sys_platform != "win32" else [r"C:\ProgramData\conda"]
    )
    files = [f"{folder}/{name}" for folder in folders for name in (".condarc", "condarc")]
    files += [f"{root}/.condarc"] if root else []
    files += [f"{environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}/conda/.condarc"]
    files += [f"{home}/.conda/.condarc", f"{home}/.condarc", f"{home}/.mambarc"]
    active = environ.get("CONDA_PREFIX")
    files += [f"{active}/.condarc"] if active else []
    files += [environ["CONDARC"]] if environ.get("CONDARC") else []
    return list(dict.fromkeys(files))


def parse_condarc(text: str) -> list[tuple[str, str]]:
    """The settings that decide which packages come from where; nothing of a file that is broken."""
    import yaml

    try:
        # BaseLoader makes texts of everything; an alias is the same object again, and none is followed below.
        document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (it makes texts, lists and mappings only)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    rows = []
    for key in _CONDA:
        value = document.get(key) if isinstance(document, dict) else None
        if isinstance(value, list):
            value = " ".join(row for row in value[:50] if isinstance(row, str))
        elif isinstance(value, dict):
            pairs = [(name, row) for name, row in list(value.items())[:50] if isinstance(row, str)]
            value = " ".join(f"{name}={without_credentials(row)}" for name, row in pairs)
        if isinstance(value, str) and value:
            rows.append((key, value))
    return rows


def _setting(tool: Any, key: str, value: str, origin: str, used: bool) -> ToolSetting:
    shown = "****" if is_secret(key) else without_credentials(" ".join(value.split()))
    return ToolSetting(tool=tool, key=key[:100], value=shown[:_VALUE], origin=origin, used=used)
