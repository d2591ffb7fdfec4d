"""Whose a file is, with every folder above it: whether another user could put something else in its place."""

from __future__ import annotations

import os
import stat
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.access_list import Writers, listed_writers
from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["foreign_reason"]

_MAX_LINKS = 40  # as the kernel: https://man7.org/linux/man-pages/man7/path_resolution.7.html
_FIRST_USER_GROUP = 100  # below it are those that Debian gives statically: https://www.debian.org/doc/debian-policy/ch-opersys.html
_ADMINISTRATORS_OF_MACS = 80  # the group `admin`, whose members may do everything by sudo


def foreign_reason(paths: Iterable[Path]) -> str | None:
    """Return why another user than this one and the administrator could change what is at these paths; else None.

    Each folder above them counts, each link on the way, and what it leads to. In a folder like /tmp, whose files only
    their owners can rename, others may write. Windows, whose rights are no such bits, has no reasons.
    """
    if sys.platform == "win32":
        return None
    seen: set[Path] = set()
    whole: set[Path] = set()  # of which each step was seen
    for path in paths:
        absolute = Path(os.path.abspath(path))  # noqa: PTH100  (no link is followed here)
        is_last_step = absolute.parent in whole and not absolute.is_symlink()
        for step in (absolute,) if is_last_step else _steps(absolute):
            if step not in seen and (reason := _reason(step)) is not None:
                return reason
            seen.add(step)
        whole.add(absolute)
    return None


def _steps(path: Path) -> Iterator[Path]:
    """Yield every name that the system looks up for a path, from the root on, through each link."""
    todo = [path]
    for _ in range(_MAX_LINKS):
        if not todo:
            return
        path = todo.pop()
        for step in (*reversed(path.parents), path):
            yield step
            if step.is_symlink():
                target = step.parent / step.readlink()
                todo.append(Path(os.path.normpath(target / path.relative_to(step))))
                break


def _reason(path: Path) -> str | None:
    try:
        status = path.lstat()
    except OSError:
        return None  # what is not there cannot be run either
    if status.st_uid not in _trusted_owners():
        return message("{path} belongs to {user}", path=path, user=_user(status.st_uid))
    if stat.S_ISLNK(status.st_mode) or (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX):
        return None
    if status.st_mode & stat.S_IWOTH:
        return message("everybody can write to {path}", path=path)
    # With an access list, these bits are the most that anybody in it has.
    if status.st_mode & stat.S_IWGRP:
        writers = listed_writers(path) or Writers(own_group=True)
        groups = (*writers.groups, *([status.st_gid] if writers.own_group else ()))
        if not all(_is_private_group(group) for group in groups):
            return message("its group can write to {path}", path=path)
        if others := sorted(set(writers.users) - _trusted_owners()):
            return message("{user} can write to {path}", user=_user(others[0]), path=path)
    return None


@cache
def _trusted_owners() -> frozenset[int]:
    """This user and the administrator, who in a user namespace that does not map him is `nobody`, as / shows."""
    owners = {0, os.geteuid()}
    try:
        root = Path("/").stat().st_uid
        mapped = Path("/proc/self/uid_map").read_text("ascii").split()
    except (OSError, ValueError):
        return frozenset(owners)
    is_whole = len(mapped) == 3 and mapped[0] == mapped[1] == "0" and int(mapped[2]) >= 1 << 16  # noqa: PLR2004
    return frozenset(owners if is_whole else {*owners, root})


@cache
def _is_private_group(gid: int) -> bool:
    """Whether nobody but this user and administrators is in a group, as in those that distributions give each user."""
    import grp
    import pwd

    if gid == 0 or (sys.platform == "darwin" and gid == _ADMINISTRATORS_OF_MACS):
        return True
    try:
        me, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    if set(group.gr_mem) - {me.pw_name, "root"}:
        return False
    # Debian's /usr/local is of the group `staff`, in which nobody is.
    return (gid == me.pw_gid and group.gr_name == me.pw_name) or _is_empty_system_group(gid)


def _is_empty_system_group(gid: int) -> bool:
    """Whether a group of the system, which lists no members, is no user's own either."""
    if not sys.platform.startswith("linux"):
        return False  # on a Mac every user is of such a group, and no file lists them
    try:
        users = read_regular(Path("/etc/passwd"), limit=1 << 20).decode("utf-8", "replace").splitlines()
    except OSError:
        return False
    own_groups = {fields[3] for line in users if len(fields := line.split(":")) > 3 and fields[2] != "0"}  # noqa: PLR2004
    return gid < _FIRST_USER_GROUP and str(gid) not in own_groups


def _user(uid: int) -> str:
    import pwd

    try:
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    except KeyError:
        return str(uid)
