"""The least repair: single files of a wheel, read from it by ranges, in place of those that are damaged."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import SourceFailed
from torchdoctor.install.mend_files import MendedFile, mend_files
from torchdoctor.inventory.distributions import read_folder
from torchdoctor.inventory.record import read_record, wrong_files
from torchdoctor.workflows.wheel_reading import opened_wheel
from wheels_index.binary import BinaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.package_model import Distribution
    from torchdoctor.inventory.record import RecordRow
    from torchdoctor.lock import LockedWheel
    from wheels_index.binary import WheelFile

__all__ = ["FileRepair", "WheelPart", "plan_file_repair", "repair_files"]

_MAX_FILES = 500
_MAX_SHARE = 0.5  # of a wheel: above that the wheel itself is fetched, which can be resumed
_SECONDS = 60.0
_UNIX_EXECUTABLE = 0o111 << 16
_ALGORITHMS = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelPart:
    """The files of one wheel that are put back."""

    wheel: LockedWheel
    folder: Path  # the site-packages of the package
    rows: tuple[RecordRow, ...]
    fetched_bytes: int  # 0 where the wheel is on this disk


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRepair:
    """The parts of wheels that repair everything that is damaged."""

    parts: tuple[WheelPart, ...]

    @property
    def fetched_bytes(self) -> int:
        """How many bytes are fetched."""
        return sum(part.fetched_bytes for part in self.parts)


def plan_file_repair(
    python: PythonInfo, wheels: Iterable[LockedWheel], cache: Path, *, offline: bool
) -> FileRepair | None:
    """Return the parts that repair the installed packages of these wheels.

    None where a package is not installed in that version, has no list of files with hashes, or where most of it is
    damaged or its wheel cannot be read in pieces.
    """
    installed = {
        distribution.name: distribution
        for folder in python.site_packages
        for distribution in read_folder(str(folder)).distributions
        if distribution.kind == "wheel"
    }
    folders = {str(folder): folder for folder in python.site_packages}
    parts = []
    for wheel in wheels:
        distribution = installed.get(wheel.name)
        if distribution is None or distribution.version != wheel.version:
            return None
        rows = _damaged_rows(distribution, installed.values())
        folder = folders.get(distribution.folder)
        if not rows or folder is None or len(rows) > _MAX_FILES or not all(map(_is_known, rows)):
            return None
        part = _part(wheel, folder, rows, cache, offline=offline)
        if part is None:
            return None
        parts.append(part)
    return FileRepair(parts=tuple(parts)) if parts else None


def _damaged_rows(distribution: Distribution, installed: Iterable[Distribution]) -> tuple[RecordRow, ...]:
    """Return the rows of all files that are missing or differ; none where another package lists one that differs."""
    wrong = tuple(wrong_files(read_record(distribution) or (), distribution.folder, "hashes"))
    there = {row.path for row, problem in wrong if problem.problem != "missing"}
    others = (other for other in installed if other is not distribution and there)
    if any(row.path in there for other in others for row in read_record(other) or ()):
        return ()
    return tuple(row for row, _ in wrong)


def _is_known(row: RecordRow) -> bool:
    """Whether it is a file of the package folder with a hash that tells what belongs there."""
    inside = not row.path.startswith("/") and ".." not in row.path.split("/") and "\\" not in row.path
    return inside and row.digest is not None and row.digest.partition("=")[0] in _ALGORITHMS


def _part(
    wheel: LockedWheel, folder: Path, rows: Sequence[RecordRow], cache: Path, *, offline: bool
) -> WheelPart | None:
    with opened_wheel(wheel, cache, offline=offline, seconds=_SECONDS) as opened:
        if opened is None:
            return None
        file, local = opened
        members = [file.members.get(row.path) for row in rows]
        sizes = [member.compress_size for member in members if member is not None]
        if len(sizes) != len(rows) or (not local and sum(sizes) > _MAX_SHARE * (wheel.size or 0)):
            return None
        return WheelPart(
            wheel=wheel, folder=folder, rows=tuple(rows), fetched_bytes=0 if local else sum(sizes)
        )


def repair_files(
    repair: FileRepair,
    python: PythonInfo,
    cache: Path,
    run_dir: Path,
    prove: Callable[[Path], None],
    report: Reporter,
    *,
    offline: bool,
) -> None:
    """Read the files, compare each with the hash in the package's RECORD, and put them back once `prove` agrees.

    Raises `SourceFailed` where a wheel cannot be read or holds something else, and `InstallFailed`; the environment
    is then as it was.
    """
    files = []
    for part in repair.parts:
        with opened_wheel(part.wheel, cache, offline=offline) as opened:
            if opened is None:
                raise _unreadable(part.wheel, message("it cannot be read any more"))
            for number, row in enumerate(part.rows):
                source = run_dir / f"{part.wheel.name}-{number}"
                _unpack(opened[0], row, part.wheel, source)
                path = (part.folder / row.path).relative_to(python.prefix).as_posix()
                executable = bool(opened[0].members[row.path].external_attr & _UNIX_EXECUTABLE)
                files.append(MendedFile(path=path, source=source, executable=executable))
        report.note(message("{name}: {count} files read", name=part.wheel.filename, count=len(part.rows)))
    mend_files(python.prefix, python.site_packages, files, cache / "locks", prove)


def _unpack(file: WheelFile, row: RecordRow, wheel: LockedWheel, target: Path) -> None:
    name, _, wanted = (row.digest or "").partition("=")
    digest = hashlib.new(name)
    try:
        with target.open("xb") as output:
            for piece in file.unpacked(row.path):
                digest.update(piece)
                output.write(piece)
    except (BinaryError, OSError) as error:
        raise _unreadable(wheel, str(error)) from error
    if urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() != wanted.rstrip("="):
        raise _unreadable(wheel, message("{path} in it is not the file that was installed", path=row.path))


def _unreadable(wheel: LockedWheel, why: str) -> SourceFailed:
    return SourceFailed(
        message("{name} cannot be used for the repair: {why}", name=wheel.filename, why=why),
        fix=message("install the package again: torchdoctor install ENV --torch VERSION"),
        code="wheel",
    )
