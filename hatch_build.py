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
    """Adds the compiled data to a wheel; the TOML that it comes from is in the sdist alone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the JSON and have it put beside the place of its TOML. An editable install reads the TOML."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from torchdoctor.diagnose.failure_files import compile_failures
        from torchdoctor.diagnose.parsers.pattern_files import (
            compile_descriptions,
            compile_hints,
            compile_outputs,
            compile_prose,
            compile_speakers,
        )
        from torchdoctor.diagnose.question_table import compile_questions
        from torchdoctor.diagnose.symptom_causes import compile_symptoms

        self.made = Path(tempfile.mkdtemp(prefix="torchdoctor-build-"))
        diagnose = Path("torchdoctor", "diagnose")
        for source, compile_source in (
            (diagnose / "failures", compile_failures),
            (diagnose / "questions.toml", compile_questions),
            (diagnose / "symptoms.toml", compile_symptoms),
            (diagnose / "parsers" / "command_outputs.toml", compile_outputs),
            (diagnose / "parsers" / "descriptions.toml", compile_descriptions),
            (diagnose / "parsers" / "environment_hints.toml", compile_hints),
            (diagnose / "parsers" / "prose_patterns.toml", compile_prose),
            (diagnose / "parsers" / "speakers.toml", compile_speakers),
        ):
            compiled = self.made / f"{source.stem}.json"
            compiled.write_text(json.dumps(compile_source(self.root / source)), "utf-8")
            build_data["force_include"][str(compiled)] = source.with_suffix(".json").as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  (hatchling's signature)
        """Remove what `initialize` wrote; the wheel is complete."""
        if version != "editable":
            shutil.rmtree(self.made, ignore_errors=True)
