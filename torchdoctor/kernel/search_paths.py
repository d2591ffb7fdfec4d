"""Where Jupyter looks for kernel specs, in its order.

https://docs.jupyter.org/en/latest/use/jupyter-directories.html#data-files
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.core.system import System
    from torchdoctor.kernel.model import PlaceKind

__all__ = ["KernelDirectory", "jupyter_prefixes", "kernel_search_path", "user_kernel_folder"]

_FALSE_WORDS = ("no", "n", "false", "off", "0", "0.0")
_SHEBANG = re.compile(r"(?<![^\n'\" !])(/[^\n'\"]{0,1000}?)/bin/python[\d.]{0,12}(?=['\"\s])")


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelDirectory:
    """A folder of kernel specs."""

    folder: Path
    kind: PlaceKind
    prefix: Path | None = None  # the environment that it belongs to


def kernel_search_path(
    system: System, prefixes: Sequence[Path], *, platform: str = sys.platform
) -> tuple[KernelDirectory, ...]:
    """Return the folders in their order of precedence, for a Jupyter that runs in the first of `prefixes`.

    Another Jupyter looks into its own environment instead: the other prefixes come after the first one.
    """
    environ = system.environ
    jupyter_path = environ.get("JUPYTER_PATH", "")
    separator = ";" if platform == "win32" else ":"
    found = [
        KernelDirectory(folder=Path(path) / "kernels", kind="JUPYTER_PATH")
        for path in jupyter_path.split(separator)
        if path
    ]
    own = [
        KernelDirectory(folder=prefix / "share" / "jupyter" / "kernels", kind="environment", prefix=prefix)
        for prefix in prefixes
    ]
    user = [KernelDirectory(folder=user_kernel_folder(environ, platform=platform), kind="user")]
    if platform not in ("win32", "darwin"):
        base = Path(environ.get("PYTHONUSERBASE") or _home(environ, platform) / ".local")
        user.append(KernelDirectory(folder=base / "share" / "jupyter" / "kernels", kind="user"))
    ipython = Path(environ.get("IPYTHONDIR") or _home(environ, platform) / ".ipython")
    found += [*own, *user] if _prefers_environment(system, prefixes) else [*user, *own]
    found += [KernelDirectory(folder=path, kind="system") for path in _system_folders(environ, platform)]
    found.append(KernelDirectory(folder=ipython / "kernels", kind="user"))
    first = {place.folder: place for place in reversed(found)}
    return tuple(place for place in dict.fromkeys(found) if first[place.folder] is place)


def user_kernel_folder(environ: Mapping[str, str], *, platform: str = sys.platform) -> Path:
    """Return the user's own folder of kernel specs."""
    data_dir = environ.get("JUPYTER_DATA_DIR")
    if data_dir:
        return Path(data_dir) / "kernels"
    home = _home(environ, platform)
    by_platform = _is_set(environ, "JUPYTER_PLATFORM_DIRS")
    if platform == "darwin":
        data = home / "Library" / ("Application Support/Jupyter" if by_platform else "Jupyter")
    elif platform == "win32" and by_platform:
        data = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Jupyter"
    elif platform == "win32":
        roaming = environ.get("APPDATA")
        data = Path(roaming) / "jupyter" if roaming else home / ".jupyter" / "data"
    else:
        data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "jupyter"
    return data / "kernels"


def jupyter_prefixes(system: System, more: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Return the environments whose Jupyter may run: the active ones, those of each `jupyter` on PATH, and `more`."""
    environ = system.environ
    found = [Path(environ[name]) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if environ.get(name)]
    for folder in environ.get("PATH", "").split(os.pathsep):
        for name in ("jupyter", "jupyter-lab", "jupyter-notebook", "jupyter.exe"):
            # A tool of pipx or uv is not in its environment: the first line of the script says where that is.
            script = system.read_text(f"{folder}/{name}", limit=1024) if folder.startswith("/") else None
            interpreter = _SHEBANG.search(script) if script and script.startswith("#!") else None
            if interpreter:
                found.append(Path(interpreter[1]))
            elif system.exists(f"{folder}/{name}"):
                found.append(Path(folder).parent)
    return tuple(dict.fromkeys([*found, *more]))


def _prefers_environment(system: System, prefixes: Sequence[Path]) -> bool:
    """Return whether the environment's specs come before the user's: in a venv, and in conda's except base."""
    if "JUPYTER_PREFER_ENV_PATH" in system.environ:
        return _is_set(system.environ, "JUPYTER_PREFER_ENV_PATH")
    if not prefixes:
        return False
    if system.exists(str(prefixes[0] / "pyvenv.cfg")):
        return True
    conda = system.environ.get("CONDA_PREFIX")
    is_named = system.environ.get("CONDA_DEFAULT_ENV", "base") != "base"
    return bool(conda) and is_named and str(prefixes[0]).startswith(str(conda))


def _system_folders(environ: Mapping[str, str], platform: str) -> list[Path]:
    if platform == "win32":
        shared = environ.get("PROGRAMDATA") if _is_set(environ, "JUPYTER_USE_PROGRAMDATA") else None
        return [Path(shared) / "jupyter" / "kernels"] if shared else []
    return [Path("/usr/local/share/jupyter/kernels"), Path("/usr/share/jupyter/kernels")]


def _home(environ: Mapping[str, str], platform: str) -> Path:
    return Path(environ.get("USERPROFILE" if platform == "win32" else "HOME") or Path.home())


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return name in environ and environ[name].lower() not in _FALSE_WORDS
