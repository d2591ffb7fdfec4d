"""Wheelhouse -> Environment: an environment that is the old one or the new one, and never half of each."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import shlex
import shutil
import stat
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from torchdoctor import in_place
from torchdoctor.claim import claim, claimed
from torchdoctor.errors import InstallFailed
from torchdoctor.examine import State, changed_in_place, examine, interpreter_of
from torchdoctor.exchange import exchange, flush, flush_folder, flushing
from torchdoctor.message import message
from torchdoctor.plan import COMPANIONS
from torchdoctor.record import changes_of, write_record
from torchdoctor.stage import check_together, complaints, fill, keep_owner, make, other_owner, spoiled
from torchdoctor.wheel.contents import check_wheel, refuse_shared_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.plan import Plan

__all__ = [
    "Environment",
    "State",
    "Work",
    "examine",
    "install",
    "interpreter_of",
    "recover",
    "refuse_unwritable",
]


# A mount that shows the same file system again, and a folder of a container's image: they look like any other folder
# until they are renamed.
_CANNOT_MOVE = frozenset({errno.EBUSY, errno.EXDEV})


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """An environment: its folder and its interpreter."""

    folder: Path
    python: Path
    created: bool

    @property
    def activate(self) -> str:
        """What a person types to use it."""
        if (self.folder / "conda-meta").is_dir():
            return f"conda activate {shlex.quote(str(self.folder))}"
        if sys.platform == "win32":
            return str(self.folder / "Scripts" / "activate")
        return f"source {shlex.quote(str(self.folder / 'bin' / 'activate'))}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """With what an environment is made: the interpreter of a new one, folders of our own, what is installed already.

    `plan` goes into the environment's record; `installed` maps names to versions.
    """

    python: Path
    work: Path
    locks: Path
    environ: Mapping[str, str]
    plan: Plan | None = None
    installed: Mapping[str, str] = field(default_factory=dict)
    reinstall: frozenset[str] = frozenset()
    on_wait: Callable[[float], None] | None = None


def install(wheelhouse: Wheelhouse, folder: Path, work: Work) -> Environment:
    """Make the environment beside `folder`, then put it there in one step.

    A new one is made by `work.python`; an existing one is copied (hard links), changed and exchanged, so its
    other packages stay. One that cannot be put aside is changed where it is, and changed back when that fails.
    Raises `InstallFailed`, with what was there before untouched.
    """
    state = examine(folder)
    try:
        with _alone(folder, work.locks):
            _recover(folder)
            unpacked = _check_wheels(wheelhouse)
            if changed_in_place(folder, state):
                _check_space(unpacked, folder)
                _change_in_place(folder, wheelhouse, work)
            else:
                _check_space(unpacked, folder.parent)
                try:
                    _make_beside(folder, state, wheelhouse, work)
                except OSError as error:
                    if state != "venv" or error.errno not in _CANNOT_MOVE:
                        raise
                    _change_in_place(folder, wheelhouse, work)
    except OSError as error:
        raise InstallFailed(
            message(
                "{folder} could not be made: {why}{where}",
                folder=folder,
                why=error.strerror or error,
                where=f" ({error.filename})" if error.filename else "",
            ),
            fix=message(
                "check that the folder above it can be written to and has space, or name another folder: "
                "torchdoctor install ENV"
            ),
        ) from error
    return Environment(folder=folder, python=interpreter_of(folder), created=state not in ("venv", "conda"))


def refuse_unwritable(folder: Path, state: State) -> None:
    """Raise `InstallFailed` where nothing can be made or changed, before gigabytes are fetched for it."""
    place = folder if changed_in_place(folder, state) else folder.parent
    while not os.access(place, os.F_OK):
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        raise InstallFailed(
            message("{folder} could not be made: {place} cannot be written to", folder=folder, place=place),
            fix=message("name another folder: torchdoctor install ENV"),
        )


def _make_beside(folder: Path, state: State, wheelhouse: Wheelhouse, work: Work) -> None:
    stage = _beside(folder, f"new-{os.getpid()}")
    try:
        stage.mkdir()
        with claim(stage):
            make(stage, folder, state, work.python, work.environ)
            _fill(stage, folder, wheelhouse, work)
            if state == "venv":
                check_together(
                    stage, complaints(folder, work.work, work.environ), folder, work.work, work.environ
                )
            _write_record(stage, folder, wheelhouse, work)
            if state == "venv":
                keep_owner(stage, folder)
            flush(stage)
            _swap(stage, folder, state)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _change_in_place(folder: Path, wheelhouse: Wheelhouse, work: Work) -> None:
    before = complaints(folder, work.work, work.environ)
    with claim(folder):
        in_place.begin(folder, wheelhouse)
        try:
            _fill(folder, folder, wheelhouse, work)
            check_together(folder, before, folder, work.work, work.environ)
            _write_record(folder, folder, wheelhouse, work)
            keep_owner(folder, folder)
        except BaseException:
            in_place.undo(folder)
            raise
        in_place.end(folder)


def _fill(stage: Path, folder: Path, wheelhouse: Wheelhouse, work: Work) -> None:
    copied = other_owner(folder) is not None
    with flushing(stage):
        fill(stage, wheelhouse, work.work, work.environ, work.on_wait, work.reinstall, copied=copied)
        # Who edits a file of an environment edits uv's cache with it, of which it is a hard link, and what comes next.
        if wrong := spoiled(stage, wheelhouse):
            fresh = work.work / "uv-cache"
            fill(
                stage, wheelhouse, work.work, work.environ, work.on_wait, wrong, copied=copied, cache=fresh
            )  # fmt: skip


def _write_record(stage: Path, folder: Path, wheelhouse: Wheelhouse, work: Work) -> None:
    after = {row.wheel.name: row.wheel.version for row in wheelhouse.wheels}
    write_record(
        stage,
        before=folder,
        plan=work.plan,
        wheelhouse=wheelhouse,
        changes=changes_of(work.installed, after),
    )


def _beside(folder: Path, what: str) -> Path:
    """A hidden sibling that belongs to this folder alone: `venv` and `.venv` may lie side by side."""
    mark = hashlib.sha256(os.fsencode(folder.name)).hexdigest()[:8]
    # File systems count bytes: a name of 80 Chinese signs has 240 of them.
    shown = os.fsencode(folder.name.lstrip("."))[:80].decode("utf-8", "ignore")
    return folder.parent / f".{shown}.torchdoctor-{mark}-{what}"


@contextlib.contextmanager
def _alone(folder: Path, locks: Path) -> Iterator[None]:
    """Two installs into one folder take turns; the second is told so rather than left waiting."""
    locks.mkdir(parents=True, exist_ok=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    try:
        with FileLock(locks / f"{name}.lock", timeout=0):
            yield
    except Timeout as error:
        raise _busy(folder) from error


def _busy(folder: Path) -> InstallFailed:
    return InstallFailed(
        message("another torchdoctor is installing into {folder}", folder=folder),
        fix=message("wait until it is done"),
        kind="busy",
    )


def recover(folder: Path, locks: Path) -> None:
    """Finish or clear what a killed run left: the old environment comes back if the new one did not.

    Raises `InstallFailed` when another run is at work there, or the system refuses.
    """
    if not _left(folder, "") and not (folder / in_place.FOLDER).is_dir():
        return
    try:
        with _alone(folder, locks):
            _recover(folder)
    except OSError as error:
        raise InstallFailed(
            message(
                "what an interrupted run left at {folder} cannot be cleared: {strerror}",
                folder=folder,
                strerror=error.strerror or error,
            ),
            fix=message("check that the folder can be written to, and run the command again"),
        ) from error


def _left(folder: Path, what: str) -> list[Path]:
    """What runs of ours left beside the folder; where all may write (/tmp), less what another user put there."""
    found = list(folder.parent.glob(f"{glob.escape(_beside(folder, what).name)}*"))
    if sys.platform == "win32" or not found:
        return found
    parent = folder.parent.stat()
    if not parent.st_mode & stat.S_IWOTH:
        return found
    return [path for path in found if path.lstat().st_uid in (os.geteuid(), parent.st_uid)]


def _recover(folder: Path) -> None:
    stages = _left(folder, "new")
    # One whose locks lie in another cache is not kept away by ours.
    if any(map(claimed, (folder, *stages))):
        raise _busy(folder)
    in_place.undo(folder)
    old = _beside(folder, "old")
    if old in _left(folder, "old") and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    for left in stages:
        # A process that outlived its parent may still write there; what is left goes the next time.
        shutil.rmtree(left, ignore_errors=True)


def _check_wheels(wheelhouse: Wheelhouse) -> int:
    """The bytes that all wheels unpack to, once each is known to be one that may be unpacked."""
    unpacked = sum(check_wheel(row.path, row.wheel.filename) for row in wheelhouse.wheels)
    refuse_shared_files({row.wheel.name: row.path for row in wheelhouse.wheels}, ("torch", *COMPANIONS))
    return unpacked


def _check_space(needed: int, parent: Path) -> None:
    free = shutil.disk_usage(parent).free
    if needed > free:
        raise InstallFailed(
            message(
                "the environment needs {needed:.1f} GB and {parent} has {free:.1f} GB free",
                needed=needed / 1e9,
                parent=parent,
                free=free / 1e9,
            ),
            fix=message("free space there, or name a folder on another disk: torchdoctor install ENV"),
            kind="no-space",
        )


def _swap(stage: Path, folder: Path, state: State) -> None:
    if state != "venv":
        if state == "empty" and sys.platform == "win32":
            # Elsewhere a rename takes the place of an empty folder.
            folder.rmdir()
        stage.rename(folder)
    elif not exchange(stage, folder):
        old = _beside(folder, "old")
        folder.rename(old)
        try:
            stage.rename(folder)
        except BaseException:
            old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    flush_folder(folder.parent)
