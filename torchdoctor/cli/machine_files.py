"""Machines from files: several `--machine`, and a folder of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.cli.machine_options import read_machine
from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.detect import Machine

__all__ = ["machines_in"]

_MOST_MACHINES = 10_000


def machines_in(files: Sequence[str], folder: str | None) -> dict[str, Machine]:
    """Return the machines of the files and of the `*.json` in a folder, each by the name of its file.

    Raises `UsageError` for a file that describes no machine, with its name, and for a folder without one.
    """
    paths = [*files, *(_in_folder(folder) if folder is not None else ())]
    if len(paths) > _MOST_MACHINES:
        raise UsageError(
            message("more than {count} machines", count=_MOST_MACHINES), fix=message("name fewer of them")
        )
    stems = [_stem(path) for path in paths]
    machines = {}
    for path, stem in zip(paths, stems, strict=True):
        try:
            machine = read_machine(path)
        except UsageError as error:
            raise UsageError(
                message("{file}: {what}", file=path, what=error.message), fix=error.fix, code=error.code
            ) from error
        machines[stem if stems.count(stem) == 1 else path] = machine
    return machines


def _in_folder(name: str) -> list[str]:
    folder = Path(name)
    if not folder.is_dir():
        raise UsageError(
            message("--machines: there is no folder {folder}", folder=folder),
            fix=message("name a folder with a JSON file for each machine"),
        )
    found = sorted(str(path) for path in folder.glob("*.json"))
    if not found:
        raise UsageError(
            message("--machines: {folder} has no *.json", folder=folder),
            fix=message("write one on each machine: `torchdoctor report --format json --output NAME.json`"),
        )
    return found


def _stem(path: str) -> str:
    return "stdin" if path == "-" else Path(path).stem
