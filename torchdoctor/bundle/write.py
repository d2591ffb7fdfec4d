"""Lock and Wheelhouse -> a folder to carry: wheels, lock, sums, and scripts that install them with Python alone."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from torchdoctor._version import __version__
from torchdoctor.core.fs import SHARED_MODE, atomic_write, link_or_copy
from torchdoctor.core.fs.folder_lock import hold_folder_lock, is_locked_by_other
from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.core.wheelfile.validation import check_file_conflicts, validate_wheel
from torchdoctor.errors import SourceFailed, UsageError
from torchdoctor.install.location import unwritable_ancestor
from torchdoctor.lock.target import marker_environment
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.fetch import FetchedWheel, Wheelhouse
    from torchdoctor.lock.model import Lock

__all__ = ["Bundle", "check_bundle_folder", "write_bundle"]

_MARK = "bundle.json"
_SUMS = "SHA256SUMS"
_SCRIPTS = ("install.py", "install.sh", "install.ps1")
_OWN = frozenset(
    {_MARK, _SUMS, "README.md", "pylock.toml", "requirements.txt", "requirements-pip.txt", *_SCRIPTS}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """What is in the folder: every file's name, and the bytes of all."""

    folder: Path
    files: tuple[str, ...]
    size: int


def check_bundle_folder(folder: Path) -> None:
    """Refuse a folder that holds something else than a bundle, finished or not; `UsageError`."""
    try:
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
        _refuse_unwritable(folder)
    except OSError as error:
        raise UsageError(
            message("{folder} cannot be used: {strerror}", folder=folder, strerror=error.strerror),
            fix=message("name another folder"),
        ) from error
    # A disk that is full at once leaves the mark's first bytes alone.
    names.discard(f"{_MARK}.part")
    strange = sorted(name for name in names - _OWN if not name.endswith((".whl", ".part")))
    if names and (_MARK not in names or strange):
        raise UsageError(
            message(
                "{folder} is not empty, and holds no bundle of torchdoctor's alone: {names}",
                folder=folder,
                names=joined(sorted(names)[:3]),
            ),
            fix=message("name a folder that is empty or not there yet"),
            code="not-a-bundle",
        )


def _refuse_unwritable(folder: Path) -> None:
    """Raise `PermissionError` before anything is fetched for the folder."""
    place = unwritable_ancestor(folder)
    if place is not None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))


def write_bundle(folder: Path, locked: Lock, house: Wheelhouse, machine: Machine) -> Bundle:
    """Put it all into `folder`. What is right there already stays; a bundle is whole once SHA256SUMS is there.

    Raises `InstallFailed` for a wheel that may not be unpacked, `SourceFailed` where the folder cannot be written.
    """
    check_bundle_folder(folder)
    for row in house.wheels:
        validate_wheel(row.path, row.wheel.filename)
    check_file_conflicts({row.wheel.name: row.path for row in house.wheels}, ("torch", *COMPANIONS))
    try:
        return _write(folder, locked, house, machine)
    except OSError as error:
        raise SourceFailed(
            message(
                "{folder} could not be written: {why}{where}",
                folder=folder,
                why=error.strerror or error,
                where=f" ({error.filename})" if error.filename else "",
            ),
            fix=message(
                "check that there is space and that files of this size can lie there, and run the "
                "command again: what was fetched is kept"
            ),
            code="bundle",
        ) from error


def _write(folder: Path, locked: Lock, house: Wheelhouse, machine: Machine) -> Bundle:
    folder.mkdir(parents=True, exist_ok=True)
    if is_locked_by_other(folder):
        raise SourceFailed(
            message("another torchdoctor is writing into {folder}", folder=folder),
            fix=message("wait until it is done"),
            code="busy",
        )
    with hold_folder_lock(folder):
        _check_space(folder, house)
        return _write_claimed(folder, locked, house, machine)


def _check_space(folder: Path, house: Wheelhouse) -> None:
    """Before what is there is touched: an older bundle on a stick that is too small stays whole."""
    wanted = {row.wheel.filename for row in house.wheels}
    there = {path.name: path.stat().st_size for path in folder.glob("*.whl")}
    device = folder.stat().st_dev
    # On the cache's own disk they are hard links.
    needed = sum(
        row.size
        for row in house.wheels
        if row.wheel.filename not in there and row.path.stat().st_dev != device
    )
    going = sum(size for name, size in there.items() if name not in wanted)
    free = shutil.disk_usage(folder).free + going
    if needed > free:
        raise SourceFailed(
            message(
                "the files need {needed:.1f} GB and {folder} has {free:.1f} GB free",
                needed=needed / 1e9,
                folder=folder,
                free=free / 1e9,
            ),
            fix=message("free space there, or name another folder; what was fetched is kept"),
            code="no-space",
        )


def _write_claimed(folder: Path, locked: Lock, house: Wheelhouse, machine: Machine) -> Bundle:
    (folder / _SUMS).unlink(missing_ok=True)
    _write_text(folder / _MARK, json.dumps(_description(machine), indent=2) + "\n")
    sums = {row.wheel.filename: row.sha256 for row in house.wheels}
    for path in folder.iterdir():
        if path.name not in sums and (
            path.suffix in (".whl", ".part") or path.name == "requirements-pip.txt"
        ):
            path.unlink()
    for row in house.wheels:
        _put(row, folder / row.wheel.filename)
    for name, text in _texts(locked, house, machine).items():
        _write_text(folder / name, text)
        sums[name] = hashlib.sha256(text.encode()).hexdigest()
    sums[_MARK] = sha256_of(folder / _MARK)
    _write_text(folder / _SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    if os.name == "posix":
        (folder / "install.sh").chmod(0o755)
    names = (*sorted(sums), _SUMS)
    return Bundle(folder=folder, files=names, size=sum((folder / name).stat().st_size for name in names))


def _description(machine: Machine) -> dict[str, object]:
    markers = marker_environment(machine)
    return {
        "schema": 1,
        "torchdoctor": __version__,
        "python": markers["python_version"],
        "implementation": markers["implementation_name"],
        "sys_platform": markers["sys_platform"],
        "machine": markers["platform_machine"],
    }


def _texts(locked: Lock, house: Wheelhouse, machine: Machine) -> dict[str, str]:
    """Every file that is text, by name."""
    here = Path(__file__).with_name("payload")
    rows = sorted(house.wheels, key=lambda row: row.wheel.name)
    lines = {
        row.wheel.name: f"{row.wheel.name}=={row.wheel.version} --hash=sha256:{row.sha256}\n" for row in rows
    }
    texts = {name: (here / name).read_text("utf-8") for name in _SCRIPTS}
    texts["pylock.toml"] = locked.text_beside(row.wheel.filename for row in rows)
    texts["requirements.txt"] = "".join(lines.values())
    if "pip" in lines:
        texts["requirements-pip.txt"] = lines["pip"]
    markers = marker_environment(machine)
    texts["README.md"] = Template((here / "README.md").read_text("utf-8")).substitute(
        packages=", ".join(f"{row.wheel.name} {row.wheel.version}" for row in rows),
        machine=f"{markers['platform_system']} {markers['platform_machine']}",
        python=markers["python_version"],
        version=__version__,
    )
    return texts


def _put(row: FetchedWheel, target: Path) -> None:
    """The wheel under its name once it is whole; a hard link where that can be."""
    if target.is_file() and not target.is_symlink() and sha256_of(target) == row.sha256:
        return
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    link_or_copy(row.path, part, follow_symlinks=True)
    part.replace(target)


def _write_text(path: Path, text: str) -> None:
    """The text with the line ends that it has, whatever this system's are."""
    atomic_write(path, text, mode=SHARED_MODE)
