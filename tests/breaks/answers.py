"""What doctor, verify and diagnose say of one broken environment."""

from __future__ import annotations

import glob
import json
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.breaks.table import NOTHING, SILENT
from tests.detect.recorded_system import RecordedSystem, paper_python
from torchdoctor.diagnose import diagnose, diagnose_text, live_failures
from torchdoctor.diagnose.verify_findings import findings_from
from torchdoctor.doctor import InspectOptions, inspect
from torchdoctor.doctor.evidence import evidence_from
from torchdoctor.doctor.package_findings import package_findings, with_findings
from torchdoctor.probe import suite
from torchdoctor.verify import verify
from wheels_index import bundled

if TYPE_CHECKING:
    from tests.breaks.place import Place
    from tests.breaks.table import Break

__all__ = ["PROGRAM", "Answer", "complaint", "diagnose_of", "doctor_of", "doctor_reads", "verify_of"]
PROGRAM = Path(os.environ.get("TORCHDOCTOR_PROGRAM") or Path(sys.executable).with_name("torchdoctor"))
# Checks that compute, which a stand-in cannot; what else there is it must pass.
_COMPUTING = (
    "numpy", "dataset", "summary", "saving-model", "threads", "packages", "operations", "torchvision", "torchaudio",
    "safetensors",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The finding that comes first, by its id, with all its words; `text` is what was read or printed."""

    first: str
    words: str = ""
    text: str = ""
    note: str = ""


class _StandinSystem(RecordedSystem):
    """A machine on paper: of real files there are those of the environment and of what lies beside it."""

    def __init__(self, place: Place) -> None:
        super().__init__(environ={"XDG_CONFIG_DIRS": "/nowhere", **place.environ()})
        object.__setattr__(self, "tops", (str(place.env), str(place.folder)))

    def read_text(self, path: str, *, limit: int = 1 << 16) -> str | None:
        if not path.startswith(self.tops) or not Path(path).is_file():
            return None
        return Path(path).read_bytes()[:limit].decode("utf-8", "replace")

    def exists(self, path: str) -> bool:
        return path.startswith(self.tops) and Path(path).exists()

    def glob(self, pattern: str) -> tuple[str, ...]:
        return tuple(sorted(glob.glob(pattern))) if pattern.startswith(self.tops) else ()  # noqa: PTH207


def _worst_first(findings: Any) -> Answer:
    return _of_rows([finding.to_json() for finding in findings])


def _of_rows(rows: list[dict[str, Any]]) -> Answer:
    """The first that says that something is wrong; where there is none, `note` is what comes first of the notes."""
    problems = [row for row in rows if row["severity"] != "note"]
    note = next((row["id"] for row in rows if row["severity"] == "note"), "")
    if not problems:
        return Answer(first=NOTHING, note=note, words=json.dumps(rows))
    words = json.dumps(problems[0])
    return Answer(
        first=problems[0]["id"], words=words, text=", ".join(row["id"] for row in problems), note=note
    )


def doctor_reads(place: Place) -> Answer:
    """What doctor finds in the files alone, on a machine on paper without a GPU."""
    version = platform.python_version()
    python = paper_python(
        executable=place.python,
        version=version,
        prefix=place.env,
        base_prefix=Path("/usr"),
        site_packages=(place.site,),
        path=(f"/usr/lib/python{sys.version_info[0]}{sys.version_info[1]}.zip", str(place.site)),
    )
    options = InspectOptions(importing=False, packages=False, asking=False)
    check_up = inspect(
        _StandinSystem(place), python, here=place.here, cache=place.folder, index=bundled(), options=options
    )
    found = diagnose(evidence_from(check_up), str, live_failures()).findings
    return _worst_first(with_findings(found, package_findings(check_up, str)))


def _run(place: Place, *arguments: str, limit: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        place.limited([*arguments]), env=place.environ(), cwd=place.here, capture_output=True, text=True,
        errors="replace", stdin=subprocess.DEVNULL, timeout=limit, check=False,
    )  # fmt: skip


def doctor_of(place: Place) -> Answer:
    """What the program `doctor` says first, torch imported."""
    ran = _run(place, str(PROGRAM), "doctor", str(place.env), "--no-network", "--json")
    return _of_document(ran)


def _of_document(ran: subprocess.CompletedProcess[str]) -> Answer:
    try:
        document = json.loads(ran.stdout)
    except ValueError:
        return Answer(first="no-answer", words=ran.stderr[-2000:], text=ran.stderr[-2000:])
    if "error" in document:
        error = document["error"]
        return Answer(
            first=error.get("code") or error["kind"], words=json.dumps(error), text=json.dumps(error)
        )
    return _of_rows(document["findings"])


def verify_of(place: Place, more: tuple[str, ...] = ()) -> Answer:
    """What the program `verify` says first, of what a stand-in can do, or of all that is quick."""
    left_out = set() if place.real else set(_COMPUTING) - set(more)
    left_out |= {step.id for step in suite.CHECKS if step.where != "once"} if not place.real else set()
    if not place.real and place.address_space_mib is None and place.python.exists():
        return _verified(place, sorted(left_out & {step.id for step in suite.CHECKS}))
    skipped = [word for step in suite.CHECKS if step.id in left_out for word in ("--skip", step.id)]
    ran = _run(place, str(PROGRAM), "verify", str(place.env), "--quick", "--json", *skipped)
    return _of_document(ran)


def _verified(place: Place, skip: list[str]) -> Answer:
    """The same without a process of our own, which takes longer than all else."""
    before = Path.cwd()
    os.chdir(place.here)
    try:
        return _worst_first(
            findings_from(verify(place.python, quick=True, skip=skip, environ=place.environ()), str)
        )
    finally:
        os.chdir(before)


def diagnose_of(place: Place) -> Answer:
    """What diagnose says first of what Python prints for a program that uses torch; nothing is said of no text."""
    lines = ["import torch", "torch.zeros(1)"]
    lines += [f"import {name}" for name in ("torchvision", "numpy") if (place.site / name).is_dir()]
    program = place.here / "program_of_somebody.py"
    program.write_text("\n".join(lines) + "\n")
    try:
        ran = _run(place, str(place.python), str(program))
    except OSError:
        return Answer(first=SILENT)
    finally:
        program.unlink()
    if ran.returncode == 0 or not ran.stderr.strip():
        return Answer(first=SILENT, text=ran.stderr)
    found = diagnose_text(ran.stderr).in_order
    rows = [finding.to_json() for finding in found]
    return Answer(first=_of_rows(rows).first, words=ran.stderr, text=ran.stderr)


def complaint(row: Break, tool: str, answer: Answer) -> str | None:
    """What is wrong with an answer; None where it is right."""
    expected = row.expected(tool)
    silent = {SILENT, NOTHING}
    if row.note and answer.first == NOTHING and answer.note in expected:
        return None
    if answer.first in silent:
        return (
            None if silent & set(expected) else f"{tool} says nothing, and must say {' or '.join(expected)}"
        )
    if answer.first not in expected:
        return f"{tool} says {answer.first} ({answer.text[-300:]}), and must say {' or '.join(expected)}"
    if row.names and tool != "diagnose" and not re.search(row.names, answer.words, re.IGNORECASE):
        return f"{tool} says {answer.first}, and names nothing of {row.names!r}: {answer.words[:600]}"
    return None
