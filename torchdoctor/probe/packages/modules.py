"""The import names of an installed distribution, from the list of its files."""

from __future__ import annotations

import re
from typing import Iterable

__all__ = ["folded", "import_names", "is_compiled", "kind_without_modules"]

# `_C.cpython-311-x86_64-linux-gnu.so`, `cv2.abi3.so`, `_C.cp311-win_amd64.pyd`, `a.py`, `a.pyc`.
_MODULE_FILE = re.compile(r"(\w+)((?:\.[\w-]+)*\.(?:so|pyd)|\.pyc?)$", re.ASCII)
_LIBRARY_FILE = re.compile(r"\.(so|pyd|dll|dylib)(\.[\d.]+)?$", re.IGNORECASE)
# Folders that some distributions install beside their packages by mistake.
_NOT_FOR_IMPORT = re.compile("bench|build|conftest|dist|doc|example|script|setup|test|tool")
_MAX_DEPTH = 4
_MAX_NAMES = 5


def folded(name: str) -> str:
    """Return a name without what a project and its module write differently: `ruamel-yaml` and `ruamel.yaml`."""
    return re.sub(r"[-_.]+", "", name).lower()


def import_names(
    project: str, paths: Iterable[str], top_level: Iterable[str] = (), namespaces: Iterable[str] = ()
) -> list[str]:
    """Return the names by which people import a distribution, at most a few; none where it has no modules.

    `paths` are its files relative to the folder of the path, `top_level` and `namespaces` the lines of
    `top_level.txt` and `namespace_packages.txt`, which older installers write.
    """
    modules = [parts for path in paths for parts in _module(path)]
    packages = {parts[:-1] for parts in modules if parts[-1] == "__init__"} - {
        tuple(name.split(".")) for name in namespaces
    }
    names = list(dict.fromkeys(".".join(_shallowest(parts, packages)) for parts in modules))
    names = [name for name in names if name] or [name for name in top_level if _is_dotted_name(name)]
    return _for_people(project, names)[:_MAX_NAMES]


def is_compiled(paths: Iterable[str]) -> bool:
    """Return whether a distribution has compiled libraries or modules."""
    return any(_LIBRARY_FILE.search(path) for path in paths)


def kind_without_modules(paths: Iterable[str]) -> str:
    """Return what a distribution without modules is: `stubs`, `scripts` or `data`."""
    own = [path for path in paths if ".dist-info/" not in path and ".egg-info/" not in path]
    if any(path.partition("/")[0].endswith("-stubs") or path.endswith(".pyi") for path in own):
        return "stubs"
    return "scripts" if own and all(re.search(r"(^|/)(bin|Scripts)/", path) for path in own) else "data"


def _module(path: str) -> Iterable[tuple[str, ...]]:
    """The parts of a module's name, `__init__` the last of a package's; nothing for any other file."""
    *folders, file = path.replace("\\", "/").split("/")
    found = _MODULE_FILE.match(file)
    if found is None or len(folders) >= 2 * _MAX_DEPTH or not all(map(str.isidentifier, folders)):
        return
    # Finders of editable installations are modules that nobody imports by name.
    if "__pycache__" not in folders and not file.startswith("__editable__") and found.group(1).isidentifier():
        yield (*folders, found.group(1))


def _shallowest(parts: tuple[str, ...], packages: set[tuple[str, ...]]) -> tuple[str, ...]:
    """The outermost package that holds a module; the module itself where only namespaces hold it."""
    for depth in range(1, min(len(parts), _MAX_DEPTH) + 1):
        if parts[:depth] in packages:
            return parts[:depth]
    return () if parts[-1] == "__init__" or len(parts) > _MAX_DEPTH else parts


def _for_people(project: str, names: list[str]) -> list[str]:
    """The names that belong to the project's own, else all that are meant to be imported."""
    public = [name for name in names if not any(part.startswith("_") for part in name.split("."))] or names
    own = [name for name in public if folded(project) in (folded(name), folded(name.partition(".")[0]))]
    meant = [name for name in public if not _NOT_FOR_IMPORT.match(name)]
    return sorted(own or meant or public)


def _is_dotted_name(text: str) -> bool:
    return all(map(str.isidentifier, text.split(".")))
