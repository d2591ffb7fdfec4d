"""The files of the failures -> one document, which the package's build stores and a checkout keeps as a cache.

The standard library alone, as `failure_format`.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["COMPILED", "FailureFileError", "cached_document", "compile_failures", "parse_file"]

COMPILED = "failures.json"
"""The name of the document in a built package; it lies in the folder of the files, in their place."""
_SHARED = "_shared.toml"


class FailureFileError(ValueError):
    """A failure file is wrong: which file, at which key, and why."""


def compile_failures(folder: Path) -> dict[str, Any]:
    """Return the document of every file below `folder`: `shared` signs by their name, and `failures` by their id.

    Raises FailureFileError, which names the file and the key, for a file that is wrong by itself or names a failure or
    a shared sign that does not exist.
    """
    from torchdoctor.diagnose.failure_format import read_failure, read_shared

    shared = _checked(folder / _SHARED, read_shared)
    _check_shared(_SHARED, shared.values(), shared)
    failures: dict[str, Any] = {}
    for path in sorted(folder.glob("*/*.toml"), key=lambda path: path.name):
        failure = _checked(path, read_failure)
        if failure["id"] != path.stem:
            raise FailureFileError(f"{path.name}: id: must be the file's name, not {failure['id']!r}")
        if path.stem in failures:
            raise FailureFileError(f"{path.name}: there is a file of this name in two folders")
        _check_shared(path.name, (*failure["sign"], *failure.get("unless", ())), shared)
        failures[path.stem] = failure
    for name, failure in failures.items():
        for masked in failure.get("masks", ()):
            if masked not in failures or masked == name:
                raise FailureFileError(f"{name}.toml: masks: there is no other failure {masked!r}")
    return {"shared": shared, "failures": failures}


def cached_document(folder: Path) -> dict[str, Any]:
    """Return `compile_failures(folder)`, kept beside Python's bytecode until a file changes."""
    key = _key(folder)
    cache = folder / "__pycache__" / COMPILED
    with suppress(OSError, ValueError, LookupError, TypeError):  # no cache, or a damaged one
        stored = json.loads(cache.read_text("utf-8"))
        if stored["key"] == key:
            document: dict[str, Any] = stored["document"]
            return document
    document = compile_failures(folder)
    if not sys.dont_write_bytecode:
        with suppress(OSError):
            cache.parent.mkdir(exist_ok=True)
            temporary = cache.with_name(f"{COMPILED}.{os.getpid()}")
            temporary.write_text(json.dumps({"key": key, "document": document}), "utf-8")
            temporary.replace(cache)
    return document


def parse_file(path: Path) -> dict[str, Any]:
    """Return a TOML file as it is written. Raises FailureFileError, with the file's name, if it is not TOML."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FailureFileError(f"{path.name}: {error}") from None
    return document


def _checked(path: Path, read: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    from torchdoctor.diagnose.failure_format import FormatError

    try:
        return read(parse_file(path))
    except FormatError as error:
        raise FailureFileError(f"{path.name}: {error}") from None


def _check_shared(file: str, conditions: Iterable[Any], shared: Mapping[str, Any]) -> None:
    for condition in conditions:
        for name in _shared_names(condition):
            if name not in shared:
                raise FailureFileError(f"{file}: there is no shared sign {name!r} in {_SHARED}")


def _shared_names(condition: Any) -> Iterator[str]:
    if isinstance(condition, str):
        yield condition
        return
    if "shared" in condition:
        yield condition["shared"]
    for key in ("any", "all", "none"):
        for inner in condition.get(key, ()):
            yield from _shared_names(inner)


def _key(folder: Path) -> str:
    """Return name, size and time of every file that the document comes from, those of the code among them."""
    code = Path(__file__).parent
    files = [folder / _SHARED, code / "failure_files.py", code / "failure_format.py"]
    states = [f"{path} {(state := path.stat()).st_size} {state.st_mtime_ns}" for path in files]
    # Without Path for the many: this is done at every start in a checkout.
    for theme in os.scandir(folder):
        for entry in os.scandir(theme) if theme.is_dir() else ():
            if entry.name.endswith(".toml"):
                state = entry.stat()
                states.append(f"{entry.path} {state.st_size} {state.st_mtime_ns}")
    return "\n".join(sorted(states))
