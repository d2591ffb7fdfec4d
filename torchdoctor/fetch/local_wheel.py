"""A wheel on a disk of this machine: used where it is, or copied first where others could exchange it later."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from torchdoctor.core.fs.own_files import create_own_file, make_own_folder
from torchdoctor.core.fs.ownership import foreign_reason
from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n import message
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.cache import cached_path
from torchdoctor.fetch.model import fetched_wheel
from torchdoctor.fetch.verification import refuse_wrong_hash
from torchdoctor.sources.listing import local_path

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.fetch.model import FetchedWheel
    from torchdoctor.lock import LockedWheel

__all__ = ["others_may_change", "verify_local_wheel"]

_BLOCK_BYTES = 1 << 23


def verify_local_wheel(wheel: LockedWheel, cache: Path) -> FetchedWheel:
    """Return the wheel, whose hash is right; raises `SourceFailed` where it is another one or cannot be read.

    Where others may change it, the copy in `cache` is checked and used.
    """
    path = local_path(wheel.url)
    try:
        if not others_may_change(path):
            digest = sha256_of(path)
            refuse_wrong_hash(wheel, digest, str(path))
            return fetched_wheel(wheel, path, digest, str(path.parent))
        copy, digest = _copied(path, cache)
        try:
            refuse_wrong_hash(wheel, digest, str(path))
            target = cached_path(cache, digest, wheel.filename)
            make_own_folder(target.parent, below=cache)
            copy.replace(target)
        finally:
            copy.unlink(missing_ok=True)
    except OSError as error:
        raise SourceFailed(
            message("{path} cannot be read: {strerror}", path=path, strerror=error.strerror or error),
            fix=message("check the folder"),
            code="unreachable",
        ) from error
    return fetched_wheel(wheel, target, digest, str(path.parent))


def others_may_change(path: Path) -> bool:
    """Say whether another user than the administrator may write to the file, or exchange it or what leads to it."""
    return foreign_reason([path]) is not None


def _copied(path: Path, cache: Path) -> tuple[Path, str]:
    """Copy the file into the cache; return the copy and its digest."""
    make_own_folder(cache / "partial", below=cache)
    copy = cache / "partial" / f"{hashlib.sha256(os.fsencode(path)).hexdigest()}-{os.getpid()}.copy"
    digest = hashlib.sha256()
    try:
        with open_regular(path) as source, create_own_file(copy) as target:
            while block := source.read(_BLOCK_BYTES):
                digest.update(block)
                left = memoryview(block)
                while left:
                    left = left[target.write(left) or 0 :]
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return copy, digest.hexdigest()
