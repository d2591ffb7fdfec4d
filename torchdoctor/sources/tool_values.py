"""The settings of pip and uv that are no indexes, as they stand, each with who says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.inventory.pip_settings import ENVIRONMENT_SECTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.pip_settings import PipPlace, PipSetting

__all__ = ["INDEX_TIME", "ToolValue", "project_pip_file", "values_of_pip", "values_of_uv", "without_own_hold"]

# pip lets the environment override a command's section, and that the global one.
# https://pip.pypa.io/en/stable/topics/configuration/#precedence-override-order
_PIP_SECTIONS = (ENVIRONMENT_SECTION, "install", "global")
INDEX_TIME = "exclude-newer of an index"
_HOLD_FILES = ("torchdoctor-hold.txt", "torchdoctor-hold-uv.txt")
_PROJECT_FILES = (".git", ".hg", "pyproject.toml", "uv.toml", "setup.py", "setup.cfg")


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolValue:
    """One setting."""

    tool: Literal["pip", "uv"]
    key: str  # as a file writes it, for example `exclude-newer`
    value: Any
    origin: str  # the variable, or the key and the file, for people
    file: str | None = None  # the path of the file that has it; None for a variable
    of_project: bool = False  # whether that file is found through the current folder, and not the user's own


def values_of_pip(
    settings: Iterable[PipSetting], keys: Sequence[str], project_file: str | None = None
) -> Iterator[ToolValue]:
    """Yield those of pip's settings with these keys that count, each once; `project_file` is a project's."""
    found = {(value.section, value.key): value for value in settings}
    for key in keys:
        setting = next((found[section, key] for section in _PIP_SECTIONS if (section, key) in found), None)
        if setting is None:
            continue
        file = None if setting.section == ENVIRONMENT_SECTION else setting.origin
        yield ToolValue(
            tool="pip",
            key=key,
            value=setting.value,
            origin=setting.origin if file is None else _in_file(key, file),
            file=file,
            of_project=file is not None and file == project_file,
        )


def values_of_uv(
    environ: Mapping[str, str],
    files: Sequence[tuple[str, Mapping[str, Any]]],
    keys: Sequence[str],
    *,
    only_variables: Sequence[str] = (),
    folder: Path | None = None,
) -> Iterator[ToolValue]:
    """Yield those of uv's settings with these keys that count: its variables, then its files, the nearest first.

    A file in `folder` or above it is of a project, unless a variable names it.
    """
    for key in keys:
        name = f"UV_{key.upper().replace('-', '_')}"
        if environ.get(name):
            yield ToolValue(tool="uv", key=key, value=environ[name], origin=name)
            continue
        if key in only_variables:
            continue
        yield from _from_files(key, files, environ, folder)
    for path, table in files:
        indexes = table.get("index")
        for index in indexes if isinstance(indexes, list) else ():
            if isinstance(index, dict) and "exclude-newer" in index:
                yield ToolValue(
                    tool="uv",
                    key=INDEX_TIME,
                    value=index["exclude-newer"] or "false",
                    origin=_in_file("index.exclude-newer", path),
                    file=path,
                    of_project=_is_of_project(path, environ, folder),
                )


def _from_files(
    key: str,
    files: Sequence[tuple[str, Mapping[str, Any]]],
    environ: Mapping[str, str],
    folder: Path | None,
) -> Iterator[ToolValue]:
    """Yield the first value that the user's files have, and before it that of a project, which needs consent."""
    for path, table in files:
        pip = table.get("pip")
        value = pip.get(key) if isinstance(pip, dict) and key in pip else table.get(key)
        if value is None:
            continue
        of_project = _is_of_project(path, environ, folder)
        origin = _in_file(key, path)
        yield ToolValue(tool="uv", key=key, value=value, origin=origin, file=path, of_project=of_project)
        if not of_project:
            return


def _is_of_project(path: str, environ: Mapping[str, str], folder: Path | None) -> bool:
    named = bool(environ.get("UV_CONFIG_FILE"))
    return not named and folder is not None and Path(path).parent in (folder, *folder.parents)


def without_own_hold(value: ToolValue, environ: Mapping[str, str]) -> ToolValue | None:
    """Return a setting without what a hold of torchdoctor's own has put there; None where nothing is left.

    A hold is for pip and uv in that environment alone.
    """
    if value.key in ("constraint", "build-constraint"):
        names = [name for name in str(value.value).split() if not name.endswith(_HOLD_FILES)]
        return replace(value, value=" ".join(names)) if names else None
    active = environ.get("VIRTUAL_ENV")
    is_held = value.origin == "UV_TORCH_BACKEND" and active is not None and _is_held(Path(active))
    return None if is_held else value


def _is_held(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _HOLD_FILES)


def _in_file(key: str, file: str) -> str:
    return message("{key} ({file})", key=key, file=sanitize_line(file))


def project_pip_file(environ: Mapping[str, str], python: PythonInfo | PipPlace, folder: Path) -> str | None:
    """Return the settings of pip that lie in the project at `folder`: those of an environment in it.

    The user's own, the system's and those that PIP_CONFIG_FILE names are none, and the home folder is no project.
    """
    home = environ.get("HOME") or environ.get("USERPROFILE")
    root = _project_root(folder)
    if home is not None and Path(home).is_relative_to(root):
        root = folder
    if not Path(python.prefix).resolve().is_relative_to(root.resolve()) or (
        home is not None and Path(home) == root
    ):
        return None
    file = str(Path(python.prefix) / ("pip.ini" if python.sys_platform == "win32" else "pip.conf"))
    return None if environ.get("PIP_CONFIG_FILE") == file else file


def _project_root(folder: Path) -> Path:
    """Return the folder of the project that the current folder is in: the nearest with a file of one, or itself."""
    for each in (folder, *folder.parents):
        if any((each / name).exists() for name in _PROJECT_FILES):
            return each
    return folder
