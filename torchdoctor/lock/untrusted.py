"""Checks of a lock that anybody may have written: names, places and hashes that no installer may trust unseen."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.urls import redact_url
from torchdoctor.core.wheelfile.member_names import device_name, is_safe_wheel_name
from torchdoctor.errors import UsageError
from torchdoctor.lock.model import LockedWheel

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from packaging.pylock import Package, PackageWheel, Pylock

__all__ = ["NEW_LOCK", "checked_wheel", "refuse_clashing_names", "refused"]

NEW_LOCK = message("make a new one on a machine with network: torchdoctor resolve --format pylock")

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHOWN_LENGTH = 120  # characters of a name from the file that a message repeats


def refused(path: Path, reason: str) -> UsageError:
    """Return the error for a lock that must not be installed from."""
    return UsageError(
        message("{path} is not a lock to install from: {what}", path=path, what=reason),
        fix=joined([message("look where it comes from"), NEW_LOCK], "; "),
        code="bad-lock",
    )


def refuse_clashing_names(lock: Pylock, path: Path) -> None:
    """Raise `UsageError` for two files that are one where case does not count, and for a name not normalised."""
    names: dict[str, str] = {}
    for package in lock.packages:
        if canonicalize_name(package.name) != package.name:
            raise refused(path, message("{name!r} is not a name as locks write it", name=package.name[:80]))
        for wheel in package.wheels or ():
            name = wheel.name or unquote((wheel.url or wheel.path or "").rpartition("/")[2])
            other = names.setdefault(name.casefold(), name)
            if other != name:
                reason = message(
                    "{other!r} and {name!r} are one file where case does not count",
                    other=other[:_SHOWN_LENGTH],
                    name=name[:_SHOWN_LENGTH],
                )
                raise refused(path, reason)


def checked_wheel(package: Package, wheel: PackageWheel, path: Path) -> LockedWheel:
    """Return a wheel of the lock at `path`; raises `UsageError` where its name, place, hash or size cannot be right."""
    url = wheel.url if wheel.url is not None else _in_folder_of(path, wheel.path or "").as_uri()
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise refused(path, message("{place} is no URL", place=redact_url(url)[:200])) from error
    filename = unquote(parts.path).rpartition("/")[2]
    name = wheel.name or filename
    version = _check_name(package, name, path)
    _check_place(url, parts, filename, name, path)
    digest = wheel.hashes["sha256"].lower()
    if not _SHA256.fullmatch(digest):
        raise refused(path, message("{digest!r} is no SHA-256", digest=digest[:80]))
    if wheel.size is not None and wheel.size < 0:
        raise refused(path, message("{named} has a negative size", named=name))
    return LockedWheel(
        name=package.name, version=version, filename=name, url=url, sha256=digest, size=wheel.size
    )


def _check_name(package: Package, name: str, path: Path) -> str:
    """Return the version in a file name, which must be that of a wheel of the package."""
    if not is_safe_wheel_name(name) or device_name(name.partition("-")[0]):
        raise refused(path, message("{named!r} is not the name of a wheel", named=name[:_SHOWN_LENGTH]))
    try:
        project, version, _, _ = parse_wheel_filename(name)
    except InvalidWheelFilename as error:
        raise refused(
            path, message("{named!r} is not the name of a wheel", named=name[:_SHOWN_LENGTH])
        ) from error
    if project != package.name or (package.version is not None and package.version != version):
        reason = message(
            "{named} is not a file of {name} {version}",
            named=name,
            name=package.name,
            version=package.version or "",
        )
        raise refused(path, reason)
    return str(version)


def _check_place(url: str, parts: SplitResult, filename: str, name: str, path: Path) -> None:
    if parts.scheme.lower() not in ("http", "https", "file"):
        raise refused(path, message("{place} is neither http(s) nor a file", place=redact_url(url)[:200]))
    if parts.scheme.lower() == "file" and filename != name:
        reason = message(
            "{filename!r} is not the file {named!r}", filename=filename[:_SHOWN_LENGTH], named=name
        )
        raise refused(path, reason)


def _in_folder_of(path: Path, name: str) -> Path:
    """The path of a file in the lock's own folder or below it; a lock may name no file elsewhere."""
    inner = PurePosixPath(name.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise refused(path, message("{name!r} is outside of its folder", name=name[:_SHOWN_LENGTH]))
    return Path(path.absolute().parent, *inner.parts)
