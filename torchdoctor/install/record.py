"""What torchdoctor put into an environment, written beside it there: `torchdoctor.json`, which diagnosis reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from torchdoctor._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.fetch.wheelhouse import Wheelhouse
    from torchdoctor.resolve.model import Plan

__all__ = ["RECORD", "PackageChange", "changes_of", "read_record", "write_record"]

RECORD = "torchdoctor.json"
_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageChange:
    """One package before and after; None where it is not there."""

    name: str
    before: str | None
    after: str | None

    @property
    def mark(self) -> str:
        """`+` for a new package, `-` for one that goes, `~` for another version."""
        if self.before is None:
            return "+"
        return "-" if self.after is None else "~"

    def __str__(self) -> str:
        versions = " -> ".join(version for version in (self.before, self.after) if version is not None)
        return f"{self.mark} {self.name} {versions}"

    def to_json(self) -> dict[str, str | None]:
        """The change as a row."""
        return {"name": self.name, "before": self.before, "after": self.after}


def changes_of(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[PackageChange, ...]:
    """What installing `after` (names and versions) changes where `before` is installed; other packages stay."""
    return tuple(
        PackageChange(name=name, before=before.get(name), after=version)
        for name, version in sorted(after.items())
        if before.get(name) != version
    )


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record of an environment; None where there is none that can be read."""
    try:
        with (folder / RECORD).open("rb") as file:
            document = json.loads(file.read(_LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("schema") == 1 else None


def write_record(
    folder: Path,
    *,
    before: Path,
    plan: Plan | None,
    wheelhouse: Wheelhouse,
    changes: tuple[PackageChange, ...],
) -> None:
    """Write the record into `folder`; `before` is where the environment was until now.

    `files` are all that torchdoctor has put there and that is still there; `previous` is the last record.
    Without a `plan` the last one still holds.
    """
    last = read_record(before) or {}
    previous = {key: value for key, value in last.items() if key != "previous"} or None
    rows = {
        row["name"]: row
        for row in last.get("files", ())
        if isinstance(row, dict) and isinstance(row.get("name"), str)
    }
    for fetched in wheelhouse.wheels:
        rows[fetched.wheel.name] = {
            "name": fetched.wheel.name, "version": fetched.wheel.version, "filename": fetched.wheel.filename,
            "sha256": fetched.sha256, "size": fetched.size, "source": fetched.source,
        }  # fmt: skip
    document = {
        "schema": 1,
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "torchdoctor": __version__,
        "plan": plan.to_json() if plan is not None else last.get("plan"),
        "files": [rows[name] for name in sorted(rows)],
        "changes": [change.to_json() for change in changes],
        "previous": previous,
    }
    # A hard link of the old environment's file must not be written through.
    fresh = folder / f".{RECORD}.new"
    fresh.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    fresh.replace(folder / RECORD)
