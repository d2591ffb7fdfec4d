"""The one place that runs uv: found, given a clean environment, watched, and stopped at a limit."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import InstallFailed

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["UvResult", "UvStopped", "run_uv", "uv_environ"]

_TAIL = 64 * 1024
_TICK = 10.0
_LOOK = 0.2

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
    """A run was stopped because it was not wanted any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UvResult:
    """How a run of uv ended; `stderr` is its last 64 KiB."""

    status: int
    stderr: str

    @property
    def cause(self) -> str:
        """Uv's own explanation on few lines, without its marks."""
        lines = [
            line.strip().lstrip("\u00d7\u2570\u2500\u25b6\u2502\u251c\u252c ").strip()
            for line in self.stderr.splitlines()
        ]
        said = " ".join(line for line in lines if line and not line.startswith(("hint:", "warning:")))
        return said.removeprefix("error: ").replace(" cause: ", ": ")[:800]


def uv_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that uv gets: the caller's, less settings of its own, with pip's certificate choice.

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

    Raises `InstallFailed` when uv is not there or runs longer than `limit` seconds, and `UvStopped` soon after another
    thread has set `stopped`. On an interrupt uv is stopped before the interrupt goes on.
    """
    from uv import find_uv_bin

    try:
        program = find_uv_bin()
    except FileNotFoundError:
        program = shutil.which("uv", path=environ.get("PATH")) or ""
    if not program:
        raise InstallFailed(
            message("uv is not installed"),
            fix=message("reinstall torchdoctor: it brings uv along"),
            code="no-uv",
        )
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [program, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=uv_environ(environ),
            cwd=folder,
        )
        try:
            _wait(process, limit, on_wait, stopped)
        except BaseException:
            _stop(process)
            raise
        errors.seek(max(0, os.fstat(errors.fileno()).st_size - _TAIL))
        return UvResult(status=process.returncode, stderr=errors.read().decode("utf-8", "replace"))


def _wait(
    process: subprocess.Popen[bytes],
    limit: float,
    on_wait: Callable[[float], None] | None,
    stopped: threading.Event | None,
) -> None:
    started = time.monotonic()
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
        try:
            process.wait(min(_TICK if stopped is None else _LOOK, limit - passed))
        except subprocess.TimeoutExpired:
            if on_wait is not None:
                on_wait(time.monotonic() - started)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGINT)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
