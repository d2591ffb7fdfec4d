"""Wheelhouse -> Environment: a venv that is the old one or the new one, and never half of each."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tomli_w
from filelock import FileLock, Timeout

from torchdoctor import uv
from torchdoctor.errors import EnvironmentUnusable, InstallFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.lock import Lock

__all__ = ["Environment", "State", "examine", "install", "interpreter_of", "recover"]

State = Literal["new", "empty", "venv"]

_LIMIT = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """A venv: its folder and its interpreter."""

    folder: Path
    python: Path
    created: bool

    @property
    def activate(self) -> str:
        """What a person types to use it."""
        if sys.platform == "win32":
            return str(self.folder / "Scripts" / "activate")
        return f"source {_quoted(self.folder / 'bin' / 'activate')}"


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))


def interpreter_of(folder: Path) -> Path:
    """Where a venv in `folder` has its interpreter."""
    return folder / "Scripts" / "python.exe" if sys.platform == "win32" else folder / "bin" / "python"


def examine(folder: Path) -> State:
    """What is at `folder`: nothing, an empty folder or a venv.

    Raises `EnvironmentUnusable` for everything else, since it is not ours to change.
    """
    advice = "name another folder: torchdoctor install ENV"
    try:
        if not folder.exists() and not folder.is_symlink():
            return "new"
        if not folder.is_dir():
            raise EnvironmentUnusable(f"{folder} is not a folder", fix=advice)
        if not any(folder.iterdir()) and not os.path.ismount(folder):
            return "empty"
    except PermissionError as error:
        raise EnvironmentUnusable(f"{folder} cannot be read: {error.strerror}", fix=advice) from error
    if os.path.ismount(folder):
        raise EnvironmentUnusable(
            f"{folder} is a mount point, which cannot be replaced",
            fix=f"name a folder inside it: torchdoctor install {_quoted(folder / 'env')}",
            kind="mount-point",
        )
    if (folder / "conda-meta").is_dir():
        raise EnvironmentUnusable(
            f"{folder} is a conda environment, which torchdoctor does not change", fix=advice, kind="conda"
        )
    if not (folder / "pyvenv.cfg").is_file():
        raise EnvironmentUnusable(
            f"{folder} is not empty and is not a virtual environment, so nothing is put there",
            fix=advice,
            kind="not-a-venv",
        )
    if not interpreter_of(folder).exists():
        raise EnvironmentUnusable(
            f"{folder} is a virtual environment whose Python is gone",
            fix=f"remove {folder}, or name another folder: torchdoctor install ENV",
            kind="broken-venv",
        )
    return "venv"


def install(
    lock: Lock,
    wheelhouse: Wheelhouse,
    folder: Path,
    *,
    python: Path,
    work: Path,
    locks: Path,
    environ: Mapping[str, str],
    on_wait: Callable[[float], None] | None = None,
) -> Environment:
    """Make the environment beside `folder`, then put it there with one rename.

    A new one is made by `python`; an existing one is copied (hard links), changed and swapped in, so its
    other packages stay. Raises `InstallFailed`, with what was there before untouched.
    """
    state = examine(folder)
    try:
        with _alone(folder, locks):
            _recover(folder)
            stage = _beside(folder, f"new-{os.getpid()}")
            try:
                _check_space(wheelhouse, stage.parent)
                _make(stage, folder, state, python, environ)
                _fill(stage, lock, wheelhouse, work, environ, on_wait)
                if state == "venv":
                    _check_together(stage, folder, environ)
                    _keep_owner(stage, folder)
                _swap(stage, folder, state)
            finally:
                shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        raise InstallFailed(
            f"{folder} could not be made: {error.strerror or error}"
            + (f" ({error.filename})" if error.filename else ""),
            fix="check that the folder above it can be written to and has space, or name another folder: "
            "torchdoctor install ENV",
        ) from error
    return Environment(folder=folder, python=interpreter_of(folder), created=state != "venv")


def _beside(folder: Path, what: str) -> Path:
    """A hidden sibling that belongs to this folder alone: `venv` and `.venv` may lie side by side."""
    mark = hashlib.sha256(os.fsencode(folder.name)).hexdigest()[:8]
    return folder.parent / f".{folder.name.lstrip('.')[:80]}.torchdoctor-{mark}-{what}"


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
        raise InstallFailed(
            f"another torchdoctor is installing into {folder}", fix="wait until it is done", kind="busy"
        ) from error


def recover(folder: Path, locks: Path) -> None:
    """Finish or clear what a killed run left: the old environment comes back if the new one did not.

    Raises `InstallFailed` when another run is at work there.
    """
    if any(folder.parent.glob(f"{glob.escape(_beside(folder, '').name)}*")):
        with _alone(folder, locks):
            _recover(folder)


def _recover(folder: Path) -> None:
    old = _beside(folder, "old")
    if old.exists() and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    for left in folder.parent.glob(f"{glob.escape(_beside(folder, 'new').name)}*"):
        # A process that outlived its parent may still write there; what is left goes the next time.
        shutil.rmtree(left, ignore_errors=True)


def _check_space(wheelhouse: Wheelhouse, parent: Path) -> None:
    needed = 0
    for fetched in wheelhouse.wheels:
        try:
            with zipfile.ZipFile(fetched.path) as archive:
                needed += sum(member.file_size for member in archive.infolist())
        except zipfile.BadZipFile as error:
            raise InstallFailed(
                f"{fetched.wheel.filename} is not a usable wheel: {error}",
                fix="remove it and run the command again",
                kind="bad-wheel",
            ) from error
    free = shutil.disk_usage(parent).free
    if needed > free:
        raise InstallFailed(
            f"the environment needs {needed / 1e9:.1f} GB and {parent} has {free / 1e9:.1f} GB free",
            fix="free space there, or name a folder on another disk: torchdoctor install ENV",
            kind="no-space",
        )


def _make(stage: Path, folder: Path, state: State, python: Path, environ: Mapping[str, str]) -> None:
    if state == "venv":
        shutil.copytree(folder, stage, symlinks=True, copy_function=_link_or_copy)
        return
    finished = uv.run(
        [
            "venv",
            "--relocatable",
            "--no-config",
            "--quiet",
            "--python",
            python,
            "--prompt",
            folder.name,
            stage,
        ],
        environ=environ,
        folder=stage.parent,
        limit=_LIMIT,
    )
    if finished.status != 0:
        raise InstallFailed(
            f"the virtual environment could not be made: {finished.cause}",
            fix="name another interpreter with --python, or another folder",
        )


def _link_or_copy(source: str, target: str) -> None:
    # pyvenv.cfg and scripts are changed in place below; a hard link would change the old environment too.
    if Path(source).name != "pyvenv.cfg":
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError:
            pass
        else:
            return
    shutil.copy2(source, target, follow_symlinks=False)


def _fill(
    stage: Path,
    lock: Lock,
    wheelhouse: Wheelhouse,
    work: Path,
    environ: Mapping[str, str],
    on_wait: Callable[[float], None] | None,
) -> None:
    offline = work / "pylock.offline.toml"
    offline.write_text(tomli_w.dumps(_pointing_at_files(lock, wheelhouse)), "utf-8")
    with _relocatable(stage / "pyvenv.cfg"):
        finished = uv.run(
            [
                "pip", "install", "--requirements", offline, "--python", interpreter_of(stage), "--offline",
                "--no-config", "--compile-bytecode", "--quiet",
            ],
            environ=environ,
            folder=work,
            limit=_LIMIT,
            on_wait=on_wait,
        )  # fmt: skip
    if finished.status != 0:
        raise InstallFailed(
            f"the packages could not be installed: {finished.cause}",
            fix="run the command again with -v, and report its output if it stays so",
        )


def _check_together(stage: Path, folder: Path, environ: Mapping[str, str]) -> None:
    """Refuse a change that leaves a package of the user's own without what it needs."""

    def complaints(place: Path) -> set[str]:
        finished = uv.run(
            ["pip", "check", "--python", interpreter_of(place), "--no-config"],
            environ=environ,
            folder=stage.parent,
            limit=_LIMIT,
        )
        return {line.strip() for line in finished.stderr.splitlines() if line.startswith("The package")}

    after = complaints(stage)
    new = sorted(after - complaints(folder)) if after else []
    if new:
        raise InstallFailed(
            f"other packages in {folder} would stop working together: {' '.join(new)[:600]}",
            fix="install into an environment of its own: torchdoctor install ENV",
            kind="conflict",
        )


def _keep_owner(stage: Path, folder: Path) -> None:
    """Another user's environment stays that user's when an administrator changes it."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    owner = folder.stat()
    if owner.st_uid == 0:
        return
    for place, _, files in os.walk(stage):
        for path in (place, *(os.path.join(place, name) for name in files)):  # noqa: PTH118
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextlib.contextmanager
def _relocatable(settings: Path) -> Iterator[None]:
    """Scripts written meanwhile find their interpreter beside them, so they work after the rename."""
    before = settings.read_text("utf-8")
    if "relocatable = true" not in before:
        settings.write_text(before.rstrip("\n") + "\nrelocatable = true\n", "utf-8")
    try:
        yield
    finally:
        settings.write_text(before, "utf-8")


def _pointing_at_files(lock: Lock, wheelhouse: Wheelhouse) -> dict[str, object]:
    fetched = {row.wheel.name: row for row in wheelhouse.wheels}
    packages = []
    for package in lock.document["packages"]:
        row = fetched.get(package["name"])
        if row is None:
            continue
        packages.append(
            {
                "name": package["name"],
                "version": package["version"],
                "wheels": [{"path": str(row.path), "size": row.size, "hashes": {"sha256": row.sha256}}],
            }
        )
    return {"lock-version": "1.0", "created-by": "torchdoctor", "packages": packages}


def _swap(stage: Path, folder: Path, state: State) -> None:
    if state == "empty":
        folder.rmdir()
    if state != "venv":
        stage.rename(folder)
        return
    old = _beside(folder, "old")
    folder.rename(old)
    try:
        stage.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
