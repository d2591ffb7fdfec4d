"""Hatchling's build hook: compiles the data that a checkout reads as TOML into the JSON that a wheel holds."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Adds the compiled failures to a wheel; the files that they come from are in the sdist alone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the document, and have it put in the place of the files. An editable install reads the files."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from torchdoctor.diagnose.failure_files import COMPILED, compile_failures

        folder = Path("torchdoctor", "diagnose", "failures")
        self.made = Path(tempfile.mkdtemp(prefix="torchdoctor-build-"))
        document = self.made / COMPILED
        document.write_text(json.dumps(compile_failures(self.root / folder)), "utf-8")
        build_data["force_include"][str(document)] = (folder / COMPILED).as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  (hatchling's signature)
        """Remove what `initialize` wrote; the wheel is complete."""
        if version != "editable":
            shutil.rmtree(self.made, ignore_errors=True)
