"""The data files that come with the package, each read once."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "read_json", "read_json_file", "two_numbers"]

FOLDER = Path(__file__).parent / "data"


@lru_cache(maxsize=8)
def read_json(name: str) -> Any:
    """Return the content of a file of `data/`. It is shared: read it, never change it."""
    return read_json_file(FOLDER / name)


def read_json_file(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_bytes())


def two_numbers(dotted: str) -> tuple[int, int]:
    """Return `8.9` as (8, 9), and `8` as (8, 0); raises `ValueError` for anything else."""
    major, _, minor = dotted.partition(".")
    return int(major), int(minor or 0)
