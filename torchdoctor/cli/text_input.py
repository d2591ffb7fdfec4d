"""A text that a user names: a file, standard input, or what was typed, in the encodings that consoles write."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from typing import IO, BinaryIO

__all__ = ["read_text"]

# Of a longer input the beginning and the end are read: what was run stands first, the error last.
_KEPT_BYTES = 6 * 1024 * 1024
_CHUNK = 1024 * 1024
# A stream is given up after this much: something that never ends is no report.
_STREAM = 512 * 1024 * 1024
_SILENCE_SECONDS = 60.0  # so long a pipe may bring nothing
# How pictures begin: PNG, JPEG, GIF, WebP and AVIF, BMP.
_PICTURE = re.compile(
    rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|....ftyp(?:avif|heic)|BM....\0\0\0\0", re.DOTALL
)


def read_text(name: str) -> str:
    """Return the text of a file, of standard input for `-`; raises `UsageError` if it cannot be read."""
    if name == "-":
        if sys.stdin.isatty():
            end = gettext("Ctrl-Z and Enter") if os.name == "nt" else "Ctrl-D"
            echo(gettext("Paste the text, then press {key}.").format(key=end), err=True)
        return _decoded(_ends_of_stream(sys.stdin.buffer))
    from torchdoctor.errors import UsageError

    try:
        return _decoded(_content(Path(name)))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            message("{name!r} cannot be read: {why}", name=name[:200], why=reason),
            fix=message("name a text file, or - for standard input"),
        ) from error


def _content(path: Path) -> bytes:
    """Return the ends of a file, or of what a pipe brings, such as the shell's `<(command)`; raises `OSError`."""
    if str(path) == os.devnull:
        return b""
    if stat.S_ISFIFO(path.stat().st_mode) and sys.platform != "win32":
        with contextlib.closing(_Pipe(path)) as pipe:
            return _ends_of_stream(pipe)
    with open_regular(path) as file:
        return _ends_of_file(file, os.fstat(file.fileno()).st_size)


class _Pipe:
    """A pipe that is read until its writer ends, or nothing comes for a minute; with a writer that never comes, too."""

    def __init__(self, path: Path) -> None:
        self._number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))

    def close(self) -> None:
        """Close it."""
        os.close(self._number)

    def read(self, size: int) -> bytes:
        """Return that many bytes, or what there was before the end; raises `OSError` where nothing comes."""
        pieces = bytearray()
        while len(pieces) < size and (piece := self._piece(size - len(pieces))):
            pieces += piece
        return bytes(pieces)

    def _piece(self, size: int) -> bytes:
        if not self._is_ready():
            raise TimeoutError(
                errno.ETIMEDOUT,
                message("nothing came from this pipe for {seconds:.0f} s", seconds=_SILENCE_SECONDS),
            )
        return os.read(self._number, min(size, _CHUNK))

    def _is_ready(self) -> bool:
        import select

        poll = select.poll()
        poll.register(self._number, select.POLLIN | select.POLLHUP)
        return bool(poll.poll(_SILENCE_SECONDS * 1000))


def _ends_of_file(file: IO[bytes], size: int) -> bytes:
    if size <= 2 * _KEPT_BYTES:
        return file.read(2 * _KEPT_BYTES)
    head = file.read(_KEPT_BYTES)
    file.seek(size - _KEPT_BYTES)
    return head + b"\n" + file.read(_KEPT_BYTES)


def _ends_of_stream(file: BinaryIO | _Pipe) -> bytes:
    head = file.read(_KEPT_BYTES)
    tail: deque[bytes] = deque(maxlen=_KEPT_BYTES // _CHUNK)
    taken = len(head)
    while taken < _STREAM and (chunk := file.read(_CHUNK)):
        taken += len(chunk)
        tail.append(chunk)
    return head + b"".join(tail)


def _decoded(raw: bytes) -> str:
    """Return the text in the encodings that consoles write: UTF-8, PowerShell's UTF-16, a Chinese Windows' GBK."""
    if _PICTURE.match(raw):
        from torchdoctor.errors import UsageError

        raise UsageError(
            message("that is a picture, and a picture cannot be read"),
            fix=message("copy the text itself from the terminal or the log"),
        )
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    chinese = raw.decode("gb18030", errors="replace")
    letters = sum("\u4e00" <= sign <= "\u9fff" for sign in chinese[:100_000])
    wrong = chinese[:100_000].count("\ufffd")
    return chinese if letters > 4 * wrong else raw.decode("utf-8", errors="replace")
