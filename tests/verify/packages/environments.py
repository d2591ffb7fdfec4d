"""Environments with small packages that behave as real ones do, well and badly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.probe.fakes import ODD_TORCH, environment
from tests.wheelmaker import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Packages"]


class Packages:
    """A real environment with a stand-in for torch, into which packages are put."""

    def __init__(self, folder: Path, torch: str = ODD_TORCH) -> None:
        self.folder = folder
        self.python = environment(folder, torch=torch)
        self.site = next((folder / "lib").glob("python3.*/site-packages"))

    def put(self, name: str, source: str, *requires: str, version: str = "1.0") -> None:
        """Install a package of one module, which runs `source` when it is imported."""
        import io
        import zipfile

        module = name.replace("-", "_")
        _, content = make_wheel(
            name, version, tag="py3-none-any", requires=requires, modules={f"{module}/__init__.py": source}
        )
        zipfile.ZipFile(io.BytesIO(content)).extractall(self.site)

    def ask(self, *lines: str) -> None:
        """Write into the environment's record what was asked for."""
        asked = [{"requirement": line, "origin": "--with"} for line in lines]
        record = {"schema": 1, "plan": None, "files": [], "asked": asked}
        (self.folder / "torchdoctor.json").write_text(json.dumps(record))
