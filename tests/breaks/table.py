"""The table of breaks: `tests/doctor/breaks.toml`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["NOTHING", "SILENT", "Break", "breaks", "gaps"]

_TABLE = Path(__file__).parents[1] / "doctor" / "breaks.toml"
NOTHING, SILENT = "nothing", "silent"


@dataclass(frozen=True, kw_only=True)
class Break:
    """One break; breaks.toml says what each key means."""

    id: str
    about: str
    on: tuple[str, ...]
    steps: list[dict[str, Any]]
    cause: tuple[str, ...]
    fix: str
    names: str = ""
    seen: str = "files"
    note: bool = False
    verify: tuple[str, ...] = ()
    diagnose: tuple[str, ...] = ()
    standin: bool = True
    real: bool = True
    checks: tuple[str, ...] = field(default=())

    def expected(self, tool: str) -> tuple[str, ...]:
        """What this tool must say first: the cause, where the row says nothing of the tool."""
        own = {"doctor": (), "verify": self.verify, "diagnose": self.diagnose}[tool]
        return own or self.cause


def breaks() -> tuple[Break, ...]:
    """Every row."""
    rows = tomllib.loads(_TABLE.read_text("utf-8"))["break"]
    listed = ("on", "cause", "verify", "diagnose", "checks")
    return tuple(
        Break(**{key: _tuple(value) if key in listed else value for key, value in row.items()})
        for row in rows
    )


def gaps() -> dict[str, str]:
    """What does not hold yet, `tool: row-build`, with the reason."""
    rows = tomllib.loads((_TABLE.parent / "breaks_gaps.toml").read_text("utf-8")).get("gap", ())
    return {name: gap["reason"] for gap in rows for name in gap["rows"]}


def _tuple(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
