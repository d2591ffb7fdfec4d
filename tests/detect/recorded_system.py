"""A world made of texts: files and the answers of commands, for probes to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.system import Completed
from torchdoctor.core.system.model import PROBE_SECONDS, Access, Space
from torchdoctor.detect import PythonInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class RecordedSystem:
    """Commands are looked up by how their line begins, the longest first; what is not there is missing.

    A program that has an answer to one line has none to others: it fails and says nothing.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, Completed] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    spaces: Mapping[str, Space] = field(default_factory=dict)
    installed: Space | None = None

    def run(self, argv: Sequence[str], *, timeout: float = PROBE_SECONDS) -> Completed:
        line = "nvml" if any("_nvml_script" in part for part in argv) else " ".join(argv)
        for start in sorted(self.commands, key=len, reverse=True):
            if line.startswith(start):
                return self.commands[start]
        if any(start.split(" ")[0] == line.split(" ")[0] for start in self.commands):
            return Completed(argv=tuple(argv), failure="status", status=1)
        return Completed(argv=tuple(argv), failure="missing")

    def read_text(self, path: str, *, limit: int = 1 << 16) -> str | None:
        text = None if path in self.denied else self.files.get(path)
        return None if text is None else text[:limit]

    def glob(self, pattern: str) -> tuple[str, ...]:
        depth = pattern.count("/")
        paths = {"/".join(path.split("/")[: depth + 1]) for path in self.files}
        return tuple(
            sorted(path for path in paths if fnmatchcase(path, pattern) and path.count("/") == depth)
        )

    def exists(self, path: str) -> bool:
        return any(name == path or name.startswith(f"{path}/") for name in self.files)

    def access(self, path: str) -> Access:
        if not self.exists(path):
            return "missing"
        return "denied" if path in self.denied else "read-write"

    def memory(self) -> Space | None:
        return self.installed

    def space(self, path: str) -> Space | None:
        return self.spaces.get(path)


def said(stdout: str, *, status: int = 0, stderr: str = "") -> Completed:
    """What a command printed."""
    failure = "status" if status else None
    return Completed(argv=("it",), status=status, stdout=stdout, stderr=stderr, failure=failure)


def paper_python(**changes: object) -> PythonInfo:
    """A CPython 3.12 on Linux x86_64 with glibc 2.35, but for `changes`."""
    facts: dict[str, object] = {
        "executable": Path("/usr/bin/python3"), "version": "3.12.4", "implementation": "cpython",
        "free_threaded": False, "bits": 64, "sys_platform": "linux", "platform": "linux-x86_64",
        "machine": "x86_64", "prefix": Path("/usr"), "base_prefix": Path("/usr"), "libc": "glibc 2.35",
        "site_packages": (Path("/usr/lib/python3/dist-packages"),), "host": "x86_64-pc-linux-gnu",
    }  # fmt: skip
    return PythonInfo(**{**facts, **changes})  # type: ignore[arg-type]
