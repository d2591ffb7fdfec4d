"""Opens regular files alone, and reads a bounded part of them: a pipe may never answer, a device never end."""

from __future__ import annotations

import errno
import os
import stat
from typing import IO, TYPE_CHECKING

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["open_regular", "read_regular", "regular_descriptor"]

_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_BINARY", "O_CLOEXEC", "O_NOCTTY"):
    _FLAGS |= getattr(os, _name, 0)


def regular_descriptor(path: str | Path) -> int:
    """Open a regular file, or what a link to one leads to, and return its descriptor, which the caller closes.

    Raises `OSError` for anything else: what is no file is not even opened, as some devices do something then.
    """
    _refuse_special(os.stat(path).st_mode, path)  # noqa: PTH116  (thousands are opened; a Path each costs more)
    number = os.open(path, _FLAGS)
    try:
        # It may have become another one between the two calls.
        _refuse_special(os.fstat(number).st_mode, path)
    except BaseException:
        os.close(number)
        raise
    return number


def open_regular(path: str | Path) -> IO[bytes]:
    """Open a regular file to be read; raises `OSError` for anything else."""
    return os.fdopen(regular_descriptor(path), "rb")


def read_regular(path: str | Path, *, limit: int) -> bytes:
    """Return the bytes of a regular file; raises `OSError` for anything else, and for more than `limit` bytes."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size <= limit:
            content = file.read(limit + 1)
            if len(content) <= limit:
                return content
    raise OSError(errno.EFBIG, message("it has more than {limit:,} bytes", limit=limit), str(path))


def _refuse_special(mode: int, path: str | Path) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, message("it is a pipe or a device, and not a file"), str(path))
