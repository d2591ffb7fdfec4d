"""One process of the environment's interpreter running the probe: started, listened to, stopped with its workers."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.verify.events import EventReader
from torchdoctor.verify.memory import resident_mib
from torchdoctor.verify.process_end import describe_end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.verify.process_end import ProcessEnd

__all__ = ["ProbeProcess"]

PROBE = Path(__file__).parent.parent / "probe" / "__main__.py"

# What is kept of the child's standard error: enough for a traceback, whatever a library prints before it.
_TAIL = 8192
_CHUNK = 65536
# A process that fills memory takes some 5 GB in a second.
_LOOK = 0.2
_GONE = object()


class ProbeProcess:
    """The running probe. `next_event` gives what it says; `stop` ends it and everything that it started.

    A `launcher` is a command that runs the probe, once or in several processes.
    """

    def __init__(
        self,
        python: Path,
        request: Mapping[str, Any],
        work: Path,
        environ: Mapping[str, str],
        launcher: Sequence[str | Path] = (),
    ) -> None:
        mark = secrets.token_hex(8)
        # -I: neither PYTHONPATH, the user site nor the current folder can shadow anything. -B: no bytecode is left.
        command: list[str | Path] = [
            *launcher, python, "-I", "-B", "-X", "faulthandler", PROBE, json.dumps({**request, "mark": mark}),
        ]  # fmt: skip
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=work,
                env={**environ, **_kept_inside(work)},
                # A group of its own, so that it can be ended with its workers; Ctrl-C therefore reaches us only.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            raise EnvironmentUnusable(
                message("{python} cannot be run: {why}", python=python, why=error.strerror or error),
                fix=message("name an environment that has a working Python: torchdoctor install makes one"),
                code="no-python",
            ) from error
        self._events: queue.Queue[object] = queue.Queue()
        self._reader = EventReader(mark)
        self._stderr = b""
        self._stopped = False
        self._threads = [self._thread(self._listen), self._thread(self._watch_stderr)]
        self._thread(self._wait)

    def next_event(self, seconds: float, memory_mib: int | None = None) -> dict[str, Any] | None:
        """The next event, or None when the process is gone.

        Raises `TimeoutError` after so many seconds, `MemoryError` when the process holds more than so much memory.
        """
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            # In pieces, because a wait of a thread in Windows does not hear Ctrl-C, and to look at the memory.
            with contextlib.suppress(queue.Empty):
                event = self._events.get(timeout=min(left, _LOOK))
                return event if isinstance(event, dict) else None
            held = resident_mib(self._process.pid)
            if memory_mib is not None and held is not None and held > memory_mib:
                raise MemoryError(
                    message(
                        "took {held} MiB of memory, over the limit of {memory_mib} MiB, and was stopped",
                        held=held,
                        memory_mib=memory_mib,
                    )
                )

    @property
    def ended(self) -> ProcessEnd:
        """How the process ended, once it has."""
        return describe_end(self._process.returncode)

    @property
    def stderr(self) -> tuple[str, ...]:
        """The last lines of its standard error."""
        text = self._stderr.decode("utf-8", "replace")
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())

    def stop(self) -> None:
        """End the process and everything in its group, and wait until it has gone."""
        if self._stopped:
            return
        self._stopped = True
        if sys.platform == "win32":
            # A process group there cannot be ended at once; taskkill follows the tree of parents.
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    ["taskkill", "/F", "/T", "/PID", str(self._process.pid)],
                    check=False, capture_output=True, timeout=30,
                )  # fmt: skip
            self._process.kill()
        else:
            # Also when it has gone itself: its workers may not have.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            # Uninterruptible sleep in a driver outlives SIGKILL; we do not.
            self._process.wait(10)
        for thread in self._threads:
            thread.join(2)

    def _thread(self, run: Any) -> threading.Thread:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None  # noqa: S101  # it is a pipe
        with stream:
            while received := os.read(stream.fileno(), _CHUNK):
                for event in self._reader.feed(received):
                    self._events.put(event)

    def _watch_stderr(self) -> None:
        stream = self._process.stderr
        assert stream is not None  # noqa: S101  # it is a pipe
        with stream:
            while received := os.read(stream.fileno(), _CHUNK):
                self._stderr = (self._stderr + received)[-_TAIL:]

    def _wait(self) -> None:
        # The end of the process, not of the pipe: a worker that it forked may hold the pipe for ever.
        self._process.wait()
        for thread in self._threads:
            thread.join(2)
        self._events.put(_GONE)


def _kept_inside(work: Path) -> dict[str, str]:
    """Every variable that says where something is cached or put down, so that nothing is left behind elsewhere."""
    inside = (
        "TMPDIR",
        "TMP",
        "TEMP",
        "XDG_CACHE_HOME",
        "TORCH_HOME",
        "TORCHINDUCTOR_CACHE_DIR",
        "TRITON_CACHE_DIR",
    )
    drivers = ("CUDA_CACHE_PATH", "MIOPEN_USER_DB_PATH", "MIOPEN_CUSTOM_CACHE_DIR", "NEO_CACHE_DIR")
    started_in = {"TORCHDOCTOR_STARTED_IN": _current_folder()}
    return dict.fromkeys(inside + drivers, str(work)) | started_in


def _current_folder() -> str:
    """Where we were started, for the probe to look for files that shadow modules; empty when it has been deleted."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""
