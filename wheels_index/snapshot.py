"""The snapshot: every known release, each read from its file when it is asked for."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from wheels_index._data import FOLDER
from wheels_index.release import release_from_json, wheels_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheels_index.release import Release
    from wheels_index.wheel import Wheel

__all__ = ["Snapshot", "UnknownRelease", "bundled"]


class UnknownRelease(KeyError):
    """A torch version of which the snapshot holds nothing."""

    def __init__(self, version: Version, known: tuple[Version, ...]) -> None:
        super().__init__(str(version))
        self.version = version
        self.known = known

    def __str__(self) -> str:
        newest = f"; the newest known is {self.known[0]}" if self.known else ""
        return f"torch {self.version} is not in the index{newest}"


class Snapshot:
    """A folder of release data. Making one reads nothing; each file is read once, when it is asked for."""

    __slots__ = ("_companions", "_folder", "_releases", "_versions")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._versions: tuple[Version, ...] | None = None
        self._releases: dict[Version, Release] = {}
        self._companions: dict[str, dict[str, Any]] = {}

    @property
    def folder(self) -> Path:
        """Where the data is."""
        return self._folder

    @property
    def as_of(self) -> str:
        """The ISO date on which an index of PyTorch was last read, by what is known of the newest release."""
        return self.release(self.versions()[0]).as_of

    @property
    def digest(self) -> str:
        """`sha256:` and the hash of everything that is known, so that two can be compared; reads every file."""
        digest = hashlib.sha256()
        for path in sorted(self._folder.rglob("*.json")):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self._folder).as_posix()} {len(content)}\n".encode())
            digest.update(content)
        return f"sha256:{digest.hexdigest()}"

    def versions(self) -> tuple[Version, ...]:
        """Return the torch versions, newest first, from the file names alone."""
        if self._versions is None:
            names = (path.stem for path in (self._folder / "releases").glob("*.json"))
            self._versions = tuple(sorted(map(Version, names), reverse=True))
        return self._versions

    def release(self, version: Version | str) -> Release:
        """Return what is known of a torch version; a local part (`+cu124`) is ignored.

        Raises `UnknownRelease` (a `KeyError`) for a version without data, packaging's `InvalidVersion` (a
        `ValueError`) for text that is not a version.
        """
        wanted = Version(Version(version).public) if isinstance(version, str) else Version(version.public)
        if wanted not in self._releases:
            # 2.4 and 2.4.1.0 compare as 2.4.0 and 2.4.1 do: the file is the one that compares equal.
            known = next((found for found in self.versions() if found == wanted), None)
            if known is None:
                raise UnknownRelease(wanted, self.versions())
            self._releases[wanted] = self._read(known)
        return self._releases[wanted]

    def releases(self) -> Iterator[Release]:
        """Yield every release, newest first, reading each file as it is reached."""
        return map(self.release, self.versions())

    def projects(self) -> tuple[str, ...]:
        """Return the other projects of which files were seen on the official index."""
        return tuple(sorted(path.stem for path in (self._folder / "projects").glob("*.json")))

    def project(self, name: str) -> tuple[Wheel, ...]:
        """Return the files seen of another project (`triton`), newest first; none of an unknown one."""
        if name not in self.projects():
            return ()
        return wheels_from_json(_read_json(self._folder / "projects" / f"{name}.json")["wheels"])

    def _read(self, version: Version) -> Release:
        data = _read_json(self._folder / "releases" / f"{version}.json")
        return release_from_json(data, tuple(self._companion(name) for name in data["shared"]))

    def _companion(self, name: str) -> dict[str, Any]:
        """Return the data of a companion that goes with several releases."""
        if name not in self._companions:
            self._companions[name] = _read_json(self._folder / "companions" / f"{name}.json")
        return self._companions[name]


@cache
def bundled() -> Snapshot:
    """Return the snapshot that comes with the package; one for the whole process, since it never changes.

    >>> release = bundled().release("2.4.1")
    >>> release.platforms["windows_x86_64"].variants
    ('cpu', 'cu118', 'cu121', 'cu124')
    >>> [wheel.filename for wheel in release.listed("torchvision", "cu124")][-1]
    'torchvision-0.19.1+cu124-cp312-cp312-win_amd64.whl'
    """
    return Snapshot(FOLDER)


def _read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())
