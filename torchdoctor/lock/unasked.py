"""Packages of a lock that nothing requires: an index whose metadata says more than its wheels brings them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.requirement_names import project_in
from torchdoctor.lock.undeclared import metadata_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

__all__ = ["same_requirements", "unasked_packages"]


def unasked_packages(
    locked: Iterable[str], wheels: Iterable[Path], asked: Collection[str]
) -> tuple[str, ...]:
    """Return the locked projects that are not among those asked for, and that no wheel requires.

    It does not matter under which marker or extra a wheel does: this tells what was never meant, not what is needed.
    """
    required = {project_in(line) for path in wheels for line in metadata_lines(path)}
    return tuple(sorted(name for name in locked if name not in asked and name not in required))


def same_requirements(path: Path, lines: Iterable[str]) -> bool:
    """Return whether a wheel requires exactly what these lines say."""
    return set(map(_plain, metadata_lines(path))) == set(map(_plain, lines))


def _plain(line: str) -> str:
    return "".join(line.split()).replace("'", '"').lower()
