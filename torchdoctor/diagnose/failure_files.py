"""The files of the failures -> one document.

The standard library alone, since the build hook runs this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.diagnose.compiled_data import DataFileError, parse_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["compile_failures"]

_SHARED = "_shared.toml"


def compile_failures(folder: Path) -> dict[str, Any]:
    """Return the document of every file below `folder`: `shared` signs by their name, and `failures` by their id.

    Raises DataFileError, which names the file and the key, for a file that is wrong by itself or names a failure or
    a shared sign that does not exist.
    """
    from torchdoctor.diagnose.failure_format import read_failure, read_shared

    shared = _checked(folder / _SHARED, read_shared)
    _check_shared(_SHARED, shared.values(), shared)
    failures: dict[str, Any] = {}
    for path in sorted(folder.glob("*/*.toml"), key=lambda path: path.name):
        failure = _checked(path, read_failure)
        if failure["id"] != path.stem:
            raise DataFileError(f"{path.name}: id: must be the file's name, not {failure['id']!r}")
        if path.stem in failures:
            raise DataFileError(f"{path.name}: there is a file of this name in two folders")
        _check_shared(path.name, (*failure["sign"], *failure.get("unless", ())), shared)
        failures[path.stem] = failure
    for name, failure in failures.items():
        for masked in failure.get("masks", ()):
            if masked not in failures or masked == name:
                raise DataFileError(f"{name}.toml: masks: there is no other failure {masked!r}")
    return {"shared": shared, "failures": failures}


def _checked(path: Path, read: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    from torchdoctor.diagnose.failure_format import FormatError

    try:
        return read(parse_toml(path))
    except FormatError as error:
        raise DataFileError(f"{path.name}: {error}") from None


def _check_shared(file: str, conditions: Iterable[Any], shared: Mapping[str, Any]) -> None:
    for condition in conditions:
        for name in _shared_names(condition):
            if name not in shared:
                raise DataFileError(f"{file}: there is no shared sign {name!r} in {_SHARED}")


def _shared_names(condition: Any) -> Iterator[str]:
    if isinstance(condition, str):
        yield condition
        return
    if "shared" in condition:
        yield condition["shared"]
    for key in ("any", "all", "none"):
        for inner in condition.get(key, ()):
            yield from _shared_names(inner)
