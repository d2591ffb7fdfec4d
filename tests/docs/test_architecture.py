"""The architecture page knows every part that there is."""

from __future__ import annotations

import re
from pathlib import Path

import torchdoctor

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "architecture.md").read_text("utf-8")


def test_every_module_and_folder_has_its_place():
    """Who looks for the place of a file finds it, and none is named that is gone."""
    home = Path(torchdoctor.__file__).parent
    files = {path.name for path in home.glob("[!_]*.py")}
    folders = {f"{path.name}/" for path in home.glob("[!_]*/")}
    assert [name for name in sorted(files | folders) if f"`{name}`" not in PAGE] == []
    named = set(re.findall(r"`([a-z_]+\.py)`", PAGE))
    assert named <= files | {"seam.py"}
