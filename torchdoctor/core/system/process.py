"""Runs one command to its end, or to a limit of time or output, in a process group that can be killed whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from torchdoctor.core.i18n.messages import message
from torchdoctor.core.text import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["OUTPUT_LIMIT", "Completed", "run_process"]

OUTPUT_LIMIT = 1 << 20

Failure = Literal["missing", "denied", "status", "time-limit", "too-long"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """How a command ended: what it printed, and what went wrong, if anything did."""

    argv: tuple[str, ...]
    status: int | None = None
    stdout: str = ""
    stderr: str = ""
    failure: Failure | None = None
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether it ran to its end and said 0."""
        return self.failure is None

    @property
    def cause(self) -> str:
        """Why it did not, in a few words; its own last words where it has some."""
        name = Path(self.argv[0]).name
        said = next((line.strip() for line in reversed(self.stderr.splitlines()) if line.strip()), "")
        said = said or next((line.strip() for line in self.stdout.splitlines() if line.strip()), "")
        causes = {
            "missing": message("{name} is not there", name=name),
            "denied": message("{name} cannot be run: {detail}", name=name, detail=self.detail),
            "status": message(
                "{name} failed with status {status}{more}",
                name=name,
                status=self.status,
                more=f": {sanitize_line(said)}" if sanitize_line(said) else "",
            ),
            "time-limit": message("{name} did not answer within {detail} s", name=name, detail=self.detail),
            "too-long": message("{name} printed more than {detail} bytes", name=name, detail=self.detail),
        }
        return causes[self.failure] if self.failure else ""


def run_process(program: str, argv: tuple[str, ...], environ: Mapping[str, str], timeout: float) -> Completed:
    """Run `program`, known as `argv`, without a shell and without input; every failure is a value."""
    try:
        process = _start([program, *argv[1:]], environ)
    except (OSError, ValueError) as error:
        return Completed(argv=argv, failure="denied", detail=getattr(error, "strerror", "") or str(error))
    return _watch(process, argv, timeout)


def _start(argv: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        start_new_session=sys.platform != "win32",
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _watch(process: subprocess.Popen[bytes], argv: tuple[str, ...], timeout: float) -> Completed:
    """Wait for the end of the output rather than poll for the end of the process."""
    deadline = time.monotonic() + timeout
    assert process.stdout is not None  # noqa: S101  (piped above)
    assert process.stderr is not None  # noqa: S101
    out, err = _Drain(process.stdout, process), _Drain(process.stderr, process)
    try:
        for drain in (out, err):
            drain.thread.join(max(0.0, deadline - time.monotonic()))
        process.wait(max(0.01, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    finally:
        ended = process.poll() is not None
        if not ended or out.thread.is_alive() or err.thread.is_alive():
            _stop(process)
    failure: Failure | None = None
    if out.full or err.full:
        failure, detail = "too-long", str(OUTPUT_LIMIT)
    elif not ended:
        failure, detail = "time-limit", f"{timeout:g}"
    else:
        failure, detail = ("status" if process.returncode else None), ""
    return Completed(
        argv=argv, status=process.returncode, stdout=out.text, stderr=err.text, failure=failure, detail=detail
    )


class _Drain:
    """Reads one pipe to its end, keeps the first mebibyte, and stops a process that prints more."""

    def __init__(self, pipe: IO[bytes], process: subprocess.Popen[bytes]) -> None:
        self.full = False
        self._kept = bytearray()
        self._pipe = pipe
        self._process = process
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    @property
    def text(self) -> str:
        return bytes(self._kept).decode("utf-8", "replace")

    def _read(self) -> None:
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), 1 << 16):
                self._kept += chunk[: OUTPUT_LIMIT - len(self._kept) + 1]
                if len(self._kept) > OUTPUT_LIMIT:
                    self.full = True
                    _kill(self._process)
                    return


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group; a process stuck in the kernel is left behind."""
    _kill(process)
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        # Popen would warn at exit of a child that no one can end.
        process.returncode = -signal.SIGTERM


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            # The leader may have ended with children of its own still running in its group.
            os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
