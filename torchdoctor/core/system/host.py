"""The computer that torchdoctor runs on: the one place where detection starts commands and reads files."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.system.model import FILE_LIMIT_BYTES, PROBE_SECONDS, Completed, Space
from torchdoctor.core.system.process import run_process
from torchdoctor.core.system.programs import look_for_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.core.system.model import Access, System

__all__ = ["DeadlineSystem", "HostSystem", "host_system"]

_GLOB_LIMIT_COUNT = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class HostSystem:
    """This computer. Absolute paths of files are looked up under `root`; commands are not."""

    environ: Mapping[str, str]
    root: Path = field(default=Path("/"))

    def run(self, argv: Sequence[str], *, timeout: float = PROBE_SECONDS) -> Completed:
        """Run a command in its own process group, with messages in English, and stop it at the limit."""
        command = tuple(map(str, argv))
        environ = {**self.environ, "LC_ALL": "C", "LANGUAGE": "C"}
        program, skipped = look_for_program(command[0], environ)
        if program is None and skipped:
            return Completed(argv=command, failure="foreign", detail=skipped)
        if program is None:
            denied = Path(command[0]).is_absolute() and Path(command[0]).exists()
            detail = "it is not an executable file"
            return Completed(argv=command, failure="denied" if denied else "missing", detail=detail)
        return run_process(program, command, environ, timeout)

    def read_text(self, path: str, *, limit: int = FILE_LIMIT_BYTES) -> str | None:
        """The first `limit` bytes of a regular file, decoded."""
        try:
            target = self._under_root(path)
            with open_regular(target) as file:
                return file.read(limit).decode("utf-8", "replace")
        except (OSError, ValueError):
            return None

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Paths that match, as they would be without `root`."""
        root = str(self.root).rstrip("/\\")
        matches = sorted(glob.glob(glob.escape(root) + pattern))  # noqa: PTH207 (a pattern with its root)
        return tuple(match[len(root) :] for match in matches[:_GLOB_LIMIT_COUNT])

    def exists(self, path: str) -> bool:
        """Whether a file or folder exists that we may look at."""
        try:
            return self._under_root(path).exists()
        except (OSError, ValueError):
            return False

    def access(self, path: str) -> Access:
        """By the rights of this process, without opening the file."""
        try:
            target = self._under_root(path)
            if not target.exists():
                return "missing"
            if not os.access(target, os.R_OK):
                return "denied"
            return "read-write" if os.access(target, os.W_OK) else "read"
        except (OSError, ValueError):
            return "denied"

    def memory(self) -> Space | None:
        """By GlobalMemoryStatusEx."""
        if sys.platform != "win32":
            return None
        from torchdoctor.core.system.windows_memory import windows_memory

        return windows_memory()

    def space(self, path: str) -> Space | None:
        """The size and free space that statvfs, or Windows, reports."""
        try:
            target = self._under_root(path)
            while not target.exists() and target != target.parent:
                target = target.parent
            usage = shutil.disk_usage(target)
        except (OSError, ValueError):
            return None
        return Space(total_mib=usage.total >> 20, free_mib=usage.free >> 20)

    def _under_root(self, path: str) -> Path:
        return self.root / path.lstrip("/") if self.root != Path("/") else Path(path)


def host_system(environ: Mapping[str, str]) -> HostSystem:
    """This computer, with the environment variables that the caller gives."""
    return HostSystem(environ=environ)


class DeadlineSystem:
    """A system whose commands have `seconds` together, counted from now."""

    def __init__(self, system: System, seconds: float) -> None:
        self._system = system
        self._end = time.monotonic() + seconds
        self.environ = system.environ
        self.read_text = system.read_text
        self.glob = system.glob
        self.exists = system.exists
        self.access = system.access
        self.memory = system.memory
        self.space = system.space

    def run(self, argv: Sequence[str], *, timeout: float = PROBE_SECONDS) -> Completed:
        """Run a command for the time that is left; a command without time is not started."""
        remaining = self._end - time.monotonic()
        if remaining <= 0:
            return Completed(argv=tuple(argv), failure="time-limit", detail="0")
        return self._system.run(argv, timeout=min(timeout, remaining))
