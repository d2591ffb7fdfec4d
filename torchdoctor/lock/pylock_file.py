"""The text of a pylock.toml -> packaging's `Pylock`, or a `UsageError` that says why it is none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError
from torchdoctor.lock.untrusted import NEW_LOCK, refused

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.pylock import Pylock

__all__ = ["parse_pylock"]

_MAX_BYTES = 16 * 1024 * 1024


def parse_pylock(path: Path) -> Pylock:
    """Return the parsed file; raises `UsageError` for one that is not a lock, or that has files without a hash."""
    from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

    try:
        if not path.exists():
            raise UsageError(
                message("there is no lock {path}", path=path),
                fix=message("name a pylock.toml that exists"),
                code="bad-lock",
            )
        with open_regular(path) as file:
            text = file.read(_MAX_BYTES + 1)
        if len(text) > _MAX_BYTES:
            raise refused(path, message("it is larger than {limit} MiB", limit=_MAX_BYTES >> 20))
        document: dict[str, Any] = tomllib.loads(text.decode("utf-8"))
        _refuse_hashless(document, path)
        return Pylock.from_dict(document)
    except PylockUnsupportedVersionError as error:
        raise UsageError(
            message("{path} has a newer format than torchdoctor reads: {error}", path=path, error=error),
            fix=NEW_LOCK,
            code="bad-lock",
        ) from error
    except (OSError, ValueError, RecursionError, PylockValidationError) as error:
        raise UsageError(
            message("{path} is not a lock that can be read: {error}", path=path, error=str(error)[:300]),
            fix=message("give a pylock.toml (PEP 751), such as `torchdoctor resolve --format pylock` prints"),
            code="bad-lock",
        ) from error


def _refuse_hashless(document: dict[str, Any], path: Path) -> None:
    """Raise for a file without a SHA-256: such a lock is common and valid, and nothing can be verified with it."""
    packages = document.get("packages")
    for package in packages if isinstance(packages, list) else ():
        wheels = package.get("wheels") if isinstance(package, dict) else None
        for wheel in wheels if isinstance(wheels, list) else ():
            hashes = wheel.get("hashes") if isinstance(wheel, dict) else None
            if not isinstance(hashes, dict) or not isinstance(hashes.get("sha256"), str):
                raise UsageError(
                    message(
                        "{path} gives no SHA-256 for a file of {name!r}, so that file could be anything",
                        path=path,
                        name=str(package.get("name"))[:80],
                    ),
                    fix=NEW_LOCK,
                    code="lock-without-hashes",
                )
