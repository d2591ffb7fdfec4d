"""Programs that start pip themselves, recognised by their files; facts are in `launchers.toml`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Launcher", "find_launcher", "launchers"]

Mechanism = Literal["torch-command", "requirements", "pinned-requirements", "own-choice", "torch-backend"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Launcher:
    """A program, and what decides which torch it installs. What is not known is None or empty.

    The fields are explained in `launchers.toml`.
    """

    id: str
    name: str
    files: tuple[str, ...]
    lacks: tuple[str, ...] = ()  # files that tell a program from another one with the same `files`
    mechanism: Mechanism
    environment: str | None = None
    python: str | None = None
    torch: str | None = None
    index: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    reinstall: str | None = None
    requirements: Mapping[str, str] = field(default_factory=dict)
    manager: str | None = None  # a folder of a tool that installs further packages
    manager_source: str | None = None
    package: str | None = None  # its name on PyPI
    variable: str | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, str] = field(default_factory=dict)
    uv_start: str | None = None  # a script that starts it with `uv run`
    source: str
    as_of: str

    def is_in(self, folder: Path) -> bool:
        """Whether a folder is a copy of this program."""
        return all((folder / name).exists() for name in self.files) and not any(
            (folder / name).exists() for name in self.lacks
        )


@cache
def launchers() -> tuple[Launcher, ...]:
    """Return every program that is known."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(
        Path(__file__).with_name("launchers.toml").read_text("utf-8")
    )
    return tuple(Launcher(id=name, **_tuples(table)) for name, table in tables.items())


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def find_launcher(folder: Path) -> Launcher | None:
    """Return the program of which the folder is a copy; None for any other folder."""
    return next((each for each in launchers() if each.is_in(folder)), None)
