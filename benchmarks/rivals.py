"""Broken environments: what doctor finds in each, compared with env-doctor and cuda-doctor in the same environment.

Usage: python benchmarks/rivals.py --real ENV [--rivals ENV] [--only WORDS]

ENV of `--real` is an environment with torch 2.13.0 as a CPU build, pip, NumPy 2 (`torchdoctor install ENV --torch
2.13.0 --variant cpu --with numpy`); each case is a copy of it with hard links, broken as `tests/doctor/broken.py` says.
`--rivals` is an environment of the same Python version with `pip install env-doctor cuda-doctor`; these tools run
in the broken environment's own Python, with their packages on PYTHONPATH, with the same simulated NVML and, since
they ask it, an nvidia-smi with the same values (`nvidia_smi.py`). Such a tool has found a cause if its output names it
in words (`Broken.cause`), in a line that it does not mark as good, and has named the fix if it says what helps
(`Broken.fix`); torchdoctor, if the id is that of its first finding.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

PEERS = {"env-doctor": ("env-doctor", "check"), "cuda-doctor": ("cuda-doctor", "diagnose", "--verbose")}
_LIMIT = 120
# The peers are scripts of another environment: their entry point is called in the broken one's Python.
CALL = (
    "import sys, importlib.metadata as m; sys.argv = sys.argv[1:]; "
    "row = next(e for e in m.entry_points(group='console_scripts') if e.name == sys.argv[0]); "
    "sys.exit(row.load()())"
)
# A line that says that something is well, or not there because nobody wants it, names no cause.
_WELL = re.compile(r"^\W*(?:✅|✓)|is NOT installed|For TensorFlow/JAX|Add to LD_LIBRARY_PATH|echo \$")


@dataclass(frozen=True)
class Told:
    """What one doctor said of one environment."""

    cause: bool
    fix: bool
    status: int
    seconds: float

    def __str__(self) -> str:
        words = {True: "yes", False: "no"}
        return f"{words[self.cause]} | {words[self.fix]} | {self.status} | {self.seconds:.1f}"


def main() -> None:
    """Break each environment, ask the three doctors, print the table and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--rivals", type=Path, default=Path("/tmp/rivals"))  # noqa: S108  (only read)
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true", help="print what the peers said")
    asked = parser.parse_args()

    from tests.detect.nvml import build
    from tests.doctor.broken import BROKEN, Place, copy_of

    names = ("torchdoctor", *PEERS)
    print("| broken by | " + " | ".join(f"{name}: cause | fix | status | s" for name in names) + " |")
    print("| --- |" + " --- | --- | --- | --- |" * len(names))
    sums = dict.fromkeys(names, (0, 0))
    rows = [row for row in BROKEN if asked.only in row.about]
    for case in rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            place = Place(copy_of(asked.real, folder / "env"), folder, build(folder))
            environ = {
                **os.environ,
                "JUPYTER_DATA_DIR": str(folder / "jupyter"),
                **(case.broken(place) or {}),
            }
            _smi(folder)
            results = [
                _ours(case, place, environ),
                *(_peer(case, place, environ, asked, row) for row in PEERS),
            ]
        for doctor, result in zip(names, results, strict=True):
            sums[doctor] = (sums[doctor][0] + result.cause, sums[doctor][1] + result.fix)
        print(f"| {case.about} | " + " | ".join(map(str, results)) + " |", flush=True)
    said = "; ".join(f"{name}: cause {cause}, fix {fix}" for name, (cause, fix) in sums.items())
    print(f"\nOf {len(rows)}: {said}")


def _ours(case, place, environ) -> Told:
    """The cause is found when its id is the first finding's."""
    more = () if case.imports else ("--no-import",)
    command = [sys.executable, "-m", "torchdoctor", "doctor", place.env, "--no-network", "--json", *more]
    status, out, seconds = _run(command, environ, place.folder / case.here)
    first = (json.loads(out)["findings"] or [{"id": "", "fix": []}])[0]
    fix = " ".join(first["fix"]).lower()
    return Told(first["id"] == case.failure, any(word in fix for word in case.fix), status, seconds)


def _peer(case, place, environ, asked, name) -> Told:
    """What a peer says, line by line, in the environment's own Python."""
    site = next(asked.rivals.glob("lib/python*/site-packages"))
    behind = os.pathsep.join(filter(None, (environ.get("PYTHONPATH"), str(site))))
    command = [place.env / "bin" / "python", "-c", CALL, *PEERS[name]]
    if "FAKE_NVML" in environ:
        environ = {**environ, "PATH": f"{place.folder / 'tools'}{os.pathsep}{environ['PATH']}"}
    status, out, seconds = _run(command, {**environ, "PYTHONPATH": behind}, place.folder / case.here)
    if asked.show:
        print(out, file=sys.stderr)
    lines = [line.lower() for line in out.splitlines() if not _WELL.search(line)]
    text = " ".join(" ".join(lines).split())
    cause = any(word in text for word in case.cause)
    return Told(cause, cause and any(word in text for word in case.fix), status, seconds)


def _smi(folder: Path) -> None:
    """A program nvidia-smi in the folder's `tools`."""
    (folder / "tools").mkdir()
    program = folder / "tools" / "nvidia-smi"
    script = Path(__file__).with_name("nvidia_smi.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(0o755)


def _run(command, environ, folder) -> tuple[int, str, float]:
    began = time.perf_counter()
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, errors="replace", timeout=_LIMIT, check=False,
        env=environ, cwd=folder, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout or done.stderr, time.perf_counter() - began


if __name__ == "__main__":
    main()
