"""Where imports look: PYTHONPATH, user site, site-packages, .pth files; and which files shadow modules."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Literal

from torchdoctor.core.fact import absent, found
from torchdoctor.core.i18n import message
from torchdoctor.inventory import files
from torchdoctor.inventory.metadata import parse_pth
from torchdoctor.inventory.settings_model import PathFolder, Shadow, UserSite
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from torchdoctor.core import Fact
    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.distributions import SiteFolder
    from torchdoctor.inventory.settings_model import Origin, PthFile

__all__ = ["import_path", "pth_files", "python_path", "shadows", "user_site"]

_WATCHED = (*TORCH_PROJECTS, "numpy", "triton", "functorch", "nvidia")
_MAX_PTH_FILES = 200


def python_path(environ: Mapping[str, str], python: PythonInfo) -> tuple[str, ...]:
    """Return the folders of PYTHONPATH; an empty one is the current folder."""
    text = environ.get("PYTHONPATH", "")
    separator = ";" if python.sys_platform == "win32" else ":"
    return tuple(part or "." for part in text.split(separator)[:200]) if text else ()


def user_site(python: PythonInfo, environ: Mapping[str, str]) -> Fact[UserSite]:
    """Return the user's own folder of packages, and whether this interpreter looks there.

    https://docs.python.org/3/library/site.html
    """
    if python.user_site is None:
        return absent(str(python.executable), why=message("the interpreter has no user site"))
    folder = str(python.user_site)
    names = files.entries(folder).names
    packages = [name for name in names if re.match(r"(torch|torchvision|torchaudio|numpy)-", name)]
    used, why = _looks_there(python, environ)
    return found(UserSite(folder=folder, used=used, why=why, packages=tuple(packages[:50])), folder)


def _looks_there(python: PythonInfo, environ: Mapping[str, str]) -> tuple[bool, str]:
    if environ.get("PYTHONNOUSERSITE"):
        return False, "PYTHONNOUSERSITE is set"
    if not python.is_venv:
        return True, "the interpreter is no virtual environment's"
    settings = files.read_text(f"{python.prefix}/pyvenv.cfg") or ""
    if re.search(r"^include-system-site-packages\s*=\s*true\s*$", settings, re.MULTILINE | re.IGNORECASE):
        return True, "pyvenv.cfg says include-system-site-packages = true"
    return False, "a virtual environment keeps it out"


def import_path(
    python: PythonInfo, environ: Mapping[str, str], user: Fact[UserSite]
) -> tuple[PathFolder, ...]:
    """Return the folders that imports search, in their order, without the folder of a script, which comes first.

    The interpreter has reported its own part, with what its .pth files added.
    """
    folders = [_folder(os.path.abspath(place), "PYTHONPATH") for place in python_path(environ, python)]  # noqa: PTH100
    sites = {str(place) for place in python.site_packages}
    reported = python.path or tuple(sites)
    first = next((place for place, folder in enumerate(reported) if _is_site(folder, sites)), len(reported))
    folders += [_folder(folder, "standard library") for folder in reported[:first]]
    if user.value and user.value.used:
        folders.append(_folder(user.value.folder, "user site"))
    folders += [
        _folder(folder, "site-packages" if _is_site(folder, sites) else ".pth file")
        for folder in reported[first:]
    ]
    return tuple({entry.folder: entry for entry in reversed(folders)}.values())[::-1]


def _is_site(folder: str, sites: set[str]) -> bool:
    return folder in sites or re.split(r"[\\/]", folder.rstrip("\\/"))[-1] in (
        "site-packages",
        "dist-packages",
    )


def _folder(folder: str, origin: Origin) -> PathFolder:
    return PathFolder(folder=folder, origin=origin, there=files.exists(folder))


def pth_files(sites: Iterable[SiteFolder]) -> Iterator[PthFile]:
    """Yield the .pth files in folders of packages that add folders to the path or run code."""
    for site in sites:
        names = [name for name in site.names if name.endswith(".pth")]
        for name in names[:_MAX_PTH_FILES]:
            text = files.read_text(f"{site.folder}/{name}")
            pth = parse_pth(text, path=f"{site.folder}/{name}") if text is not None else None
            if pth is not None and (pth.folders or pth.code_lines):
                yield pth


def shadows(here: Path, path: Iterable[PathFolder]) -> tuple[Shadow, ...]:
    """Return the files in the current folder and on PYTHONPATH that are imported in place of installed modules.

    A folder without `__init__.py` is none: a real package goes before it. Modules of the standard library count too,
    where they lie in files.
    """
    path = tuple(path)
    own = {folder.folder for folder in path if folder.origin != "PYTHONPATH"}
    shadowing = [] if str(here) in own else list(_shadows_in(str(here), "current folder"))
    for folder in path:
        if folder.origin == "PYTHONPATH" and folder.folder not in own:
            shadowing += _shadows_in(folder.folder, "PYTHONPATH")
    return tuple(shadowing)


def _shadows_in(folder: str, where: Literal["current folder", "PYTHONPATH"]) -> Iterator[Shadow]:
    # Each name is looked up: a folder may contain a million others.
    if not files.exists(folder):
        return
    for module in (*_WATCHED, *_library_modules()):
        for path in (f"{folder}/{module}/__init__.py", f"{folder}/{module}.py"):
            if files.exists(path):
                yield Shadow(module=module, path=path, where=where)
                break


def _library_modules() -> tuple[str, ...]:
    """Modules of the standard library that are files, so that another one of the same name can shadow them."""
    hidden = {"site", "os", "sys", "this", "antigravity", "test", "idlelib", "turtledemo", "lib2to3"}
    names = sys.stdlib_module_names - set(sys.builtin_module_names) - hidden
    return tuple(sorted(name for name in names if not name.startswith("_")))
