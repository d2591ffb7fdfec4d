"""What the stages may ask of the computer, and the values it answers with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["FILE_LIMIT_BYTES", "PROBE_SECONDS", "Access", "Completed", "Failure", "Space", "System"]

# A command's share of the five seconds that a probe may take: the rest is for ending it.
PROBE_SECONDS = 4.5
FILE_LIMIT_BYTES = 1 << 16

Access = Literal["missing", "denied", "read", "read-write"]
Failure = Literal["missing", "denied", "foreign", "status", "time-limit", "too-long"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """How a command ended and what it printed."""

    argv: tuple[str, ...]
    status: int | None = None  # exit status, negative for a signal; None where it did not start or end
    stdout: str = ""
    stderr: str = ""
    failure: Failure | None = None  # None where it ended with status 0
    detail: str = ""  # the limit that was passed, or why the command cannot be run

    @property
    def ok(self) -> bool:
        """Whether it ended with status 0."""
        return self.failure is None

    @property
    def cause(self) -> str:
        """Why it failed, in a few words, with the last line of its error output where there is one; else empty."""
        name = Path(self.argv[0]).name
        causes = {
            "missing": message("{name} is not there", name=name),
            "denied": message("{name} cannot be run: {detail}", name=name, detail=self.detail),
            "foreign": message("{name} is not run: {detail}", name=name, detail=self.detail),
            "status": message(
                "{name} failed with status {status}{more}",
                name=name,
                status=self.status,
                more=f": {self._last_words}" if self._last_words else "",
            ),
            "time-limit": message("{name} did not answer within {detail} s", name=name, detail=self.detail),
            "too-long": message("{name} printed more than {detail} bytes", name=name, detail=self.detail),
        }
        return causes[self.failure] if self.failure else ""

    @property
    def _last_words(self) -> str:
        errors = (line.strip() for line in reversed(self.stderr.splitlines()) if line.strip())
        output = (line.strip() for line in self.stdout.splitlines() if line.strip())
        return sanitize_line(next(errors, "") or next(output, ""))


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """A memory or file system: its size, and how much of it this user may still use."""

    total_mib: int
    free_mib: int


class System(Protocol):
    """What detection may ask of the computer; tests give another one."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables."""

    def run(self, argv: Sequence[str], *, timeout: float = PROBE_SECONDS) -> Completed:
        """Run a command without a shell and without input, for at most `timeout` seconds; never raises."""

    def read_text(self, path: str, *, limit: int = FILE_LIMIT_BYTES) -> str | None:
        """The first `limit` bytes of a file, decoded; None when it cannot be read."""

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Paths that match, sorted; at most 4,096 of them."""

    def exists(self, path: str) -> bool:
        """Whether a file or folder exists at `path`."""

    def access(self, path: str) -> Access:
        """What this user may do with the file at `path`."""

    def memory(self) -> Space | None:
        """The memory as Windows reports it; None on other systems, where files report it."""

    def space(self, path: str) -> Space | None:
        """The file system of `path`, or of its nearest existing parent folder; None when it cannot be known."""
