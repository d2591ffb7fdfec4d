"""The one place that runs uv: finds it, clears the environment variables it would obey, and stops it at a limit."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.system.process import PIPE, ManagedProcess, Tail, read_chunks
from torchdoctor.errors import InstallFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["UvResult", "UvStopped", "run_uv", "uv_environ"]

_STDERR_BYTES = 64 * 1024
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
    return clean


def run_uv(
    arguments: Sequence[str | Path],
    *,
    environ: Mapping[str, str],
    folder: Path,
    limit: float,
    on_wait: Callable[[float], None] | None = None,
    stopped: threading.Event | None = None,
) -> UvResult:
    """Run `uv ARGUMENTS` in `folder`; `on_wait(seconds)` is called every 10 s while it works.

    Raises `InstallFailed` when uv is not installed or runs longer than `limit` seconds, and `UvStopped` soon after
    another thread has set `stopped`. On an interrupt uv is stopped before the interrupt goes on.
    """
    argv = [_find_uv(environ), *map(str, arguments)]
    process = ManagedProcess(argv, environ=uv_environ(environ), cwd=folder, stderr=PIPE)
    stderr = Tail(_STDERR_BYTES)
    reader = read_chunks(process.stderr, stderr.add)
    with process:
        try:
            _wait(process, reader, limit, on_wait, stopped)
        except BaseException:
            # Gently, so that it removes its temporary files and lets its locks go.
            process.stop(_STOP_SECONDS)
            raise
    reader.join(_STOP_SECONDS)
    return UvResult(status=process.status or 0, stderr=stderr.text)


def _find_uv(environ: Mapping[str, str]) -> str:
    from uv import find_uv_bin

    try:
        with _FINDING:
            program = find_uv_bin()
    except FileNotFoundError:
        program = shutil.which("uv", path=environ.get("PATH")) or ""
    if not program:
        raise InstallFailed(
            message("uv is not installed"),
            fix=message("reinstall torchdoctor: it brings uv along"),
            code="no-uv",
        )
    return program


def _wait(
    process: ManagedProcess,
    reader: threading.Thread,
    limit: float,
    on_wait: Callable[[float], None] | None,
    stopped: threading.Event | None,
) -> None:
    started = told = time.monotonic()
    while True:
        passed = time.monotonic() - started
        if stopped is not None and stopped.is_set():
            raise UvStopped
        if passed >= limit:
            raise InstallFailed(
                message("uv did not finish within {limit:.0f} s and was stopped", limit=limit),
                fix=message("run the command again; what was downloaded is kept"),
                code="time-limit",
            )
        pause = min(_POLL_SECONDS, limit - passed)
        # The end of its output is seen at once; its own end only by asking again and again.
        reader.join(pause)
        if process.status is not None if reader.is_alive() else process.wait(pause):
            return
        if on_wait is not None and time.monotonic() - told >= _REPORT_INTERVAL_SECONDS:
            told = time.monotonic()
            on_wait(told - started)
