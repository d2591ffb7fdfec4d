"""Writes a change of a project: in one step, with a backup, and only if nobody else has changed the file."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from torchdoctor.core.fs import atomic_write
from torchdoctor.core.fs.atomic import SHARED_MODE
from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError
from torchdoctor.project.pyproject import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.project.model import ProjectChange

__all__ = ["check_writable", "unified_diff", "write_change"]

_MOST_BACKUPS = 1000


def check_writable(path: Path) -> None:
    """Raise `UsageError` where a file is read-only, or its folder is."""
    is_read_only = path.exists() and not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    if (
        is_read_only
        or not os.access(path.parent, os.W_OK)
        or (path.exists() and not os.access(path, os.W_OK))
    ):
        raise UsageError(
            message("{path} is read-only", path=path),
            fix=message("make it writable, or take over what --dry-run shows"),
            code="read-only",
        )


def write_change(change: ProjectChange) -> Path | None:
    """Write the change and return the backup of the old file; None where there was no file.

    Raises `UsageError` where the file cannot be written, or was changed since it was read; then it is as it was.
    """
    check_writable(change.path)
    try:
        now = read_file(change.path)
        if now != change.before:
            raise UsageError(
                message("{path} was changed meanwhile; nothing was written", path=change.path),
                fix=message("run it again"),
                code="changed-meanwhile",
            )
        if change.before is None:
            atomic_write(change.path, change.after, mode=SHARED_MODE, durable=True)
            return None
        mode = stat.S_IMODE(change.path.stat().st_mode)
        backup = _backup(change.path, change.before, mode)
        atomic_write(change.path, change.after, mode=mode, durable=True)
        change.path.chmod(mode)
    except OSError as error:
        raise UsageError(
            message("{file} cannot be written: {why}", file=change.path, why=error.strerror or error),
            fix=message("check its permissions and the room on the disk"),
        ) from error
    return backup


def unified_diff(change: ProjectChange) -> str:
    """Return the change as `diff -u` shows it; empty where nothing changes."""
    import difflib

    before = (change.before or b"").decode("utf-8-sig", errors="replace")
    after = change.after.decode("utf-8-sig", errors="replace")
    name = change.path.name
    lines = difflib.unified_diff(
        before.splitlines(),
        after.splitlines(),
        name if change.before is not None else os.devnull,
        name,
        lineterm="",
    )
    return "\n".join(lines)


def _backup(path: Path, content: bytes, mode: int) -> Path:
    """A copy beside the file; an earlier one is kept."""
    for number in range(1, _MOST_BACKUPS):
        backup = path.with_name(f"{path.name}.bak{number if number > 1 else ''}")
        try:
            with open(backup, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
                file.write(content)
        except FileExistsError:
            continue
        return backup
    raise UsageError(
        message("{path} has too many backups", path=path), fix=message("remove {path}.bak*", path=path)
    )
