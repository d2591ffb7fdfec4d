"""The one place where detection touches the world: processes, files and the environment."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from torchdoctor.core.system.process import OUTPUT_LIMIT, Completed, run_process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "OUTPUT_LIMIT",
    "PROBE_SECONDS",
    "Access",
    "Completed",
    "DeadlineSystem",
    "HostSystem",
    "Space",
    "System",
    "host_system",
]

# A command's share of the five seconds that a probe may take: the rest is for ending it.
PROBE_SECONDS = 4.5
_FILE_LIMIT = 1 << 16
_GLOB_LIMIT = 4096

Access = Literal["missing", "denied", "read", "read-write"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """A file system's size and what of it this user may still write, in MiB."""

    total_mib: int
    free_mib: int


class System(Protocol):
    """What detection may ask of the computer; tests give another one."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables."""

    def run(self, argv: Sequence[str], *, timeout: float = PROBE_SECONDS) -> Completed:
        """Run a command without a shell and without input; never raises."""

    def read_text(self, path: str, *, limit: int = _FILE_LIMIT) -> str | None:
        """The first `limit` bytes of a file; None when it cannot be read."""

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Paths that match, sorted; at most 4,096 of them."""

    def exists(self, path: str) -> bool:
        """Whether something is at `path`."""

    def access(self, path: str) -> Access:
        """What this user may do with the file at `path`."""

    def memory(self) -> Space | None:
        """Windows' count of the memory, and what of it is available; None elsewhere, where files tell."""

    def space(self, path: str) -> Space | None:
        """The file system of `path`, or of the nearest folder above it that is there; None when nobody says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostSystem:
    """This computer. Absolute paths of files are looked up under `root`; commands are not."""

    environ: Mapping[str, str]
    root: Path = field(default=Path("/"))

    def run(self, argv: Sequence[str], *, timeout: float = PROBE_SECONDS) -> Completed:
        """Run a command in its own process group, with messages in English, and stop it at the limit."""
        command = tuple(map(str, argv))
        environ = {**self.environ, "LC_ALL": "C", "LANGUAGE": "C"}
        program = shutil.which(command[0], path=environ.get("PATH", os.defpath))
        if program is None:
            denied = Path(command[0]).is_absolute() and Path(command[0]).exists()
            detail = "it is not an executable file"
            return Completed(argv=command, failure="denied" if denied else "missing", detail=detail)
        return run_process(program, command, environ, timeout)

    def read_text(self, path: str, *, limit: int = _FILE_LIMIT) -> str | None:
        """The first `limit` bytes of a regular file, decoded."""
        try:
            place = self._place(path)
            if not place.is_file():
                return None
            with place.open("rb") as file:
                return file.read(limit).decode("utf-8", "replace")
        except (OSError, ValueError):
            return None

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Paths that match, as they would be without `root`."""
        root = str(self.root).rstrip("/\\")
        matches = sorted(glob.glob(glob.escape(root) + pattern))  # noqa: PTH207 (a pattern with its root)
        return tuple(match[len(root) :] for match in matches[:_GLOB_LIMIT])

    def exists(self, path: str) -> bool:
        """Whether something is there that we may look at."""
        try:
            return self._place(path).exists()
        except (OSError, ValueError):
            return False

    def access(self, path: str) -> Access:
        """By the rights of this process, without opening the file."""
        try:
            place = self._place(path)
            if not place.exists():
                return "missing"
            if not os.access(place, os.R_OK):
                return "denied"
            return "read-write" if os.access(place, os.W_OK) else "read"
        except (OSError, ValueError):
            return "denied"

    def memory(self) -> Space | None:
        """By GlobalMemoryStatusEx."""
        if sys.platform != "win32":
            return None
        from torchdoctor.core.system.windows_memory import windows_memory

        return windows_memory()

    def space(self, path: str) -> Space | None:
        """What statvfs, or Windows, says."""
        try:
            place = self._place(path)
            while not place.exists() and place != place.parent:
                place = place.parent
            usage = shutil.disk_usage(place)
        except (OSError, ValueError):
            return None
        return Space(total_mib=usage.total >> 20, free_mib=usage.free >> 20)

    def _place(self, path: str) -> Path:
        return self.root / path.lstrip("/") if self.root != Path("/") else Path(path)


def host_system(environ: Mapping[str, str]) -> HostSystem:
    """This computer, with the environment variables that the caller gives."""
    return HostSystem(environ=environ)


class DeadlineSystem:
    """A world whose commands together end before `seconds` from now are over."""

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
        """Run a command for as long as is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            return Completed(argv=tuple(argv), failure="time-limit", detail="0")
        return self._system.run(argv, timeout=min(timeout, left))
