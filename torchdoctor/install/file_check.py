"""Compares the files of an environment with the wheels that they came from, whatever unpacked them."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import stat
import sys
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular, read_regular
from torchdoctor.core.threads import thread_pool
from torchdoctor.core.wheelfile import (
    are_one_program,
    is_harmless_twice,
    member_hash,
    placements,
    recorded_files,
)
from torchdoctor.core.wheelfile.placement import COMMANDS, DATA, PACKAGES
from torchdoctor.install.unlisted_files import source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from torchdoctor.core.wheelfile import RecordedFile
    from torchdoctor.fetch import FetchedWheel

__all__ = ["FileCheck"]

_MAX_WORKERS = 4
_BLOCK_BYTES = 1 << 20
_LARGE_FILE_BYTES = 1 << 20  # each is a piece of work of its own
_ALGORITHM = "sha256"
_MAX_FIRST_LINE_BYTES = 1 << 16
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# Those of a virtual environment, of conda, and of Windows.
_HEADER_FOLDERS = ("include/site/python*", "include/python*", "[Ii]nclude")
_PLACEHOLDER = b"#!python"
# What uv writes for the first line of a script that begins so: a path, or lines that find Python beside the script.
_INTERPRETER = re.compile(
    rb"#!/bin/sh\n'''exec' "
    rb"(?:\"\$\(dirname -- \"\$\(realpath -- \"\$0\"\)\"\)\"/'[\w.]+'|'[^'\n]*'|\"[^\"$`\n]*\"|[\w/.+-]+)"
    rb" \"\$0\" \"\$@\"\n' '''\n|#![^\n]*\n"
)


@dataclass(frozen=True, slots=True)
class _Expected:
    """A file of a wheel, and where it belongs."""

    wheel: Path
    location: str
    file: RecordedFile

    @property
    def size(self) -> int:
        """Bytes."""
        return self.file.size

    @property
    def algorithm(self) -> str:
        """What its digest is made with."""
        return self.file.hash.algorithm if self.file.hash is not None else _ALGORITHM


class FileCheck:
    """Hashes the files of the environment at `stage` in threads, while others are unpacked.

    `site_packages` gives its package folders.
    """

    def __init__(self, stage: Path, site_packages: Callable[[], Sequence[Path]]) -> None:
        self._stage, self._site_packages = str(stage), site_packages
        self._pool = thread_pool(min(_MAX_WORKERS, os.cpu_count() or 1))
        self._closed = threading.Event()
        self._begun: list[Future[None]] = []
        self._folders: tuple[str, ...] = ()
        self._expected: dict[Path, Mapping[str, _Expected]] = {}
        # The digest of each path, with what the system says of the file that it was made of.
        self._digests: dict[tuple[str, str], tuple[tuple[int, ...], bytes]] = {}

    def begin(self, wheels: Iterable[FetchedWheel]) -> None:
        """Hash the files of these wheels, which are unpacked, without waiting for it."""
        self._folders = tuple(map(str, self._site_packages()))
        for fetched in wheels:
            files = self._files_of(fetched).values()
            large = [[file] for file in files if file.size >= _LARGE_FILE_BYTES]
            self._begun += [
                self._pool.submit(self._hash_all, some)
                for some in (*large, [file for file in files if file.size < _LARGE_FILE_BYTES])
            ]

    def wrong(self, wheels: Sequence[FetchedWheel]) -> Mapping[str, str]:
        """Return the projects of which a file is not as in its wheel, each with the first such file.

        A file that was hashed already and not touched since is not read again.
        """
        for job in self._begun:
            job.result()
        self._begun, self._folders = [], tuple(map(str, self._site_packages()))
        found = {fetched.wheel.name: self._first_wrong(fetched, wheels) for fetched in wheels}
        return {project: name for project, name in found.items() if name is not None}

    def package_files(self, wheels: Iterable[FetchedWheel]) -> frozenset[str]:
        """Return what these wheels put into the package folders, by its path there, without bytecode of own files."""
        prefix = f"{PACKAGES}/"
        return frozenset(
            location.removeprefix(prefix)
            for fetched in wheels
            for location in self._files_of(fetched)
            if location.startswith(prefix)
        )

    def largest(self, wheels: Iterable[FetchedWheel]) -> int:
        """Return the bytes of the largest file of these wheels."""
        return max((file.size for fetched in wheels for file in self._files_of(fetched).values()), default=0)

    def close(self) -> None:
        """Stop hashing."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _hash_all(self, files: Iterable[_Expected]) -> None:
        for expected in files:
            for target in self._targets(expected):
                self._digest(target, expected.algorithm)

    def _first_wrong(self, fetched: FetchedWheel, wheels: Sequence[FetchedWheel]) -> str | None:
        try:
            for location, expected in self._files_of(fetched).items():
                if self._is_there(expected):
                    continue
                others = (
                    other
                    for other in wheels
                    if is_harmless_twice(location) or are_one_program(fetched.wheel.name, other.wheel.name)
                )
                if not any(self._is_there(self._files_of(other).get(location)) for other in others):
                    return expected.file.name
        except (OSError, ValueError, LookupError, zipfile.BadZipFile, csv.Error) as error:
            return str(error)
        return None

    def _files_of(self, fetched: FetchedWheel) -> Mapping[str, _Expected]:
        """Return the files of a wheel by location, but for bytecode of its own files, which is compiled anew."""
        if fetched.path not in self._expected:
            files = recorded_files(fetched.path)
            self._expected[fetched.path] = {
                location: _Expected(fetched.path, location, files[name])
                for location, name in placements(files, fetched.wheel.name)
                if not ("__pycache__/" in name and source_of(name) in files)
            }
        return self._expected[fetched.path]

    def _targets(self, expected: _Expected) -> list[str]:
        """Return the paths where a file may lie; an environment may have several package folders."""
        place, _, rest = expected.location.partition("/")
        if place == PACKAGES:
            return [f"{folder}/{rest}" for folder in self._folders]
        if place == DATA:
            return [f"{self._stage}/{rest}"]
        if place == COMMANDS:
            return [f"{self._stage}/{folder}/{rest}" for folder in ("bin", "Scripts")]
        project, _, inside = rest.partition("/")
        names = sorted({project, project.replace("-", "_"), expected.wheel.name.partition("-")[0]})
        folders = [folder for pattern in _HEADER_FOLDERS for folder in Path(self._stage).glob(pattern)]
        return [f"{folder}/{name}/{inside}" for folder in folders for name in names]

    def _is_there(self, expected: _Expected | None) -> bool:
        return expected is not None and any(
            self._is_right(target, expected) for target in self._targets(expected)
        )

    def _is_right(self, target: str, expected: _Expected) -> bool:
        digest, recorded = self._digest(target, expected.algorithm), expected.file.hash
        if digest is None:
            return False
        if recorded is not None and digest == recorded.digest:
            return True
        if expected.location.startswith(f"{COMMANDS}/") and _is_script_of(target, expected):
            return True
        # A RECORD may be wrong, and it has no hash of some files: what the wheel itself holds decides.
        return digest == member_hash(expected.wheel, expected.file.name, expected.algorithm)

    def _digest(self, path: str, algorithm: str) -> bytes | None:
        """Return the digest of a regular file; None for anything else."""
        try:
            status = os.lstat(path)
        except OSError:
            return None
        known = self._digests.get((path, algorithm))
        if known is not None and known[0] == _state(status):
            return known[1]
        if not stat.S_ISREG(status.st_mode):
            return None
        digest = hashlib.new(algorithm)
        # What was a file may be a link or a pipe by now.
        handle = os.open(path, os.O_RDONLY | _NO_LINK)
        try:
            status = os.fstat(handle)
            while block := os.read(handle, min(_BLOCK_BYTES, status.st_size + 1)):
                if self._closed.is_set():
                    return None
                digest.update(block)
        finally:
            os.close(handle)
        self._digests[path, algorithm] = (_state(status), digest.digest())
        return digest.digest()


def _state(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _is_script_of(target: str, expected: _Expected) -> bool:
    """Say whether a script differs from that of the wheel in nothing but the line that names the interpreter."""
    with open_regular(expected.wheel) as file, zipfile.ZipFile(file) as archive:
        content = archive.read(expected.file.name)
    if not content.startswith(_PLACEHOLDER):
        return False
    if sys.platform == "win32":
        return True  # a program with the script inside of it
    body = content.partition(b"\n")[2]
    try:
        installed = read_regular(target, limit=len(content) + _MAX_FIRST_LINE_BYTES)
    except OSError:
        return False
    head = installed[: len(installed) - len(body)]
    return installed.endswith(body) and _INTERPRETER.fullmatch(head) is not None
