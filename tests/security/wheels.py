"""Wheels that were made to harm, as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.wheelmaker import make_wheel

if TYPE_CHECKING:
    from pathlib import Path


def saved(folder: Path, project: str, version: str = "1.0", **given: object) -> Path:
    """The path of a wheel for every system; what is `given` is that of `make_wheel`."""
    name, content = make_wheel(project, version, tag="py3-none-any", **given)  # type: ignore[arg-type]
    path = folder / name
    path.write_bytes(content)
    return path
