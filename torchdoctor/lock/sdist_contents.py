"""What is in a source distribution, without running any of it: whether it compiles, and whether against torch."""

from __future__ import annotations

import os
import re
import stat
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from torchdoctor.core.fs.regular_files import open_regular, read_regular
from torchdoctor.core.i18n import message
from torchdoctor.errors import SourceFailed

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SdistContents", "build_requirements", "inspect_sdist"]

_MAX_MEMBER_COUNT = 50_000
_MAX_TEXT_BYTES = 1024 * 1024
_MAX_UNPACKED_BYTES = 2 * 1024**3  # to find the next member of a tar file, this one is unpacked
_MAX_REQUIREMENT_COUNT = 2000
_COMPILED = re.compile(
    r"\.(?:c|cc|cpp|cxx|c\+\+|cu|cuh|hip|pyx|pxd|rs|f|for|f77|f90|f95|f03|m|mm|go|asm|s|zig)(?:\.in|\.tmpl|\.src)?$",
    re.IGNORECASE,
)
# What only a build of compiled code has, wherever its sources lie.
_BUILD_FILES = re.compile(r"^[^/]+/(?:Cargo\.toml|CMakeLists\.txt|meson\.build)$", re.IGNORECASE)
_EXTENSIONS_IN_SETUP = re.compile(r"\bext_modules\b|\bExtension\s*\(|\brust_extensions\b|\bcffi_modules\b")
_CUDA = re.compile(r"\.(?:cu|cuh)$", re.IGNORECASE)
# Sources that are not built: of tests, of documentation, of examples.
_ASIDE = re.compile(r"(?:^|/)(?:tests?|docs?|examples?|benchmarks?)/", re.IGNORECASE)
# https://peps.python.org/pep-0518/#build-system-table, with the setuptools that has PEP 517.
_DEFAULT_BUILD_REQUIRES = ("setuptools>=40.8.0",)
_READ = ("PKG-INFO", "pyproject.toml", "setup.py", "setup.cfg")
_TORCH_IN_SETUP = re.compile(r"^[ \t]*(?:import torch\b|from torch\b)", re.MULTILINE)
# https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html#requires-txt
_EGG_INFO = re.compile(r"^[^/]+/(?:src/)?[^/]+\.egg-info/requires\.txt$")
_EGG_FOLDER = re.compile(r"^[^/]+/(?:src/)?[^/]+\.egg-info/")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class SdistContents:
    """What a source distribution needs to be built."""

    compiles: bool  # it has sources in a compiled language
    has_cuda: bool  # some are CUDA's
    needs_torch: bool  # its build imports torch
    build_requires: tuple[str, ...]  # of pyproject.toml, or setuptools where it names none
    requires: tuple[str, ...] | None = None  # what it needs when installed; None where it does not say
    version: str | None = None  # None where only running its build tells


def inspect_sdist(path: Path) -> SdistContents:
    """Look into an archive or a folder; raises `SourceFailed` for no archive, and for more than 50,000 members."""
    names: list[str] = []
    texts: dict[str, str] = {}
    try:
        for name, text in _members(path):
            names.append(name)
            if text is not None:
                texts["requires.txt" if _EGG_INFO.search(name) else name.partition("/")[2]] = text
            if len(names) > _MAX_MEMBER_COUNT:
                raise _unusable(path, message("it has more than {count} members", count=_MAX_MEMBER_COUNT))
    except (
        OSError,
        EOFError,
        tarfile.TarError,
        zipfile.BadZipFile,
        ValueError,
        NotImplementedError,
    ) as error:
        raise _unusable(path, str(error) or type(error).__name__) from error
    requires = _build_requires(texts.get("pyproject.toml", ""))
    sources = [name for name in names if _COMPILED.search(name) and not _ASIDE.search(name)]
    has_extensions = any(
        map(_EXTENSIONS_IN_SETUP.search, (texts.get("setup.py", ""), texts.get("pyproject.toml", "")))
    )
    declared = _declared(texts, has_egg_info=any(_EGG_FOLDER.search(name) for name in names))
    if len(declared or ()) > _MAX_REQUIREMENT_COUNT:
        raise _unusable(path, message("it requires more than {count} packages", count=_MAX_REQUIREMENT_COUNT))
    return SdistContents(
        compiles=bool(sources) or has_extensions or any(map(_BUILD_FILES.match, names)),
        has_cuda=any(_CUDA.search(name) for name in sources),
        needs_torch="torch" in {_project(line) for line in requires}
        or _TORCH_IN_SETUP.search(texts.get("setup.py", "")) is not None,
        build_requires=requires,
        requires=declared,
        version=_version(texts),
    )


def build_requirements(path: Path) -> tuple[str, ...]:
    """Return what the build of an archive or a folder needs first; raises `SourceFailed` for what cannot be read.

    Of a folder nothing else is looked at: a project can have any number of files.
    """
    if not path.is_dir():
        return inspect_sdist(path).build_requires
    try:
        return _build_requires(read_regular(path / "pyproject.toml", limit=_MAX_TEXT_BYTES).decode("utf-8"))
    except FileNotFoundError:
        return _DEFAULT_BUILD_REQUIRES
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error


def _members(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each file, with its text where it is one of those that say how the rest is built."""
    if path.is_dir():
        yield from _members_of_folder(path)
        return
    if path.name.endswith(".zip"):
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                wanted = _is_read(info.filename) and info.file_size <= _MAX_TEXT_BYTES
                yield info.filename, archive.read(info).decode("utf-8", "replace") if wanted else None
        return
    with open_regular(path) as file, tarfile.open(fileobj=file, mode="r:*") as archive:
        unpacked = 0
        for member in archive:
            unpacked += member.size
            if unpacked > _MAX_UNPACKED_BYTES:
                raise _unusable(
                    path, message("it has more than {size} GiB", size=_MAX_UNPACKED_BYTES // 1024**3)
                )
            text = None
            if member.isfile() and _is_read(member.name) and member.size <= _MAX_TEXT_BYTES:
                content = archive.extractfile(member)
                text = content.read().decode("utf-8", "replace") if content is not None else None
            yield member.name, text


def _members_of_folder(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each file as an archive of the folder would have it; links are not followed."""
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if name != ".git"]
        for filename in files:
            file = Path(folder, filename)
            name = file.relative_to(path.parent).as_posix()
            status = file.lstat()
            wanted = _is_read(name) and stat.S_ISREG(status.st_mode) and status.st_size <= _MAX_TEXT_BYTES
            content = read_regular(file, limit=_MAX_TEXT_BYTES) if wanted else b""
            yield name, content.decode("utf-8", "replace") if wanted else None


def _is_read(name: str) -> bool:
    in_root = name.count("/") == 1 and name.rpartition("/")[2] in _READ
    return in_root or _EGG_INFO.search(name) is not None


def _declared(texts: dict[str, str], *, has_egg_info: bool) -> tuple[str, ...] | None:
    """The requirements in PKG-INFO, or in setuptools' own file; None where neither says that it has them all."""
    info = HeaderParser().parsestr(texts.get("PKG-INFO", ""))
    lines = info.get_all("Requires-Dist", ())
    dynamic = {field.lower() for field in info.get_all("Dynamic", ())}
    if lines and "requires-dist" not in dynamic:
        return tuple(lines)
    if has_egg_info:
        return _of_egg_info(texts.get("requires.txt", ""))
    project = _table(texts.get("pyproject.toml", ""), "project")
    if not info and project and "dependencies" not in project.get("dynamic", ()):
        stated = project.get("dependencies", [])
        return tuple(line for line in stated if isinstance(line, str)) if isinstance(stated, list) else None
    # https://packaging.python.org/en/latest/specifications/core-metadata/#dynamic
    is_complete = info.get("Metadata-Version", "1.0") >= "2.2" and "requires-dist" not in dynamic
    return () if is_complete else None


def _of_egg_info(text: str) -> tuple[str, ...]:
    """The lines of setuptools' requires.txt: `[:marker]` and `[extra]` stand above those that they belong to."""
    lines: list[str] = []
    marker = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if section := re.fullmatch(r"\[([^:\]]*)(?::([^\]]*))?\]", line):
            marker = section[2] or f'extra == "{section[1]}"'
        else:
            lines.append(f"{line}; {marker}" if marker else line)
    return tuple(lines)


def _version(texts: dict[str, str]) -> str | None:
    """The version that its files state."""
    version = HeaderParser().parsestr(texts.get("PKG-INFO", "")).get("Version")
    version = version or _table(texts.get("pyproject.toml", ""), "project").get("version")
    return version.strip() if isinstance(version, str) and _is_version(version.strip()) else None


def _build_requires(text: str) -> tuple[str, ...]:
    requires = _table(text, "build-system").get("requires", _DEFAULT_BUILD_REQUIRES)
    return (
        tuple(line for line in requires if isinstance(line, str))
        if isinstance(requires, (list, tuple))
        else ()
    )


def _table(text: str, key: str) -> dict[str, Any]:
    try:
        table = tomllib.loads(text).get(key, {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _project(line: str) -> str:
    found = _NAME.match(line.strip())
    return found[0].lower() if found else ""


def _unusable(path: Path, reason: str) -> SourceFailed:
    return SourceFailed(
        message("{path} is not a usable source distribution: {error}", path=path.name, error=reason),
        fix=message("download it again, or name another version"),
        code="bad-sdist",
    )
