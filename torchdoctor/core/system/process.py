"""Child processes with a deadline, bounded output, and an end that takes along everything they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from torchdoctor.core.system.environment_trust import ForeignEnvironment, refuse_foreign_environment
from torchdoctor.core.system.model import Completed
from torchdoctor.core.system.running_processes import RUNNING
from torchdoctor.core.threads import start_thread

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from torchdoctor.core.system.model import Failure

__all__ = [
    "MERGED",
    "OUTPUT_LIMIT_BYTES",
    "PIPE",
    "ManagedProcess",
    "Tail",
    "kill_group",
    "limit_file_size",
    "read_chunks",
    "read_lines",
    "run_process",
]

OUTPUT_LIMIT_BYTES = 1 << 20
PIPE = subprocess.PIPE
MERGED = subprocess.STDOUT

_CHUNK_BYTES = 1 << 16
_KILL_SECONDS = 0.5
_TASKKILL_SECONDS = 30.0
_WINDOWS = "C:\\Windows"


class ManagedProcess:
    """A child process in a process group of its own; leaving the `with` block kills what is left of the group.

    It gets no input and its output is discarded, unless `stdin`, `stdout` or `stderr` is `PIPE` (or `stderr` is
    `MERGED`, to go where stdout goes). Because of its own group Ctrl-C reaches torchdoctor only, which then ends it.
    `program` is the file to run where `argv[0]` is only its name; `pass_fds` are what it inherits. Raises `OSError`
    where it cannot be started, `ForeignEnvironment` among them.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        program: str | Path | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        stderr: int = subprocess.DEVNULL,
        pass_fds: Sequence[int] = (),
    ) -> None:
        command = [program or argv[0], *argv[1:]]
        refuse_foreign_environment(command)
        with RUNNING.start() as started:
            self._popen: subprocess.Popen[bytes] = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=environ,
                cwd=cwd,
                start_new_session=sys.platform != "win32",
                creationflags=_windows_flags(),
                pass_fds=pass_fds,
            )
            started.add(self)
        self._unkillable = False

    @property
    def pid(self) -> int:
        """Its process id, which is the id of its group too."""
        return self._popen.pid

    @property
    def status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs, and for one that even a kill did not end."""
        return None if self._unkillable else self._popen.poll()

    @property
    def stdin(self) -> IO[bytes]:
        """Its standard input, where that is a pipe."""
        return _pipe(self._popen.stdin)

    @property
    def stdout(self) -> IO[bytes]:
        """Its standard output, where that is a pipe."""
        return _pipe(self._popen.stdout)

    @property
    def stderr(self) -> IO[bytes]:
        """Its standard error, where that is a pipe."""
        return _pipe(self._popen.stderr)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it ends, but no longer than `seconds`; return whether it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(seconds)
        return self._popen.returncode is not None

    def interrupt(self) -> None:
        """Ask the whole group to end, as Ctrl-C does; Windows ends the process at once instead."""
        if sys.platform == "win32":
            self._popen.terminate()
        else:
            _signal_group(self.pid, signal.SIGINT)

    def kill_group(self) -> None:
        """Kill the whole group, also where its first process has ended, without waiting for anything."""
        # Windows gives the number of an ended process to the next one soon, and its tree cannot be found any more.
        if sys.platform != "win32" or self._popen.poll() is None:
            kill_group(self.pid)

    def kill(self, seconds: float = _KILL_SECONDS) -> None:
        """Kill the whole group, and wait at most `seconds` for its first process.

        A process that is stuck in a driver outlives even that and is left behind.
        """
        self.kill_group()
        RUNNING.forget(self)
        if not self.wait(seconds):
            self._unkillable = True
            # Else Popen warns, when it is collected, of a child that nobody can end.
            self._popen.returncode = -signal.SIGTERM

    def stop(self, seconds: float) -> None:
        """Ask it to end, wait at most `seconds`, then kill the group."""
        try:
            self.interrupt()
            self.wait(seconds)
        finally:
            self.kill()

    def close_pipes(self) -> None:
        """Close our ends of its pipes."""
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def __enter__(self) -> ManagedProcess:  # noqa: PYI034  (Self needs Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Tail:
    """Keeps the last `limit` bytes of what it is given."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = b""

    def add(self, chunk: bytes) -> bool:
        """Append a chunk and drop what is too old; return True, as more is welcome."""
        self._bytes = (self._bytes + chunk)[-self._limit :]
        return True

    @property
    def text(self) -> str:
        """The bytes as text; what is no UTF-8 is replaced."""
        return self._bytes.decode("utf-8", "replace")


def limit_file_size(pid: int, most: int | None) -> None:
    """Have a process write no file of more than `most` bytes; only Linux can set that for a process that runs."""
    if most is None or sys.platform != "linux":
        return
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


def run_process(program: str, argv: tuple[str, ...], environ: Mapping[str, str], timeout: float) -> Completed:
    """Run `program`, known as `argv`, without a shell and without input; every failure is a value."""
    deadline = time.monotonic() + timeout
    try:
        process = ManagedProcess(argv, program=program, environ=environ, stdout=PIPE, stderr=PIPE)
    except ForeignEnvironment as error:
        return Completed(argv=argv, failure="foreign", detail=error.strerror or "")
    except (OSError, ValueError) as error:
        return Completed(argv=argv, failure="denied", detail=getattr(error, "strerror", "") or str(error))
    out, err = _Head(process), _Head(process)
    with process:
        # The end of the output is waited for, as polling for the end of the process would be slower.
        for thread in (read_chunks(process.stdout, out.add), read_chunks(process.stderr, err.add)):
            thread.join(max(0.0, deadline - time.monotonic()))
        ended = process.wait(max(0.01, deadline - time.monotonic()))
    failure: Failure | None = None
    detail = ""
    if out.full or err.full:
        failure, detail = "too-long", str(OUTPUT_LIMIT_BYTES)
    elif not ended:
        failure, detail = "time-limit", f"{timeout:g}"
    elif process.status:
        failure = "status"
    return Completed(
        argv=argv, status=process.status, stdout=out.text, stderr=err.text, failure=failure, detail=detail
    )


class _Head:
    """Keeps the first mebibyte of a process's output, and kills a process that prints more."""

    def __init__(self, process: ManagedProcess) -> None:
        self.full = False
        self._bytes = bytearray()
        self._process = process

    def add(self, chunk: bytes) -> bool:
        self._bytes += chunk[: OUTPUT_LIMIT_BYTES + 1 - len(self._bytes)]
        self.full = len(self._bytes) > OUTPUT_LIMIT_BYTES
        if self.full:
            self._process.kill_group()
        return not self.full

    @property
    def text(self) -> str:
        return bytes(self._bytes).decode("utf-8", "replace")


def read_chunks(pipe: IO[bytes], on_chunk: Callable[[bytes], bool]) -> threading.Thread:
    """Start a thread that gives `on_chunk` what comes through the pipe until that returns False or the pipe ends."""

    def read() -> None:
        with pipe:
            while (chunk := os.read(pipe.fileno(), _CHUNK_BYTES)) and on_chunk(chunk):
                pass

    return start_thread(read)


def read_lines(
    pipe: IO[bytes], on_line: Callable[[bytes], object], on_end: Callable[[], object] = lambda: None
) -> threading.Thread:
    """Start a thread that gives `on_line` each line of the pipe, cut at 64 KiB, and calls `on_end` after the last."""

    def read() -> None:
        with pipe:
            while line := pipe.readline(_CHUNK_BYTES):
                on_line(line)
        on_end()

    return start_thread(read)


def kill_group(pid: int) -> None:
    """Kill a process and everything that it started: its process group, or on Windows the tree of its children."""
    if sys.platform == "win32":
        _kill_windows_tree(pid)
    else:
        _signal_group(pid, signal.SIGKILL)


def _signal_group(pid: int, number: signal.Signals) -> None:
    # The leader may have ended while its children still run in its group.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _kill_windows_tree(pid: int) -> None:
    """https://learn.microsoft.com/windows-server/administration/windows-commands/taskkill."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            # By its path: Windows looks for a mere name in the current folder first.
            [
                Path(os.environ.get("SYSTEMROOT", _WINDOWS), "System32", "taskkill.exe"),
                "/F",
                "/T",
                "/PID",
                str(pid),
            ],
            check=False,
            capture_output=True,
            timeout=_TASKKILL_SECONDS,
        )


def _windows_flags() -> int:
    """No console window, and no Ctrl-C from ours; 0 on other systems, which have no such flags."""
    names = ("CREATE_NO_WINDOW", "CREATE_NEW_PROCESS_GROUP")
    return sum(getattr(subprocess, name, 0) for name in names)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("this stream is no pipe")
    return pipe
