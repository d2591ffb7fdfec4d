"""Each file of an environment belongs to one package: refuses a second one that would put something else there."""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
import zipfile
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.wheelfile.placement import COMMANDS, PACKAGES, command_names, placements
from torchdoctor.errors import InstallFailed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

__all__ = ["FileOwners", "PackageFiles", "WheelFiles", "are_one_program", "is_harmless_twice", "wheel_files"]

_BLOCK_BYTES = 1 << 20
_MAX_ENTRY_POINTS_BYTES = 4 << 20
# Folders beside the packages that many projects ship by mistake, and that nobody imports.
_STRAY_FOLDERS = frozenset(
    {"tests", "test", "testing", "docs", "doc", "examples", "example", "benchmarks", "samples"}
)
# Nobody's own.
_SHARED_FOLDERS = _STRAY_FOLDERS | {"__pycache__", "bin", "include", "lib", "share"}
# `torchrun.exe` and `torchrun-script.py` run where `torchrun` is typed on Windows.
_LAUNCHER = re.compile(r"(?:\.exe|-script\.pyw?)$")
# Builds of one program for different uses, which packages require by different names: most stacks that have images in
# them hold two of these, and whichever was unpacked last works. https://github.com/opencv/opencv-python
_SAME_PROGRAM = (
    frozenset(
        {"opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless"}
    ),
)
# Files beside the packages that are read by people alone.
_STRAY_SUFFIXES = ("", ".txt", ".md", ".rst", ".toml", ".cfg", ".in", ".yml", ".yaml", ".json", ".ini")


class PackageFiles(Protocol):
    """The files of one package, in a wheel or installed."""

    project: str
    shown: str  # as messages name it

    @property
    def locations(self) -> Mapping[str, str]:
        """Map each location to the file's name in the package, which is empty for a command that is made."""

    def digest(self, name: str) -> str | None:
        """Return what identifies the content of a file; None where it cannot be read."""


class WheelFiles:
    """The files of the wheel at `path`; raises `OSError` or `BadZipFile` where it cannot be read."""

    def __init__(self, project: str, path: Path) -> None:
        self.project, self.shown, self._path = project, path.name, path
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            names = [member.filename for member in archive.infolist() if not member.is_dir()]
            commands = _commands(archive, names)
        self.locations = {f"{COMMANDS}/{command}": "" for command in commands}
        self.locations |= dict(placements(names, project))

    def digest(self, name: str) -> str | None:
        """Return what identifies the content of a member."""
        digest = hashlib.sha256()
        with open_regular(self._path) as file, zipfile.ZipFile(file) as archive, archive.open(name) as member:
            while block := member.read(_BLOCK_BYTES):
                digest.update(block)
        return digest.hexdigest()


def wheel_files(project: str, path: Path) -> WheelFiles:
    """Return the files of a wheel; one that was read a moment ago is not read again."""
    seen = path.stat()
    return _wheel_files(project, path, seen.st_size, seen.st_mtime_ns)


@lru_cache(maxsize=256)
def _wheel_files(project: str, path: Path, _size: int, _changed: int) -> WheelFiles:
    return WheelFiles(project, path)


class FileOwners:
    """Which package has which file. `family` are torch and its companions, of which nobody else may touch a file.

    Where `case_counts` is false, names that differ by case are one file, as they are on Windows and on most Macs.
    """

    def __init__(
        self,
        family: Collection[str],
        installed: Iterable[PackageFiles] = (),
        *,
        case_counts: bool | None = None,
    ) -> None:
        self._family = frozenset(family)
        self._case_counts = sys.platform not in ("win32", "darwin") if case_counts is None else case_counts
        self._owners: dict[str, tuple[PackageFiles, str]] = {}
        # Whose each folder of packages is.
        self._owned_folders = {project: project for project in self._family}
        # One file of another package each, by the folder; it stands in the way of a package of the family.
        self._others: dict[str, tuple[PackageFiles, str]] = {}
        self._projects: set[str] = set()
        for files in installed:
            self._take_in(files)

    def add(self, files: PackageFiles) -> None:
        """Take in the files of a package; raises `InstallFailed` where it cannot stand beside those before it.

        It is not taken in then.
        """
        for location in files.locations:
            if (owner := self._owners.get(_folded(location))) is not None:
                self._compare(*owner, files, location)
        folders = _folders_of(files)
        for folder, location in folders.items():
            host = self._owned_folders.get(folder, files.project)
            if host != files.project and host in self._projects and files.project not in self._family:
                raise _refusal(files, location, host, in_folder=True)
        if files.project in self._family:
            for folder in {files.project, *folders} & set(self._others):
                raise _refusal(*self._others[folder], files.project, in_folder=True)
        self._take_in(files)

    def _take_in(self, files: PackageFiles) -> None:
        self._owners.update((_folded(location), (files, location)) for location in files.locations)
        self._projects.add(files.project)
        folders = _folders_of(files)
        if files.project in self._family:
            self._owned_folders |= dict.fromkeys(folders, files.project)
        else:
            self._others |= {folder: (files, location) for folder, location in folders.items()}

    def _compare(self, owner: PackageFiles, owned: str, files: PackageFiles, location: str) -> None:
        if owner.project == files.project or (
            self._case_counts and owned != location and not {owner.project, files.project} & self._family
        ):
            return
        if owner.project in self._family:
            raise _refusal(files, location, owner.project)
        if files.project in self._family:
            raise _refusal(owner, owned, files.project)
        if is_harmless_twice(location) or are_one_program(owner.project, files.project):
            return
        names = owner.locations[owned], files.locations[location]
        if not any(names):
            return  # two commands of one name, such as `fastapi`; neither is a file of a wheel
        if all(names) and owner.digest(names[0]) == files.digest(names[1]) is not None:
            return
        raise InstallFailed(
            message(
                "{name} and {other} have different files for one place, {path}, and only one of them could be there",
                name=owner.shown,
                other=files.shown,
                path=_shown(location),
            ),
            fix=message(
                "leave one of them out: --without {name}, or --without {other}",
                name=owner.project,
                other=files.project,
            ),
            code="file-conflict",
        )


def _folders_of(files: PackageFiles) -> dict[str, str]:
    """Return one file each of the folders that a package has beside others: `torch`, `torchgen`, `torchvision.libs`."""
    found: dict[str, str] = {}
    for location in files.locations:
        place, _, rest = _folded(location).partition("/")
        folder, slash, _ = rest.partition("/")
        if (
            place == PACKAGES
            and slash
            and folder not in _SHARED_FOLDERS
            and not folder.endswith(".dist-info")
        ):
            found.setdefault(folder, location)
    return found


def are_one_program(project: str, other: str) -> bool:
    """Say whether two projects are builds of one program, of which each may replace files of the other."""
    return any({project, other} <= group for group in _SAME_PROGRAM)


def is_harmless_twice(location: str) -> bool:
    """Say whether a file is one beside the packages that nothing runs: tests, a licence, a text for people.

    Many projects ship those by mistake, and which of them is there makes no difference.
    """
    place, _, rest = location.partition("/")
    if place != PACKAGES:
        return False
    top, slash, _ = rest.partition("/")
    if slash:
        return top.lower() in _STRAY_FOLDERS
    stem, dot, suffix = top.rpartition(".")
    return (f"{dot}{suffix}".lower() if stem else "") in _STRAY_SUFFIXES


def _refusal(files: PackageFiles, location: str, owner: str, *, in_folder: bool = False) -> InstallFailed:
    path = _shown(location)
    what = (
        message(
            "{name} would put {member} into the folder of {owner}",
            name=files.shown,
            member=path,
            owner=owner,
        )
        if in_folder
        else message(
            "{name} would replace {member}, which is a file of {owner}",
            name=files.shown,
            member=path,
            owner=owner,
        )
    )
    return InstallFailed(
        what,
        fix=message("leave {name} out, or get it from a source that can be trusted", name=files.project),
        code="bad-wheel",
    )


def _shown(location: str) -> str:
    place, _, rest = location.partition("/")
    return rest[:160] if place == PACKAGES else f"{'bin' if place == COMMANDS else place}/{rest}"[:160]


def _folded(location: str) -> str:
    """Return one name for what is one file to some system: by case, by accents, and a command by its launcher."""
    if not (location.isascii() and location.islower()):
        location = unicodedata.normalize("NFC", location).casefold()
    return _LAUNCHER.sub("", location) if location.startswith(COMMANDS) else location


def _commands(archive: zipfile.ZipFile, names: list[str]) -> list[str]:
    for name in names:
        if name.endswith(".dist-info/entry_points.txt") and name.count("/") == 1:
            if archive.getinfo(name).file_size > _MAX_ENTRY_POINTS_BYTES:
                return []
            return command_names(archive.read(name).decode("utf-8", "replace"))
    return []
