"""Runs of bench on disk: written whole or not at all, and read as what they are: files from anywhere."""

from __future__ import annotations

import json
import math
import re
from dataclasses import MISSING, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from torchdoctor.bench.model import SCHEMA, BenchReport, BenchResult
from torchdoctor.core.fs import atomic_write
from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.errors import UsageError

__all__ = ["UnreadableRun", "check_run_name", "load_run", "save_run", "saved_run_names"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.ASCII | re.IGNORECASE)
_LARGEST = 16 << 20
_MOST_RESULTS = 10_000
_LONGEST_TEXT = 4_000


class UnreadableRun(UsageError):
    """A saved run is not there, is of another version, or is none."""

    code = "saved-bench"


def check_run_name(name: str) -> str:
    """The name itself. Raises `UsageError` for one that could be a path or that a system reserves."""
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name) or name.endswith("."):
        raise UsageError(
            message("{name!r} cannot be the name of a saved run", name=name[:80]),
            fix=message(
                "use up to 64 letters, digits, dots, dashes and underscores, the first a letter or a digit"
            ),
        )
    return name


def save_run(report: BenchReport, name: str, folder: Path) -> Path:
    """Write the run under this name, in place of an older one of that name."""
    goal = folder / f"{check_run_name(name)}.json"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(timezone.utc).isoformat(timespec="seconds")
    document = {"kind": "torchdoctor-bench", "saved": stamp} | report.to_json()
    atomic_write(goal, json.dumps(document, ensure_ascii=True, allow_nan=False))
    return goal


def saved_run_names(folder: Path) -> list[str]:
    """The names of the runs that are there."""
    return sorted(path.stem for path in folder.glob("*.json") if _NAME.fullmatch(path.stem))


def load_run(name: str, folder: Path) -> BenchReport:
    """The run saved under this name, else the one in the file of this path: a saved one, or what `--json` printed.

    Raises `UnreadableRun`.
    """
    path = folder / f"{name}.json" if _NAME.fullmatch(name) else Path(name)
    if not path.is_file() and Path(name).is_file():
        path = Path(name)
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        raise UnreadableRun(
            message("there is no saved run or file {name!r}", name=name[:200]),
            fix=message(
                "save one with --save NAME; saved are: {names}",
                names=joined(saved_run_names(folder)) or message("none yet"),
            ),
        ) from error
    if len(text) > _LARGEST:
        raise _none(path, message("it has more than {limit} MiB", limit=_LARGEST >> 20))
    return parse_run(text, path)


def parse_run(text: bytes, path: Path) -> BenchReport:
    """The run in these bytes; `path` is for the message. Raises `UnreadableRun`."""
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _none(path, message("it is no JSON: {error}", error=str(error)[:120])) from error
    if not isinstance(document, dict) or not isinstance(document.get("results"), list):
        raise _none(path, "it has no results")
    if document.get("schema") != SCHEMA or document.get("kind", "torchdoctor-bench") != "torchdoctor-bench":
        raise UnreadableRun(
            message(
                "{path} is of version {version!r}, and this torchdoctor reads version {schema}",
                path=path,
                version=str(document.get("schema"))[:20],
                schema=SCHEMA,
            ),
            fix=message("save a new run to compare with, or use the torchdoctor that wrote it"),
        )
    environment = document.get("environment")
    if not isinstance(environment, dict) or len(document["results"]) > _MOST_RESULTS:
        raise _none(path, "its environment is missing, or it has too many results")
    return BenchReport(
        environment=environment,
        results=tuple(_result(row, path, number) for number, row in enumerate(document["results"])),
        quick=document.get("quick") is True,
    )


def _no_constant(name: str) -> None:
    raise ValueError(message("{name} is no number", name=name))


def _none(path: Path, why: str) -> UnreadableRun:
    return UnreadableRun(
        message("{path} is not a run of bench: {why}", path=path, why=why),
        fix=message("name a run saved with --save, or a file of --json"),
    )


def _result(row: Any, path: Path, number: int) -> BenchResult:
    place = f"results[{number}]"
    if not isinstance(row, dict):
        raise _none(path, message("{place} is no object", place=place))
    values: dict[str, Any] = {}
    for field in fields(BenchResult):
        if field.name not in row:
            if field.default is MISSING and field.default_factory is MISSING and field.name != "seconds":
                raise _none(path, message("{place}.{name} is missing", place=place, name=field.name))
            continue
        read = _READERS[str(field.type)]
        if (value := read(row[field.name])) is _WRONG:
            raise _none(path, f"{place}.{field.name} is {str(row[field.name])[:40]!r}")
        values[field.name] = value
    values.setdefault("seconds", 0.0)
    return BenchResult(**values)


_WRONG = object()


def _text(value: Any) -> Any:
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT else _WRONG


def _number(value: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and abs(value) < 1e300 and math.isfinite(value) else _WRONG  # noqa: PLR2004


def _object(value: Any) -> Any:
    return value if isinstance(value, dict) and len(json.dumps(value)) <= _LONGEST_TEXT else _WRONG


def _many(read: Any) -> Any:
    def read_many(value: Any) -> Any:
        if not isinstance(value, list) or len(value) > _MOST_RESULTS:
            return _WRONG
        read_values = tuple(read(part) for part in value)
        return _WRONG if _WRONG in read_values else read_values

    return read_many


def _maybe(read: Any) -> Any:
    return lambda value: None if value is None else read(value)


_READERS: dict[str, Any] = {
    "str": _text,
    "float": _number,
    "str | None": _maybe(_text),
    "float | None": _maybe(_number),
    "int | None": _maybe(_number),
    "Mapping[str, Any]": _object,
    "Mapping[str, Any] | None": _maybe(_object),
    "tuple[float, ...]": _many(_number),
    "tuple[str, ...]": _many(_text),
}
