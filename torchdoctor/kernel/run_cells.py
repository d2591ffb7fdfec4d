"""A kernel spec -> what its cells answered: the kernel is started, asked and stopped, each wait with a limit."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import KernelFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["ALL_CELLS", "Limits", "Session", "run_cells"]

ALL_CELLS = ("python", "import", "device", "tensor")

_CLIENT = Path(__file__).with_name("_client_script.py")
# Our own process says something at least at each limit; later than that it is itself in the way.
_GRACE = 30.0
# Between a kernel's start and the word of it; an interrupt can fall there.
_MOMENT = 2.0
_LONGEST_LINE = 1 << 16
_EVERY = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Seconds until the kernel has said what it is, and until each cell has answered."""

    start: float = 90.0
    cell: float = 180.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """How it went: the answers of the cells that ran, the first thing that went wrong, and the kernel's last words.

    `failed_at` is "start" or the cell's name; `kind` is start, died, silent, garbage, not-python,
    cell, or lost when the process that started it gave no answer.
    """

    answers: Mapping[str, Mapping[str, Any]]
    seconds: Mapping[str, float]
    failed_at: str | None = None
    kind: str | None = None
    detail: str = ""
    said: tuple[str, ...] = ()


def run_cells(
    client_python: Path,
    folder: Path,
    *,
    environ: Mapping[str, str],
    cells: Sequence[str] = ALL_CELLS,
    limits: Limits | None = None,
    on_wait: Callable[[float], None] | None = None,
) -> Session:
    """Start the kernel of the spec in `folder`, run `cells` in it one after the other, and stop it.

    `client_python` has jupyter_client. A cell that fails ends the session. Raises `KernelFailed` when that Python
    cannot be run.
    """
    limits = limits or Limits()
    mark = f"torchdoctor-{secrets.token_hex(8)}:"
    request = {"folder": str(folder), "cells": list(cells), "start": limits.start, "cell": limits.cell}
    with tempfile.TemporaryDirectory(prefix="torchdoctor-kernel-", ignore_cleanup_errors=True) as work:
        command = [str(client_python), "-I", "-B", str(_CLIENT), mark, json.dumps(request)]
        process = _started(command, work, environ)
        listener = _Listener(process, mark)
        ended = False
        try:
            session = _follow(listener, limits, on_wait)
            ended = session.kind != "lost" and _ends(process)
            return session
        finally:
            if not ended:
                # It could not stop the kernel itself, which has a group of its own.
                listener.expect_kernel(_MOMENT)
                _end_group(listener.kernel)
            _end_group(process.pid)
            process.kill()
            process.wait(_GRACE)


def _started(command: list[str], work: str, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Its connection file is put down where it goes with the rest.
            env={**environ, "JUPYTER_RUNTIME_DIR": work},
            cwd=work,
            start_new_session=sys.platform != "win32",
        )
    except OSError as error:
        raise KernelFailed(
            message("{program} cannot be run: {why}", program=command[0], why=error.strerror or error),
            fix=message("torchdoctor jupyter-kernel list says which kernels have a Python that is there"),
            code="python-gone",
        ) from error


def _ends(process: subprocess.Popen[bytes]) -> bool:
    """Whether it stops the kernel and goes by itself."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
        return True
    return False


def _follow(listener: _Listener, limits: Limits, on_wait: Callable[[float], None] | None) -> Session:
    answers: dict[str, Mapping[str, Any]] = {}
    seconds: dict[str, float] = {}
    at = "start"
    while True:
        event = listener.next_event(
            (limits.start if at == "start" else limits.cell) + _GRACE, on_wait or (lambda _: None)
        )
        told: dict[str, Any] = {"answers": answers, "seconds": seconds}
        match event:
            case {"event": "end"}:
                return Session(**told)
            case {"event": "ready", "seconds": float(took)}:
                seconds["start"] = took
            case {"event": "cell", "id": str(at)}:
                pass
            case {"event": "result", "id": str(name), "seconds": float(took), "answer": dict(answer)}:
                answers[name], seconds[name] = answer, took
            case {"event": "result", "id": str(name), "error": str(error)}:
                return Session(**told, failed_at=name, kind="cell", detail=error)
            case {"event": "error", "kind": str(kind), "values": dict(values), "said": list(said)}:
                detail = _in_words(kind, at, values)
                return Session(**told, failed_at=at, kind=kind, detail=detail, said=tuple(map(str, said)))
            case {"event": "lost", "detail": str(detail)}:
                return Session(**told, failed_at=at, kind="lost", detail=detail, said=listener.said)


def _in_words(kind: str, at: str, values: Mapping[str, Any]) -> str:
    """What the client says went wrong; it runs in the kernel's environment, and gives the values alone."""
    seconds, status = values.get("seconds"), values.get("status")
    match kind, at == "start":
        case "not-python", _:
            language = values.get("language")
            return message("its language is {language}; only Python kernels are checked", language=language)
        case "silent", True:
            return message("it did not say what it is within {seconds:g} s", seconds=seconds)
        case "silent", False:
            return message("the cell did not come back within {seconds:g} s", seconds=seconds)
        case "died", True if status is None:
            return message("it ended before it said what it is")
        case "died", True:
            return message("it ended with status {status} before it said what it is", status=status)
        case "died", False if status is None:
            return message("it ended while it ran the cell")
        case "died", False:
            return message("it ended with status {status} while it ran the cell", status=status)
    return str(values.get("error"))


class _Listener:
    """Reads what the client says; keeps the end of everything else."""

    def __init__(self, process: subprocess.Popen[bytes], mark: str) -> None:
        self.kernel: int | None = None
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._said: list[str] = []
        self._mark = mark.encode()
        self._process = process
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(self._said[-12:])

    def expect_kernel(self, seconds: float) -> None:
        """Wait until the kernel's number is known, or its client is gone, but no longer than this."""
        until = time.monotonic() + seconds
        while self.kernel is None and self._process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)

    def next_event(self, seconds: float, on_wait: Callable[[float], None]) -> dict[str, Any]:
        began = time.monotonic()
        while (waited := time.monotonic() - began) < seconds:
            with contextlib.suppress(queue.Empty):
                return self._events.get(timeout=min(_EVERY, seconds - waited))
            on_wait(time.monotonic() - began)
        return {"event": "lost", "detail": message("nothing came from it for {seconds:g} s", seconds=seconds)}

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  (it is a pipe)
        with self._process.stdout as stream:
            while line := stream.readline(_LONGEST_LINE):
                if line.startswith(self._mark):
                    self._take(line[len(self._mark) :])
                elif line.strip():
                    self._said = [*self._said, line.decode("utf-8", "replace").rstrip()[:400]][-12:]
        last = self.said[-1] if self.said else message("the client ended without a word")
        self._events.put({"event": "lost", "detail": last})

    def _take(self, text: bytes) -> None:
        with contextlib.suppress(ValueError):
            event = json.loads(text)
            if event.get("event") == "started" and isinstance(event.get("pid"), int):
                self.kernel = event["pid"]
            else:
                self._events.put(event)


def _end_group(pid: int | None) -> None:
    """End a process with its children; jupyter_client gives each kernel a group of its own."""
    if pid is None:
        return
    if sys.platform == "win32":
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                ["taskkill", "/F", "/T", "/PID", str(pid)], check=False, capture_output=True, timeout=30
            )
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
