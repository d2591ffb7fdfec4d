"""Writes a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from torchdoctor.core.fs.sync import sync_directory

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PRIVATE_MODE", "SHARED_MODE", "atomic_write"]

PRIVATE_MODE = 0o600  # only this user may read it
SHARED_MODE = 0o666  # less the umask, as for any new file


def atomic_write(
    path: Path, content: str | bytes, *, mode: int = PRIVATE_MODE, durable: bool = False
) -> None:
    """Replace `path` with a new file of this content; a reader sees the old file or the new one, never a part.

    Text is written as UTF-8 with its own line ends. Other hard links of the old file keep its content, and a symbolic
    link at `path` is replaced, not followed. `durable` waits until the file is on the disk, so that it survives a
    power failure. Raises `OSError`, and then `path` is as it was and no other file is left.
    """
    part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(6)}.part")
    data = content.encode() if isinstance(content, str) else content
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    if durable:
        sync_directory(path.parent)
