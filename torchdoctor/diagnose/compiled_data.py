"""Data that people write as TOML and programs read as JSON, which is many times faster to parse.

A built package holds the JSON (`hatch_build.py`). A checkout compiles the TOML when a file has changed, and keeps the
result beside Python's bytecode. The standard library alone, since the build hook runs this module.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["DataFileError", "load_compiled", "parse_toml"]


class DataFileError(ValueError):
    """A data file is wrong: which file, at which key, and why."""


def load_compiled(source: Path, compile_source: Callable[[Path], Any]) -> Any:
    """Return `compile_source(source)` of a TOML file, or of a folder with folders of them.

    It comes from the JSON of the same name where the package was built with one, else from the cache of a checkout.
    Raises what `compile_source` raises.
    """
    built = source.with_suffix(".json")
    if built.exists():
        return json.loads(built.read_text("utf-8"))
    key = _key(source)
    cache = source.parent / "__pycache__" / built.name
    with suppress(OSError, ValueError, LookupError, TypeError):  # no cache, or a damaged one
        stored = json.loads(cache.read_text("utf-8"))
        if stored["key"] == key:
            return stored["data"]
    data = compile_source(source)
    if not sys.dont_write_bytecode:
        with suppress(OSError):
            cache.parent.mkdir(exist_ok=True)
            temporary = cache.with_name(f"{cache.name}.{os.getpid()}")
            temporary.write_text(json.dumps({"key": key, "data": data}), "utf-8")
            temporary.replace(cache)
    return data


def parse_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file as it is written. Raises DataFileError, with the file's name, if it is not TOML."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataFileError(f"{path.name}: {error}") from None
    return document


def _key(source: Path) -> str:
    """Return name, size and time of every file that the data comes from, and of the code that compiles it."""
    states = [*_states(source), *(_state(path) for path in _CODE)]
    return "\n".join(sorted(states))


_CODE = tuple(
    Path(__file__).parent / name
    for name in (
        "bounded.py",
        "compiled_data.py",
        "needed_words.py",
        "failure_files.py",
        "failure_format.py",
        "question_table.py",
        "parsers/pattern_files.py",
    )
)


def _state(path: Path | os.DirEntry[str]) -> str:
    state = path.stat()
    return f"{os.fspath(path)} {state.st_size} {state.st_mtime_ns}"


def _states(source: Path | os.DirEntry[str]) -> Iterator[str]:
    # By os.scandir, which is faster than Path: this runs at every start in a checkout.
    if not source.is_dir():
        yield _state(source)
        return
    for entry in os.scandir(source):
        if entry.is_dir() or entry.name.endswith(".toml"):
            yield from _states(entry)
