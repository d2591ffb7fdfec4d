"""The record of what torchdoctor installed: `torchdoctor.json` in the environment, which diagnosis reads."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from packaging.utils import is_normalized_name

from torchdoctor._version import __version__
from torchdoctor.core.fs import SHARED_MODE, atomic_write
from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.install.asked import asked_of_record, asked_rows
from torchdoctor.install.recorded import record_entry
from torchdoctor.install.vouchers import recorded_vouchers, voucher_of
from wheels_index import bundled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.install.model import InstallContext
    from torchdoctor.requirements import AskedRequirement

__all__ = [
    "RECORD",
    "PackageChange",
    "asked_in",
    "package_changes",
    "package_removals",
    "read_record",
    "record_asked",
    "record_install",
    "recorded_changes",
]

RECORD = "torchdoctor.json"
_VERSION = re.compile(r"[\w.!+-]{1,100}", re.ASCII)
_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageChange:
    """A package and its versions before and after an install; None where it is not installed."""

    name: str
    before: str | None
    after: str | None

    @property
    def mark(self) -> str:
        """Return `+` for a new package, `-` for a removed one, `~` for another version."""
        if self.before is None:
            return "+"
        return "-" if self.after is None else "~"

    def __str__(self) -> str:
        versions = " -> ".join(version for version in (self.before, self.after) if version is not None)
        return f"{self.mark} {self.name} {versions}"

    def to_json(self) -> dict[str, str | None]:
        """Return the change as it stands in `--json`."""
        return {"name": self.name, "before": self.before, "after": self.after}


def package_changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[PackageChange, ...]:
    """Return what installing `after` (names and versions) changes when `before` is installed; other packages stay."""
    return tuple(
        PackageChange(name=name, before=before.get(name), after=version)
        for name, version in sorted(after.items())
        if before.get(name) != version
    )


def package_removals(before: Mapping[str, str], names: Iterable[str]) -> tuple[PackageChange, ...]:
    """Return the removal of each package that is installed, by name."""
    return tuple(
        PackageChange(name=name, before=before[name], after=None) for name in sorted(names) if name in before
    )


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the record of an environment; None when there is none that can be read."""
    try:
        with open_regular(folder / RECORD) as file:
            document = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("schema") == 1 else None


def asked_in(folder: Path) -> tuple[AskedRequirement, ...]:
    """Return what was asked for in the environment, as its record says."""
    return asked_of_record(read_record(folder))


def recorded_changes(record: Mapping[str, Any]) -> tuple[PackageChange, ...]:
    """Return the last change of a record; rows that nobody can read are left out, since a user may edit it."""
    rows = record.get("changes")
    return tuple(
        PackageChange(name=row["name"], before=row.get("before"), after=row.get("after"))
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and isinstance(row.get("name"), str) and is_normalized_name(row["name"])
        if all(_is_version(row.get(key)) for key in ("before", "after"))
    )


def record_asked(folder: Path, asked: Iterable[AskedRequirement]) -> None:
    """Write what is asked for into the record of an environment that has everything already; it needs a record."""
    last = read_record(folder)
    if last is None or (rows := asked_rows(last, asked)) == last.get("asked"):
        return
    text = json.dumps({**last, "asked": rows}, indent=2, ensure_ascii=False) + "\n"
    atomic_write(folder / RECORD, text, mode=SHARED_MODE)


def record_install(stage: Path, folder: Path, wheelhouse: Wheelhouse, context: InstallContext) -> None:
    """Write the record into the environment at `stage`; `folder` is where the environment was until now.

    `files` are all that torchdoctor has installed there; `previous` is the last record. Without a plan in `context` the
    last plan still holds, or that of the record in `back_to`. Where packages are only removed, an environment
    without a record stays without one.
    """
    last = read_record(folder) or {}
    if not last and context.plan is None and not wheelhouse.wheels and context.remove:
        return
    basis = last if context.back_to is None else context.back_to
    files = {entry["name"]: entry for entry in _files_of(last)}
    facts = context.facts or bundled()
    recorded = recorded_vouchers(basis, last) if context.plan is None else {}
    for fetched in wheelhouse.wheels:
        by = recorded.get(fetched.sha256) or voucher_of(
            fetched, context.plan, facts, from_lock=context.from_lock
        )
        files[fetched.wheel.name] = record_entry(fetched, vouched_by=by)
    for name in context.remove - {fetched.wheel.name for fetched in wheelhouse.wheels}:
        files.pop(name, None)
    after = {fetched.wheel.name: fetched.wheel.version for fetched in wheelhouse.wheels}
    changes = (
        *package_changes(context.installed, after),
        *package_removals(context.installed, context.remove),
    )
    document = {
        "schema": 1,
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "torchdoctor": __version__,
        "plan": context.plan.to_json() if context.plan is not None else basis.get("plan"),
        "facts": {"as_of": facts.as_of, "digest": facts.digest},
        "asked": asked_rows(basis, context.asked),
        "files": [files[name] for name in sorted(files)],
        "changes": [change.to_json() for change in changes],
        "previous": {key: value for key, value in last.items() if key != "previous"} or None,
    }
    # The record in `stage` may be a hard link of the old environment's: it must be replaced, not written through.
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    atomic_write(stage / RECORD, text, mode=SHARED_MODE)


def _is_version(text: object) -> bool:
    """None stands for a package that is not there."""
    return text is None or (isinstance(text, str) and _VERSION.fullmatch(text) is not None)


def _files_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the files that a record names; a record that somebody has edited may hold anything."""
    files = record.get("files")
    if not isinstance(files, list):
        return []
    return [entry for entry in files if isinstance(entry, dict) and isinstance(entry.get("name"), str)]
