"""Kills `torchdoctor install` at moments over its whole run, and looks at what is left each time."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_IMPORTS = (
    "import torch, torchvision, many; print(torch.__version__, torchvision.__version__, many.__version__)"
)


@dataclass(frozen=True)
class Killed:
    """Where a run was killed: after how many seconds, and what it had said last."""

    after: float
    ended: bool
    said: str

    @property
    def stage(self) -> str:
        """The stage after the last line that was said."""
        words = [line.split()[0] for line in self.said.splitlines() if line[:1].strip()]
        return words[-1] if words else "start"


def start(arguments: Sequence[object], environ: dict[str, str], cwd: Path) -> subprocess.Popen[str]:
    """The program in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "torchdoctor", *map(str, arguments)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **environ}, cwd=cwd, text=True,
        start_new_session=True,
    )  # fmt: skip


def kill_after(
    seconds: float,
    arguments: Sequence[object],
    environ: dict[str, str],
    cwd: Path,
    *,
    whole_group: bool,
    once: Callable[[], bool] = lambda: True,
) -> Killed:
    """Start, wait, SIGKILL: the process alone (its uv lives on), or all it started, as when the power goes.

    The seconds count from when `once` holds.
    """
    process = start(arguments, environ, cwd)
    while not once() and process.poll() is None:
        time.sleep(0.002)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        ended = False
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    else:
        ended = True
    process.wait()
    assert process.stderr is not None
    # A uv that lives on holds the pipe: what was said before is there already.
    os.set_blocking(process.stderr.fileno(), False)
    said = os.read(process.stderr.fileno(), 1 << 16).decode() if _readable(process) else ""
    process.stderr.close()
    return Killed(seconds, ended, said)


def _readable(process: subprocess.Popen[str]) -> bool:
    import select

    return bool(select.select([process.stderr], [], [], 0)[0])


def versions_of(folder: Path) -> str:
    """What the environment's own interpreter imports; raises where it cannot."""
    done = subprocess.run(
        [folder / "bin" / "python", "-I", "-c", _IMPORTS], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def wrong_files(folder: Path) -> list[str]:
    """Files of an environment that are not what the RECORD of their package says, or that are not there."""
    wrong = []
    for record in folder.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        with record.open(newline="", encoding="utf-8") as file:
            for name, digest, *_ in csv.reader(file):
                path = record.parents[1] / name
                if digest and not (path.is_file() and _digest(path) == digest):
                    wrong.append(str(path))
    return wrong


def wrong_wheels(cache: Path) -> list[str]:
    """Finished files in the cache that are not what their place says."""
    return [
        str(path)
        for path in cache.glob("wheels/??/*/*.whl")
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.parent.name
    ]


def left_over(parent: Path) -> list[str]:
    """What lies beside the environment."""
    return sorted(path.name for path in parent.iterdir() if path.name != "env")


def record_of(folder: Path) -> str:
    """The torch that the environment's record speaks of."""
    record = json.loads((folder / "torchdoctor.json").read_text("utf-8"))
    return next(row["version"] for row in record["files"] if row["name"] == "torch")


def _digest(path: Path) -> str:
    raw = hashlib.sha256(path.read_bytes()).digest()
    return "sha256=" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def duration(arguments: Sequence[object], environ: dict[str, str], cwd: Path) -> float:
    """How long a run that nobody kills takes."""
    started = time.monotonic()
    process = start(arguments, environ, cwd)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return time.monotonic() - started
