"""One process of the environment's interpreter that runs the probe: started, read from, ended with its workers."""

from __future__ import annotations

import contextlib
import json
import queue
import secrets
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fs.noexec import is_noexec
from torchdoctor.core.i18n import message
from torchdoctor.core.system.process import PIPE, ManagedProcess, Tail, read_chunks
from torchdoctor.core.text import printable_line
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.verify.events import EventReader
from torchdoctor.verify.memory import resident_mib
from torchdoctor.verify.process_end import describe_end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.verify.process_end import ProcessEnd

__all__ = ["ProbeProcess"]

PROBE = Path(__file__).parent.parent / "probe" / "__main__.py"

# How much of standard error is kept: enough for a traceback, whatever a library prints before it.
_STDERR_BYTES = 8192
# A process that fills memory takes some 5 GB in a second.
_POLL_SECONDS = 0.2
# A worker that the probe forked may hold a pipe open for ever.
_PIPE_SECONDS = 2.0
_KILL_SECONDS = 10.0
_GONE = object()
# Folders for caches and temporary files of Python, torch and the drivers: all of them are in the run's own folder.
_FOLDER_VARIABLES = (
    "TMPDIR", "TMP", "TEMP", "XDG_CACHE_HOME", "TORCH_HOME", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR",
    "CUDA_CACHE_PATH", "MIOPEN_USER_DB_PATH", "MIOPEN_CUSTOM_CACHE_DIR", "NEO_CACHE_DIR",
)  # fmt: skip


class ProbeProcess:
    """The running probe. `next_event` returns what it reports; `stop` ends it and everything that it started.

    `request` is what the probe is to run, `folder` its current folder and the place of all temporary files. `launcher`
    is a command that runs the probe, once or in several processes. Raises `EnvironmentUnusable` if it does not start.
    """

    def __init__(
        self,
        python: Path,
        request: Mapping[str, Any],
        folder: Path,
        environ: Mapping[str, str],
        launcher: Sequence[str | Path] = (),
    ) -> None:
        mark = secrets.token_hex(8)
        # -I: neither PYTHONPATH, the user site nor the current folder can shadow anything. -B: no bytecode is left.
        command: list[str | Path] = [
            *launcher, python, "-I", "-B", "-X", "faulthandler", PROBE, json.dumps({**request, "mark": mark}),
        ]  # fmt: skip
        own = dict.fromkeys(_FOLDER_VARIABLES, str(folder)) | {"TORCHDOCTOR_STARTED_IN": _current_folder()}
        try:
            self._process = ManagedProcess(
                command, environ={**environ, **own}, cwd=folder, stdout=PIPE, stderr=PIPE
            )
        except OSError as error:
            reason: object = error.strerror or error
            if is_noexec(python):
                reason = message("its file system is mounted noexec")
            raise EnvironmentUnusable(
                message("{python} cannot be run: {why}", python=python, why=reason),
                fix=message("name an environment that has a working Python: torchdoctor install makes one"),
                code="no-python",
            ) from error
        self._events: queue.Queue[object] = queue.Queue()
        self._reader = EventReader(mark)
        self._stderr = Tail(_STDERR_BYTES)
        self._stopped = False
        self._readers = [
            read_chunks(self._process.stdout, self._take_events),
            read_chunks(self._process.stderr, self._stderr.add),
        ]
        threading.Thread(target=self._wait, daemon=True).start()

    def next_event(self, seconds: float, memory_mib: int | None = None) -> dict[str, Any] | None:
        """Return the next event, or None when the process is gone.

        Raises `TimeoutError` after `seconds`, and `MemoryError` when the process holds more than `memory_mib`.
        """
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            # In pieces, because Ctrl-C does not interrupt a waiting thread on Windows, and to look at the memory.
            with contextlib.suppress(queue.Empty):
                event = self._events.get(timeout=min(left, _POLL_SECONDS))
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
    def memory_mib(self) -> int | None:
        """The memory that it holds; None where the system does not say."""
        return resident_mib(self._process.pid)

    @property
    def ended(self) -> ProcessEnd:
        """How the process ended, once it has."""
        return describe_end(self._process.status)

    @property
    def stderr(self) -> tuple[str, ...]:
        """The last lines of its standard error, without what a terminal would obey."""
        lines = (printable_line(line) for line in self._stderr.text.splitlines())
        return tuple(line for line in lines if line.strip())

    def stop(self) -> None:
        """End the process and everything in its group, and wait until it has gone."""
        if self._stopped:
            return
        self._stopped = True
        self._process.kill(_KILL_SECONDS)
        self._join_readers()

    def _take_events(self, received: bytes) -> bool:
        for event in self._reader.feed(received):
            self._events.put(event)
        return True

    def _wait(self) -> None:
        # The end of the process, not of the pipe, which a forked worker may hold.
        self._process.wait()
        self._join_readers()
        self._events.put(_GONE)

    def _join_readers(self) -> None:
        for reader in self._readers:
            reader.join(_PIPE_SECONDS)


def _current_folder() -> str:
    """The folder in which we were started, where the probe looks for files that shadow modules; empty if deleted."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""
