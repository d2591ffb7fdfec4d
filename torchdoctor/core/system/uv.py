"""The one place that runs uv: finds it, clears the environment variables it would obey, and stops it at a limit."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs import locks_to_inherit
from torchdoctor.core.i18n import message
from torchdoctor.core.net.named_files import refuse_special_files
from torchdoctor.core.system.process import PIPE, ManagedProcess, limit_file_size, read_lines, run_process
from torchdoctor.core.system.process_memory import resident_bytes
from torchdoctor.core.system.programs import find_program
from torchdoctor.core.system.uv_log import LOG_FILTER, UvLog
from torchdoctor.errors import InstallFailed, SourceFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["UvResult", "UvStopped", "WholeFilesAsked", "run_uv", "uv_environ", "uv_failed", "uv_log_of"]

# A server that answers nothing is given up within a minute: so many seconds, tried again twice.
_READ_SECONDS = "15"
_RETRIES = "2"
_TIMEOUTS = (
    "UV_HTTP_TIMEOUT",
    "UV_REQUEST_TIMEOUT",
    "HTTP_TIMEOUT",
)  # as uv reads them, the first that is set
# uv 0.13.9 takes 160 MiB to solve vllm, transformers, ray, langchain and apache-airflow together.
MAX_MEMORY_BYTES = 1 << 30
_MEMORY_INTERVAL_SECONDS = 1.0
_REPORT_INTERVAL_SECONDS = 10.0
_POLL_SECONDS = 0.2
_STOP_SECONDS = 5.0
# Two threads that read sysconfig for the first time at once can find half of it (Python 3.11).
_FINDING = threading.Lock()

# Settings that would change which packages uv takes or where it puts them. We hand it an explicit plan.
_CLEARED = (
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX",
    "UV_TORCH_BACKEND", "UV_INDEX_STRATEGY", "UV_PRERELEASE", "UV_RESOLUTION", "UV_CONSTRAINT", "UV_OVERRIDE",
    "UV_EXCLUDE", "UV_EXCLUDE_NEWER", "UV_REQUIRE_HASHES", "UV_NO_VERIFY_HASHES", "UV_NO_BINARY", "UV_NO_BUILD",
    "UV_CONFIG_FILE", "UV_NO_CONFIG", "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT", "UV_WORKING_DIRECTORY",
    "UV_WORKING_DIR", "UV_FORK_STRATEGY", "UV_BUILD_CONSTRAINT", "UV_MANAGED_PYTHON", "UV_NO_MANAGED_PYTHON",
    "UV_PYTHON_PREFERENCE", "UV_BREAK_SYSTEM_PACKAGES",
    "UV_PROJECT_ENVIRONMENT", "UV_VENV_CLEAR", "UV_VENV_SEED", "UV_OFFLINE", "UV_COMPILE_BYTECODE",
    "UV_NO_SOURCES", "UV_REINSTALL", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONHOME", "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip


class UvStopped(Exception):
    """A run of uv was stopped because its result is not needed any more."""


class WholeFilesAsked(Exception):
    """uv was stopped as it began to read wheels that it would unpack unseen; `urls` are theirs, without passwords."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        super().__init__(", ".join(urls))
        self.urls = urls


@dataclass(frozen=True, kw_only=True, slots=True)
class UvResult:
    """How a run of uv ended."""

    status: int  # exit status, negative for a signal
    stderr: str  # its last 64 KiB

    @property
    def cause(self) -> str:
        """The explanation that uv prints, on one line of at most 800 characters, without its drawing characters."""
        lines = [
            line.strip().lstrip("\u00d7\u2570\u2500\u25b6\u2502\u251c\u252c ").strip()
            for line in self.stderr.splitlines()
        ]
        text = " ".join(line for line in lines if line and not line.startswith(("hint:", "warning:")))
        return text.removeprefix("error: ").replace(" cause: ", ": ")[:800]


def uv_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that uv gets: the caller's without those that configure uv, with pip's certificates.

    uv reads neither `PIP_CERT` nor `REQUESTS_CA_BUNDLE`: https://docs.astral.sh/uv/concepts/authentication/certificates/
    """
    clean = {key: value for key, value in environ.items() if key not in _CLEARED}
    certificates = environ.get("REQUESTS_CA_BUNDLE") or environ.get("PIP_CERT")
    if certificates and "SSL_CERT_FILE" not in clean:
        clean["SSL_CERT_FILE"] = certificates
    clean.setdefault("UV_SYSTEM_CERTS", "1")
    clean["UV_PYTHON_DOWNLOADS"] = "never"
    clean["NO_COLOR"] = "1"
    if not any(clean.get(name) for name in _TIMEOUTS):
        clean["UV_HTTP_TIMEOUT"] = _READ_SECONDS
    clean.setdefault("UV_HTTP_RETRIES", _RETRIES)
    clean["RUST_LOG"] = LOG_FILTER
    return clean


def run_uv(
    arguments: Sequence[str | Path],
    *,
    environ: Mapping[str, str],
    folder: Path,
    limit: float,
    silence: float | None = None,
    on_wait: Callable[[float, str], None] | None = None,
    stopped: threading.Event | None = None,
    whole_files: bool = True,
    max_file_bytes: int | None = None,
) -> UvResult:
    """Run `uv ARGUMENTS` in `folder`; `on_wait(seconds, what)` is called every 10 s with what it asked a server for.

    No file that it writes may have more than `max_file_bytes`, where the system can hold it to that (Linux).

    Raises `WholeFilesAsked` at once when it begins to read a wheel as a whole, without `whole_files`.
    Raises `UsageError` where a variable names a pipe or a device for uv to read, and
    `InstallFailed` when uv is not installed or runs longer than `limit` seconds, `SourceFailed` when a server
    has it wait longer than `silence` seconds or grow without end, and `UvStopped` soon after another thread has set
    `stopped`. On an interrupt uv is stopped before the interrupt goes on.
    """
    argv = [_find_uv(environ), *map(str, arguments)]
    clean = uv_environ(environ)
    refuse_special_files(clean)
    process = ManagedProcess(argv, environ=clean, cwd=folder, stderr=PIPE, pass_fds=locks_to_inherit())
    log = UvLog(on_whole_file=None if whole_files else process.kill_group)
    limit_file_size(process.pid, max_file_bytes)
    reader = read_lines(process.stderr, log.add)
    bounds = _Bounds(process.pid, log, limit, _allowed_silence(silence, environ))
    with process:
        try:
            _wait(process, reader, bounds, on_wait, stopped)
        except BaseException:
            # Gently, so that it removes its temporary files and lets its locks go.
            process.stop(_STOP_SECONDS)
            raise
    reader.join(_STOP_SECONDS)
    if log.whole_files:
        raise WholeFilesAsked(log.whole_files)
    return UvResult(status=process.status or 0, stderr=log.text)


def uv_log_of(arguments: Sequence[str | Path], *, environ: Mapping[str, str], limit: float) -> str:
    """Return what `uv ARGUMENTS` logs of the servers that it asks; its exit status is not looked at.

    Raises `InstallFailed` when uv is not installed, cannot be started, or runs longer than `limit` seconds.
    """
    program = _find_uv(environ)
    done = run_process(program, (program, *map(str, arguments)), uv_environ(environ), limit)
    if done.failure not in (None, "status"):
        raise uv_failed(done.detail)
    return done.stderr


def uv_failed(why: str) -> InstallFailed:
    """The error for a run of uv that tells nothing of what it was asked."""
    return InstallFailed(
        message("uv did not answer: {why}", why=why),
        fix=message("run the command without --compare-uv"),
        code="uv-failed",
    )


def _allowed_silence(silence: float | None, environ: Mapping[str, str]) -> float | None:
    """Return the silence that is allowed: whoever lets uv wait longer for a server means it."""
    if silence is None:
        return None
    set_to = next((environ[name] for name in _TIMEOUTS if environ.get(name)), "")
    return max(silence, int(set_to) + _REPORT_INTERVAL_SECONDS) if set_to.isdecimal() else silence


def _find_uv(environ: Mapping[str, str]) -> str:
    from uv import find_uv_bin

    try:
        with _FINDING:
            program = find_uv_bin()
    except FileNotFoundError:
        program = find_program("uv", environ) or ""
    if not program:
        raise InstallFailed(
            message("uv is not installed"),
            fix=message("reinstall torchdoctor: it brings uv along"),
            code="no-uv",
        )
    return program


@dataclass(kw_only=False, slots=True)
class _Bounds:
    """What a run of uv must not exceed."""

    pid: int
    log: UvLog
    limit: float  # seconds
    silence: float | None  # seconds without a sign of work
    _looked: float = 0.0

    def check(self, passed: float) -> None:
        """Raise where a bound is exceeded, `passed` seconds after the start."""
        if passed >= self.limit:
            raise InstallFailed(
                message("uv did not finish within {limit:.0f} s and was stopped", limit=self.limit),
                fix=message("run the command again; what was downloaded is kept"),
                code="time-limit",
            )
        if self.silence is not None and not self.log.reads_file and self.log.silent_seconds >= self.silence:
            raise SourceFailed(
                message(
                    "an index did not answer completely within {seconds:.0f} s; asked for last: {url}",
                    url=self.log.asked or "-",
                    seconds=self.silence,
                ),
                fix=message("try again later, or name another source with --index-url or --mirror"),
                code="stalled",
            )
        if passed - self._looked >= _MEMORY_INTERVAL_SECONDS:
            self._looked = passed
            if (resident_bytes(self.pid) or 0) > MAX_MEMORY_BYTES:
                raise SourceFailed(
                    message(
                        "an index sends more than a page can have: uv held more than {size} MiB and was stopped; "
                        "asked for last: {url}",
                        url=self.log.asked or "-",
                        size=MAX_MEMORY_BYTES >> 20,
                    ),
                    fix=message("name another source with --index-url or --mirror"),
                    code="too-large",
                )


def _wait(
    process: ManagedProcess,
    reader: threading.Thread,
    bounds: _Bounds,
    on_wait: Callable[[float, str], None] | None,
    stopped: threading.Event | None,
) -> None:
    started = told = time.monotonic()
    while True:
        passed = time.monotonic() - started
        if stopped is not None and stopped.is_set():
            raise UvStopped
        bounds.check(passed)
        pause = min(_POLL_SECONDS, max(0.0, bounds.limit - passed))
        # The end of its output is seen at once; its own end only by asking again and again.
        reader.join(pause)
        if process.status is not None if reader.is_alive() else process.wait(pause):
            return
        if on_wait is not None and time.monotonic() - told >= _REPORT_INTERVAL_SECONDS:
            told = time.monotonic()
            on_wait(told - started, bounds.log.asked)
