"""Recorded machines: files of texts that replay through the same code as a real machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.detect.recorded_system import RecordedSystem, paper_python, said
from torchdoctor.core.system.model import Space
from torchdoctor.detect import detect

if TYPE_CHECKING:
    from torchdoctor.detect import Detection

RECORDED = sorted((Path(__file__).parents[1] / "machines").glob("*.json"))


def replay(record: dict[str, Any]) -> Detection:
    """Look at the recorded world."""
    system = RecordedSystem(
        files=record.get("files", {}),
        environ=record.get("environ", {}),
        commands={
            line: said(row.get("stdout", ""), status=row.get("status", 0), stderr=row.get("stderr", ""))
            for line, row in record.get("commands", {}).items()
        },
        denied=frozenset(record.get("denied", ())),
        spaces={path: Space(**row) for path, row in record.get("spaces", {}).items()},
    )
    return detect(system, python=paper_python(**record["python"]))
