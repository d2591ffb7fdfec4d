"""Wheels that were made to harm, as files."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

from tests.wheelmaker import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

ZEROS = "needed/zeros.bin"


def saved(folder: Path, project: str, version: str = "1.0", **given: object) -> Path:
    """The path of a wheel for every system; what is `given` is that of `make_wheel`."""
    name, content = make_wheel(project, version, tag="py3-none-any", **given)  # type: ignore[arg-type]
    path = folder / name
    path.write_bytes(content)
    return path


def bomb(megabytes: int, *, said: int | None = None) -> tuple[str, bytes]:
    """A small wheel that unpacks to so many megabytes of zeros; its directory may say that they are `said` bytes."""
    zeros = bytes(megabytes << 20)
    name, plain = make_wheel(
        "needed", "1.0", tag="py3-none-any", modules={ZEROS: bytes(said) if said is not None else zeros}
    )
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(plain)) as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for member in source.infolist():
            content = zeros if member.filename == ZEROS else source.read(member)
            archive.writestr(zipfile.ZipInfo(member.filename), content, zipfile.ZIP_DEFLATED)
    content = bytearray(made.getvalue())
    if said is not None:
        _say_size(content, said)
    return name, bytes(content)


def _say_size(content: bytearray, size: int) -> None:
    """Write another size before the name of the zeros: in its own header and in the directory."""
    place = content.find(ZEROS.encode())
    while place >= 0:
        for signature, header, field in ((b"PK\x03\x04", 30, 22), (b"PK\x01\x02", 46, 24)):
            start = place - header
            if start >= 0 and content[start : start + 4] == signature:
                content[start + field : start + field + 4] = struct.pack("<I", size)
        place = content.find(ZEROS.encode(), place + 1)
