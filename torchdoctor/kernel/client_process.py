"""The process that starts a kernel and runs cells in it: `_client_script.py`, and the events that it prints."""

from __future__ import annotations

import contextlib
import json
import queue
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.core.system.process import MERGED, PIPE, ManagedProcess, kill_group, read_lines
from torchdoctor.errors import KernelFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["GRACE_SECONDS", "ClientProcess"]

# The client prints an event at each limit at the latest; when nothing comes for this much longer, it hangs itself.
GRACE_SECONDS = 30.0

_CLIENT_SCRIPT = Path(__file__).with_name("_client_script.py")
_KERNEL_START_SECONDS = 2.0
_REPORT_INTERVAL_SECONDS = 10.0
_POLL_SECONDS = 0.02
_MAX_OUTPUT_LINES = 12
_MAX_LINE_LENGTH = 400


class ClientProcess:
    """Runs the client with `python`, which has jupyter_client; leaving the `with` block ends it and its kernel.

    `folder` is where it runs and keeps its connection file. Raises `KernelFailed` when `python` cannot be run.
    """

    def __init__(
        self, python: Path, request: Mapping[str, Any], *, folder: Path, environ: Mapping[str, str]
    ) -> None:
        mark = f"torchdoctor-{secrets.token_hex(8)}:"
        self._mark = mark.encode()
        self._kernel_pid: int | None = None
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._output: list[str] = []
        self._ended_by_itself = False
        try:
            self._process = ManagedProcess(
                [python, "-I", "-B", _CLIENT_SCRIPT, mark, json.dumps(request)],
                environ={**environ, "JUPYTER_RUNTIME_DIR": str(folder)},
                cwd=folder,
                stdout=PIPE,
                stderr=MERGED,
            )
        except OSError as error:
            raise KernelFailed(
                message("{program} cannot be run: {why}", program=python, why=error.strerror or error),
                fix=message("torchdoctor jupyter-kernel list says which kernels have a Python that is there"),
                code="python-gone",
            ) from error
        read_lines(self._process.stdout, self._take_line, self._take_end)

    @property
    def output(self) -> tuple[str, ...]:
        """The last lines that the client printed besides its events."""
        return tuple(self._output[-_MAX_OUTPUT_LINES:])

    def next_event(self, seconds: float, on_wait: Callable[[float], None]) -> dict[str, Any]:
        """Wait up to `seconds` for the next event; `on_wait` gets the seconds that have passed, every 10 s.

        When none comes, or the client ends, the event is "lost" and its `detail` says why.
        """
        started = time.monotonic()
        while (waited := time.monotonic() - started) < seconds:
            with contextlib.suppress(queue.Empty):
                return self._events.get(timeout=min(_REPORT_INTERVAL_SECONDS, seconds - waited))
            on_wait(time.monotonic() - started)
        return {"event": "lost", "detail": message("nothing came from it for {seconds:g} s", seconds=seconds)}

    def wait_for_end(self) -> None:
        """Give the client time to stop the kernel and to end by itself."""
        self._ended_by_itself = self._process.wait(GRACE_SECONDS)

    def __enter__(self) -> ClientProcess:  # noqa: PYI034  (Self needs Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        if not self._ended_by_itself:
            # It may not have stopped the kernel, which jupyter_client starts in a process group of its own.
            self._wait_for_kernel_pid()
            if self._kernel_pid is not None:
                kill_group(self._kernel_pid)
        self._process.kill(GRACE_SECONDS)

    def _wait_for_kernel_pid(self) -> None:
        """Wait a moment: an interrupt can come between the start of a kernel and the event that tells its pid."""
        until = time.monotonic() + _KERNEL_START_SECONDS
        while self._kernel_pid is None and self._process.status is None and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)

    def _take_line(self, line: bytes) -> None:
        if line.startswith(self._mark):
            self._take_event(line[len(self._mark) :])
        elif line.strip():
            text = line.decode("utf-8", "replace").rstrip()[:_MAX_LINE_LENGTH]
            self._output = [*self._output, text][-_MAX_OUTPUT_LINES:]

    def _take_event(self, text: bytes) -> None:
        try:
            event = json.loads(text)
        except ValueError:
            return
        if not isinstance(event, dict):
            return
        if event.get("event") == "started" and isinstance(event.get("pid"), int):
            self._kernel_pid = event["pid"]
        else:
            self._events.put(event)

    def _take_end(self) -> None:
        last = self.output[-1] if self.output else message("the client ended without output")
        self._events.put({"event": "lost", "detail": last})
