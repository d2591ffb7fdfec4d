"""Looks into a wheel before anything unpacks it: every name in its place, listed, and of a size that can be true."""

from __future__ import annotations

import csv
import io
import re
import stat
import zipfile
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import joined, message
from torchdoctor.core.wheelfile.member_names import device_name, wrong_name
from torchdoctor.core.wheelfile.placement import PACKAGES, command_names, placements
from torchdoctor.errors import InstallFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["validate_wheel"]

_MEMBERS = 1_000_000
_RECORD_LIMIT = 256 * 1024 * 1024
# Deflate makes at most 1,032 bytes of one. Of 967 wheels of PyPI, looked at on 2026-11-25, the one that grows most
# unpacks to 17.7 times its size, and of those above 64 MiB to 6.7 times.
_RATIO = 100
_FREE = 64 * 1024 * 1024
_STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# https://packaging.python.org/en/latest/specifications/binary-distribution-format/
_SCHEMES = frozenset({"purelib", "platlib", "headers", "scripts", "data"})
_METADATA_FOLDERS = (".dist-info", ".egg-info")
_FOLDER_ENDINGS = frozenset({*_METADATA_FOLDERS, ".data"})
_ENTRY_POINTS_LIMIT = 4 * 1024 * 1024
_SEPARATOR = re.compile(r"[/\\:\x00-\x1f]")
_SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")
# What makes the folder a virtual environment, which no package may replace.
_ENVIRONMENTS_OWN = re.compile(
    r"(data/)?(pyvenv\.cfg|torchdoctor\.json|((bin|scripts|Scripts)/)(python[\d.]*w?(\.exe)?|activate(\.\w+|_this\.py)?))",
    re.IGNORECASE,
)


def validate_wheel(path: Path, filename: str) -> int:
    """The bytes that the wheel unpacks to; raises `InstallFailed` for one that no honest build makes.

    It must be a zip of regular files with plain relative names, one metadata folder that is its own, a RECORD that
    lists just these files at these sizes, and no more in it than its own size can hold. One that was looked into a
    moment ago is not read again.
    """
    try:
        seen = path.stat()
        return _looked_into(path, filename, seen.st_size, seen.st_mtime_ns)
    except (
        OSError,
        zipfile.BadZipFile,
        NotImplementedError,
        UnicodeDecodeError,
        csv.Error,
        EOFError,
    ) as error:
        raise _bad(filename, message("it cannot be read: {error}", error=error)) from error
    except RuntimeError as error:
        raise _bad(filename, message("it is encrypted")) from error


@lru_cache(maxsize=256)
def _looked_into(path: Path, filename: str, size: int, _changed: int) -> int:
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        return _check(archive, filename, size)


def _bad(filename: str, why: str) -> InstallFailed:
    return InstallFailed(
        message("{filename} is not a wheel that can be installed safely: {why}", filename=filename, why=why),
        fix=message(
            "remove it where it lies, or name another source with --index-url, --mirror or --find-links"
        ),
        code="bad-wheel",
    )


def _check(archive: zipfile.ZipFile, filename: str, size: int) -> int:
    members = archive.infolist()
    if len(members) > _MEMBERS:
        raise _bad(filename, message("it has {count} files", count=len(members)))
    for member in members:
        why = _wrong_member(member)
        if why is not None:
            raise _bad(filename, f"{member.filename[:120]!r} {why}")
    unpacked = sum(member.file_size for member in members)
    if sum(member.compress_size for member in members) > size or (
        unpacked > _FREE and unpacked > _RATIO * size
    ):
        raise _bad(
            filename, message("its {size} bytes would unpack to {unpacked}", size=size, unpacked=unpacked)
        )
    files = {member.filename: member.file_size for member in members if not member.is_dir()}
    _refuse_clashes([member.filename.rstrip("/") for member in members], filename)
    info = _refuse_foreign_folders(files, filename)
    _compare_record(archive, files, info, filename)
    _refuse_bad_commands(archive, files, info, filename)
    return unpacked


def _wrong_member(member: zipfile.ZipInfo) -> str | None:
    if (why := wrong_name(member)) is not None:
        return why
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return message("is a link or a device, not a file")
    if member.flag_bits & 1:
        return message("is encrypted")
    if member.compress_type not in _STORED_OR_DEFLATED:
        return message("is compressed in a way that wheels do not use")
    return None


def _refuse_clashes(names: list[str], filename: str) -> None:
    """Refuse two names that would be one file, such as `a.py` and `x.data/purelib/a.py`."""
    seen: dict[str, str] = {}
    for location, name in placements(names, ""):
        other = seen.setdefault(location.casefold(), name)
        if other != name:
            raise _bad(
                filename,
                message(
                    "{other!r} and {name!r} would be one file, at least where case does not count",
                    other=other[:120],
                    name=name[:120],
                ),
            )
    if len(set(names)) != len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise _bad(filename, message("{twice!r} is there twice", twice=twice[:120]))


def _refuse_foreign_folders(files: Mapping[str, int], filename: str) -> str:
    """The name of the wheel's own metadata folder; other packages' are not its business."""
    try:
        project, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise _bad(filename, message("its name is not that of a wheel")) from error
    tops = sorted({name.partition("/")[0] for name in files})
    infos = [name for name in tops if name.endswith(_METADATA_FOLDERS)]
    _refuse_disguised(tops, filename)
    if len(infos) != 1:
        raise _bad(
            filename,
            message(
                "it has {count} metadata folders and not one: {infos}",
                count=len(infos),
                infos=joined(infos[:3]),
            ),
        )
    for top in (infos[0], *(name for name in tops if name.endswith(".data"))):
        stem = top.rpartition(".")[0]
        name, _, rest = stem.partition("-")
        if canonicalize_name(name) != project or not _same_version(rest, str(version)):
            raise _bad(filename, message("its folder {top!r} is named after another package", top=top[:120]))
        # Installers find the one by the name of the other, or by its ending alone: they must mean the same folder.
        if stem != infos[0].rpartition(".")[0]:
            raise _bad(
                filename,
                message(
                    "its folders {one!r} and {other!r} have different names", one=infos[0], other=top[:120]
                ),
            )
        if top.endswith(".data"):
            _refuse_outside(top, files, filename)
    for location, name in placements(files, ""):
        inside = location.removeprefix(f"{PACKAGES}/").partition("/")[0]
        if inside != location and inside.casefold().endswith(_METADATA_FOLDERS) and inside != infos[0]:
            raise _bad(filename, message("{name!r} would be metadata of another package", name=name[:120]))
    return infos[0]


def _refuse_disguised(tops: Sequence[str], filename: str) -> None:
    """Refuse a folder that is found under an installer's name for it where case does not count."""
    for top in tops:
        ending = f".{top.rpartition('.')[2]}"
        if ending.casefold() in _FOLDER_ENDINGS and ending not in _FOLDER_ENDINGS:
            raise _bad(filename, message("its folder {top!r} is named after another package", top=top[:120]))


def _same_version(text: str, version: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return str(Version(text.replace("_", "+", 1) if "+" not in text else text)) == version
    except InvalidVersion:
        return text == version


def _refuse_outside(top: str, files: Mapping[str, int], filename: str) -> None:
    for name in files:
        if not name.startswith(f"{top}/"):
            continue
        inside = name.removeprefix(f"{top}/")
        if inside.partition("/")[0] not in _SCHEMES:
            raise _bad(
                filename, message("{name!r} would be put outside of the package's folders", name=name[:120])
            )
        if _ENVIRONMENTS_OWN.fullmatch(inside):
            raise _bad(
                filename, message("{name!r} would replace a part of the environment itself", name=name[:120])
            )


def _refuse_bad_commands(
    archive: zipfile.ZipFile, files: Mapping[str, int], info: str, filename: str
) -> None:
    """Refuse commands that an installer would make outside of its folder, or in the place of the environment's own."""
    listed = f"{info}/entry_points.txt"
    if listed not in files:
        return
    if files[listed] > _ENTRY_POINTS_LIMIT:
        raise _bad(filename, message("{name!r} is too large to be one", name=listed[:120]))
    for name in command_names(archive.read(listed).decode("utf-8")):
        if (
            _SEPARATOR.search(name)
            or name in ("", ".", "..")
            or device_name(name)
            or _ENVIRONMENTS_OWN.fullmatch(f"bin/{name}")
        ):
            raise _bad(filename, message("it makes a command named {name!r}", name=name[:120]))


def _compare_record(archive: zipfile.ZipFile, files: Mapping[str, int], info: str, filename: str) -> None:
    record = f"{info}/RECORD"
    if record not in files:
        raise _bad(filename, message("it has no RECORD of its files"))
    if files[record] > _RECORD_LIMIT:
        raise _bad(filename, "its RECORD is too large to be one")
    rows = list(csv.reader(io.StringIO(archive.read(record).decode("utf-8"), newline="")))
    listed = {row[0]: row[2] if len(row) > 2 else "" for row in rows if row}  # noqa: PLR2004
    unlisted = set(files) - set(listed) - {f"{info}/{name}" for name in _SIGNATURES}
    absent = {name for name in listed if name not in files and not name.endswith("/")} - {record}
    for names, what in (
        (unlisted, message("is not in its RECORD")),
        (absent, message("is in its RECORD and not in the file")),
    ):
        if names:
            raise _bad(filename, f"{min(names)[:120]!r} {what}")
    for name, length in listed.items():
        if length.isdigit() and name in files and int(length) != files[name]:
            raise _bad(
                filename,
                message(
                    "{name!r} has {size} bytes, and its RECORD says {length}",
                    name=name[:120],
                    size=files[name],
                    length=length[:20],
                ),
            )
