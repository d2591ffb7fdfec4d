"""Read what a published version requires: a wheel's METADATA (PEP 658 or a range request), or an sdist's PKG-INFO."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from email.parser import HeaderParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

__all__ = ["TIMEOUT_SECONDS", "requirement_lines"]

TIMEOUT_SECONDS = 60
_RANGE_BYTES = 65536


def requirement_lines(session: requests.Session, files: list[dict[str, Any]]) -> list[str]:
    """Return the `Requires-Dist` lines of a version, of whose files one is read."""
    wheel = next((file for file in files if file["filename"].endswith(".whl")), None)
    text = _of_wheel(session, wheel) if wheel is not None else _of_sdist(session, files[0])
    return HeaderParser().parsestr(text).get_all("Requires-Dist") or []


def _of_wheel(session: requests.Session, file: dict[str, Any]) -> str:
    answer = session.get(f"{file['url']}.metadata", timeout=TIMEOUT_SECONDS)
    if answer.ok:
        return answer.text
    with zipfile.ZipFile(io.BufferedReader(_RangeFile(session, file), _RANGE_BYTES)) as archive:
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        return archive.read(name).decode()


def _of_sdist(session: requests.Session, file: dict[str, Any]) -> str:
    """Return the PKG-INFO, with the requirements of setuptools' own file where it names none."""
    content = session.get(file["url"], timeout=TIMEOUT_SECONDS).content
    if not file["filename"].endswith(".tar.gz"):
        return ""
    info, requires = "", ""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            found = archive.extractfile(member) if member.isfile() else None
            if found is not None and re.fullmatch(r"[^/]+/PKG-INFO", member.name):
                info = found.read().decode("utf-8", "replace")
            elif found is not None and re.fullmatch(r"[^/]+/[^/]+\.egg-info/requires\.txt", member.name):
                requires = found.read().decode("utf-8", "replace")
    if "\nRequires-Dist:" in info:
        return info
    return "".join(f"Requires-Dist: {line}\n" for line in _of_requires_txt(requires)) + info


def _of_requires_txt(text: str) -> list[str]:
    """The requirements of an egg-info: `[:marker]` and `[extra]` stand above those that they belong to."""
    lines, marker = [], ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if section := re.fullmatch(r"\[([^:]*):?(.*)\]", line):
            marker = section[2] or f'extra == "{section[1]}"'
        else:
            lines.append(f"{line}; {marker}" if marker else line)
    return lines


class _RangeFile(io.RawIOBase):
    """A file on a server, of which only what is read is fetched."""

    def __init__(self, session: requests.Session, file: dict[str, Any]) -> None:
        self._session, self._url, self._size, self._position = session, file["url"], file["size"], 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = (
            offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        )
        return self._position

    def readinto(self, buffer: Any) -> int:  # any object with the protocol of buffers
        last = min(self._position + len(buffer), self._size) - 1
        if last < self._position:
            return 0
        headers = {"Range": f"bytes={self._position}-{last}"}
        content = self._session.get(self._url, headers=headers, timeout=TIMEOUT_SECONDS).content
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)
