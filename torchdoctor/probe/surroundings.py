"""What of this process's surroundings is behind an error: limits, mounts, rights, full disks, security modules.

An import or a check that fails says "failed to map segment from shared object" or "can't start new thread" and not why.
The sentences here are English and fixed: they are evidence, and the failures that `diagnose` knows are found by them.
"""

# the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from .control_groups import most_processes
from .mounts import is_writable, mount_of, room_left
from .text_file import read_text

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

__all__ = ["behind"]

_BEGINNING = "limit here: "
_MAPPING = re.compile(
    r"failed to map segment|cannot allocate memory|can't allocate memory|bad_alloc|errno 12\b|memoryerror"
    r"|mmap of [^\n]{1,80} failed|cannot create shared object descriptor",
    re.IGNORECASE,
)
_THREADS = re.compile(
    r"can't start new thread|thread creation failed|pthread_create|resource temporarily unavailable|errno 11\b",
    re.IGNORECASE,
)
_FILES = re.compile(r"too many open files|errno 24\b", re.IGNORECASE)
_SPACE = re.compile(r"no space left on device|errno 28\b|disk quota exceeded|errno 122\b", re.IGNORECASE)
_READ_ONLY = re.compile(r"read-only file system|errno 30\b", re.IGNORECASE)
_DENIED = re.compile(r"permission denied|errno 13\b", re.IGNORECASE)
_NOT_PERMITTED = re.compile(
    r"operation not permitted|function not implemented|errno (?:1|38)\b", re.IGNORECASE
)
_NO_TEMPORARY = re.compile(r"no usable temporary directory found in \[([^\]\n]{0,400})\]", re.IGNORECASE)
_PATH = re.compile(r"(/[^\s:'\"<>]{1,300})")
_MAX_PATHS = 8
_MIB = 1024 * 1024


def behind(error: BaseException, root: Path = Path("/")) -> tuple[str, ...]:
    """Return a sentence for each limit that the error can come from; most errors have none. Never raises."""
    try:
        lines = _lines(f"{type(error).__name__}: {error}", _paths(error), root)
    except Exception:  # noqa: BLE001  # the error itself matters more than what is behind it
        return ()
    return tuple(_BEGINNING + line for line in dict.fromkeys(lines))


def _lines(text: str, paths: list[str], root: Path) -> list[str]:
    lines: list[str] = []
    if _MAPPING.search(text):
        lines += _limit("RLIMIT_AS", "address space {value} MiB (ulimit -v)", _MIB)
        lines += _limit("RLIMIT_DATA", "data {value} MiB (ulimit -d)", _MIB)
    if "map segment" in text:
        lines += _of_mapping(paths, root)
    if _THREADS.search(text):
        lines += _of_threads(root)
    if _FILES.search(text):
        lines += _limit("RLIMIT_NOFILE", "open files {value} (ulimit -n)")
    if _SPACE.search(text):
        lines += [room for path in paths[:2] if (room := room_left(path)) is not None]
    if _READ_ONLY.search(text):
        lines += [f"{mount_of(path, root).place} is mounted read-only" for path in paths[:1]]
    if _DENIED.search(text):
        denied = [f"user {_user()} may not write {path}" for path in paths[:1] if not is_writable(path)]
        lines += denied or _security_module(root)
    missing = _NO_TEMPORARY.search(text)
    if missing is not None:
        lines += _of_temporary(missing.group(1), root)
    if _NOT_PERMITTED.search(text):
        lines += _seccomp(root)
    return lines


def _paths(error: BaseException) -> list[str]:
    """The files that the error names, its own first."""
    named = [getattr(error, "filename", None), getattr(error, "filename2", None)]
    found = [os.fsdecode(path) for path in named if isinstance(path, (str, bytes))]
    found += _PATH.findall(str(error))
    return list(dict.fromkeys(found))[:_MAX_PATHS]


def _of_temporary(tried: str, root: Path) -> list[str]:
    """Why each folder that was tried cannot be written; tempfile itself says the same whatever it is."""
    lines = []
    for path in re.findall(r"'([^']{1,300})'", tried)[:_MAX_PATHS]:
        mount, room = mount_of(path, root), room_left(path)
        if "ro" in mount.options:
            lines.append(f"{mount.place} is mounted read-only")
        elif not is_writable(path):
            lines.append(f"user {_user()} may not write {path}")
        elif room is not None and room.endswith((" has 0 MiB free", " no free inodes")):
            lines.append(room)
    return lines or [f"no folder for temporary files can be written: {tried}"]


def _of_mapping(paths: list[str], root: Path) -> list[str]:
    """By the file, or by torch's folder where a library is named by its name alone."""
    folders = [str(Path(folder, "torch")) for folder in sys.path if Path(folder, "torch").is_dir()]
    mounts = [mount_of(path, root) for path in paths or folders]
    return [
        f"{mount.place} is mounted noexec" for mount in mounts if "noexec" in mount.options
    ] or _security_module(root)


def _of_threads(root: Path) -> list[str]:
    """The limit of the user, which does not count for root, of the control group, and of the room for a stack."""
    lines = [] if _user() == 0 else _limit("RLIMIT_NPROC", "processes and threads {value} (ulimit -u)")
    most = most_processes(root)
    if most is not None:
        lines.append(f"processes and threads {most} (pids.max of the control group)")
    lines += _limit("RLIMIT_AS", "address space {value} MiB (ulimit -v)", _MIB)
    return lines or _seccomp(root)


def _security_module(root: Path) -> list[str]:
    """SELinux where it enforces, AppArmor's profile of this process; nothing where neither confines it."""
    context = read_text(root / "proc/self/attr/current").strip("\x00\n ")
    if read_text(root / "sys/fs/selinux/enforce").strip() == "1":
        return [f"SELinux enforces (context {context or 'unknown'})"]
    return [f"AppArmor profile {context}"] if context.endswith("(enforce)") else []


def _seccomp(root: Path) -> list[str]:
    found = re.search(r"^Seccomp:\s*([12])$", read_text(root / "proc/self/status"), re.MULTILINE)
    return [f"seccomp filters system calls (mode {found.group(1)})"] if found else []


def _limit(name: str, text: str, unit: int = 1) -> list[str]:
    number = getattr(resource, name, None)
    if number is None:
        return []
    soft = resource.getrlimit(number)[0]
    return [] if soft in (resource.RLIM_INFINITY, -1) else [text.format(value=soft // unit)]


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else -1
