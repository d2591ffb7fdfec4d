"""The probe runs in environments that have no torchdoctor."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import torchdoctor.probe

FOLDER = Path(torchdoctor.probe.__file__).parent


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_part_of_the_probe_names_no_other_by_its_full_name(path):
    """Imports within it are relative: there the package has another name."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert not (node.module or "").startswith("torchdoctor")
        if isinstance(node, ast.Import):
            assert not [name.name for name in node.names if name.name.startswith("torchdoctor")]
