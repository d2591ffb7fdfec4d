"""conda's settings: its files, of which the later ones win, and its variables.

https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/use-condarc.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.inventory import files
from torchdoctor.inventory.condarc import parse_condarc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.inventory.condarc import CondarcValue

__all__ = ["CONDA_KEYS", "CondaSetting", "conda_files", "read_conda_settings"]

# The settings that decide which packages come from where.
CONDA_KEYS = (
    "channels", "default_channels", "channel_alias", "channel_priority", "ssl_verify", "offline", "solver",
    "pip_interop_enabled", "pinned_packages", "envs_dirs", "pkgs_dirs", "proxy_servers", "custom_channels",
    "override_channels_enabled", "always_yes",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaSetting:
    """One value that conda is configured with, as it stands: it may hold a password."""

    key: str  # of CONDA_KEYS, or `condarc` for a whole file that is not understood
    value: CondarcValue | None  # None: it is there and could not be read
    origin: str  # the path of the file, or the name of the variable


def read_conda_settings(environ: Mapping[str, str], *, sys_platform: str) -> tuple[CondaSetting, ...]:
    """Every value of `CONDA_KEYS`, the files first; of two for one key the later one counts."""
    settings = []
    for path in conda_files(environ, sys_platform=sys_platform):
        if text := files.read_text(path):
            values = parse_condarc(text, CONDA_KEYS)
            settings += [CondaSetting(key=key, value=value, origin=path) for key, value in values.items()]
    for key in CONDA_KEYS:
        name = f"CONDA_{key.upper()}"
        if environ.get(name):
            settings.append(CondaSetting(key=key, value=environ[name], origin=name))
    return tuple(settings)


def conda_files(environ: Mapping[str, str], *, sys_platform: str) -> tuple[str, ...]:
    """The paths at which conda looks for settings, whether or not they exist; the later ones win."""
    home = environ.get("HOME") or environ.get("USERPROFILE") or ""
    root = environ.get("CONDA_ROOT") or re.sub(
        r"[\\/](bin|Scripts)[\\/]conda(\.exe)?$", "", environ.get("CONDA_EXE", "")
    )
    shared = [r"C:\ProgramData\conda"] if sys_platform == "win32" else ["/etc/conda", "/var/lib/conda"]
    paths = [f"{folder}/{name}" for folder in shared for name in (".condarc", "condarc")]
    paths += [f"{root}/.condarc"] if root else []
    paths += [f"{environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}/conda/.condarc"]
    paths += [f"{home}/.conda/.condarc", f"{home}/.condarc", f"{home}/.mambarc"]
    active = environ.get("CONDA_PREFIX")
    paths += [f"{active}/.condarc"] if active else []
    paths += [environ["CONDARC"]] if environ.get("CONDARC") else []
    return tuple(dict.fromkeys(paths))
