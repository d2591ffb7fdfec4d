"""Runs of bench on disk: written completely or not at all; checked on reading, for they may come from anywhere."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from torchdoctor.bench.model import SCHEMA, BenchReport, BenchResult
from torchdoctor.core.fs import atomic_write
from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import joined, message
from torchdoctor.core.serde import FieldError, from_json
from torchdoctor.errors import UsageError

__all__ = ["UnreadableRun", "check_run_name", "load_run", "save_run", "saved_run_names"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.ASCII | re.IGNORECASE)
_MAX_BYTES = 16 << 20
_MAX_RESULTS = 10_000
_MAX_TEXT_CHARACTERS = 4_000


class UnreadableRun(UsageError):
    """A saved run does not exist, is of another version, or is not a run of bench."""

    code = "saved-bench"


def check_run_name(name: str) -> str:
    """Return the name. Raises `UsageError` for one that could be a path or that a system reserves."""
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name) or name.endswith("."):
        raise UsageError(
            message("{name!r} cannot be the name of a saved run", name=name[:80]),
            fix=message(
                "use up to 64 letters, digits, dots, dashes and underscores, the first a letter or a digit"
            ),
        )
    return name


def save_run(report: BenchReport, name: str, folder: Path) -> Path:
    """Write the run under this name, replacing an older one, and return the file's path.

    Raises `UsageError` for a bad name, `OSError` when it cannot be written.
    """
    path = folder / f"{check_run_name(name)}.json"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(timezone.utc).isoformat(timespec="seconds")
    document = {"kind": "torchdoctor-bench", "saved": stamp} | report.to_json()
    atomic_write(path, json.dumps(document, ensure_ascii=True, allow_nan=False))
    return path


def saved_run_names(folder: Path) -> list[str]:
    """Return the names of the runs in this folder."""
    return sorted(path.stem for path in folder.glob("*.json") if _NAME.fullmatch(path.stem))


def load_run(name: str, folder: Path) -> BenchReport:
    """Return the run saved under this name, else the run in the file of this path.

    The file may be a saved run or what `bench --json` printed. Raises `UnreadableRun`.
    """
    path = folder / f"{name}.json" if _NAME.fullmatch(name) else Path(name)
    if not path.is_file() and Path(name).is_file():
        path = Path(name)
    try:
        with open_regular(path) as file:
            text = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UnreadableRun(
            message("there is no saved run or file {name!r}", name=name[:200]),
            fix=message(
                "save one with --save NAME; saved are: {names}",
                names=joined(saved_run_names(folder)) or message("none yet"),
            ),
        ) from error
    if len(text) > _MAX_BYTES:
        raise _not_a_run(path, message("it has more than {limit} MiB", limit=_MAX_BYTES >> 20))
    return parse_run(text, path)


def parse_run(text: bytes, path: Path) -> BenchReport:
    """Return the run in these bytes; `path` is for the message. Raises `UnreadableRun`."""
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _not_a_run(path, message("it is no JSON: {error}", error=str(error)[:120])) from error
    if not isinstance(document, dict) or not isinstance(document.get("results"), list):
        raise _not_a_run(path, "it has no results")
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
    if not isinstance(environment, dict) or len(document["results"]) > _MAX_RESULTS:
        raise _not_a_run(path, "its environment is missing, or it has too many results")
    return BenchReport(
        environment=environment,
        results=tuple(_result(entry, path, number) for number, entry in enumerate(document["results"])),
        quick=document.get("quick") is True,
    )


def _no_constant(name: str) -> None:
    raise ValueError(message("{name} is not a number", name=name))


def _not_a_run(path: Path, why: str) -> UnreadableRun:
    return UnreadableRun(
        message("{path} is not a run of bench: {why}", path=path, why=why),
        fix=message("name a run saved with --save, or a file of --json"),
    )


def _result(document: Any, path: Path, number: int) -> BenchResult:
    place = f"results[{number}]"
    try:
        # Runs of the first release do not have the seconds of a case.
        given = {"seconds": 0.0, **document} if isinstance(document, dict) else document
        result = from_json(given, BenchResult, path=place)
    except FieldError as error:
        raise _not_a_run(path, error.args[0]) from error
    for name, value in document.items():
        if isinstance(value, (str, dict)) and len(json.dumps(value)) > _MAX_TEXT_CHARACTERS:
            raise _not_a_run(path, message("{field} is too long", field=f"{place}.{name}"))
    return result
