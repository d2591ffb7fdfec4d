"""A wheel, local or read in pieces: its metadata, and what each compiled library in it needs."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from wheels_index.binary.package_libraries import LIBRARY_NAME, read_libraries
from wheels_index.binary.reader import (
    BinaryError,
    BlockReader,
    Damaged,
    LimitedReader,
    ReaderFile,
    Region,
)
from wheels_index.binary.zip_member import DeflatedMember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wheels_index.binary.library import GpuDepth
    from wheels_index.binary.package_libraries import PackageLibrary
    from wheels_index.binary.reader import Reader

__all__ = ["WheelContents", "WheelFile", "inspect_wheel"]

_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
_MAX_DIRECTORY_BYTES = 16 << 20  # torch's has 1.2 MB
_MAX_METADATA_BYTES = 4 << 20
_MAX_LIBRARIES = 500
_PIECE_BYTES = 4 << 20  # of a file that is unpacked
_LOCAL_HEADER = struct.Struct("<4s22xHH")


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelContents:
    """What stands in a wheel."""

    name: str | None
    version: str | None
    requires: tuple[str, ...]  # Requires-Dist
    requires_python: str | None
    libraries: tuple[PackageLibrary, ...]
    left_out: int = 0  # libraries that were not looked into, as there are too many


class WheelFile:
    """The directory of a wheel, and its files as readers.

    `max_bytes` is the most that is read of each file's compressed bytes; without it all of them may be.
    """

    def __init__(self, reader: Reader, *, max_bytes: int | None = None) -> None:
        self._reader, self._max_bytes = BlockReader(reader), max_bytes
        self.members = _directory(self._reader)

    @property
    def size(self) -> int:
        """The bytes of the wheel itself."""
        return self._reader.size

    @property
    def unpacked_size(self) -> int:
        """The bytes of all files together, as the directory gives them."""
        return sum(info.file_size for info in self.members.values())

    @property
    def library_names(self) -> tuple[str, ...]:
        """The paths of the compiled libraries."""
        return tuple(name for name in self.members if LIBRARY_NAME.fullmatch(name))

    def unpacked(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file in pieces; raises `Damaged` where it is not what the directory says."""
        info = self.members[name]
        packed, size, checksum = self._packed(info), 0, 0
        decoder = zlib.decompressobj(-15) if info.compress_type == zipfile.ZIP_DEFLATED else None
        for start in range(0, packed.size, _PIECE_BYTES):
            piece = packed.read_at(start, min(_PIECE_BYTES, packed.size - start))
            while piece:
                try:
                    content = decoder.decompress(piece, _PIECE_BYTES) if decoder is not None else piece
                except zlib.error as error:
                    raise Damaged(f"it cannot be unpacked: {error}") from error
                piece = decoder.unconsumed_tail if decoder is not None else b""
                size, checksum = size + len(content), zlib.crc32(content, checksum)
                if size > info.file_size:
                    raise Damaged(f"it unpacks to more than {info.file_size} bytes")
                yield content
        if size != info.file_size or checksum != info.CRC:
            raise Damaged("it unpacks to something else than the archive says")

    def member(self, name: str) -> Reader:
        """Return a file of the wheel; raises `Damaged` where its header does not say where it begins."""
        info = self.members[name]
        content = self._packed(info)
        if info.compress_type == zipfile.ZIP_STORED:
            return content
        return DeflatedMember(content, info.file_size, max_bytes=self._max_bytes)

    def _packed(self, info: zipfile.ZipInfo) -> Region:
        """Return the bytes of a file as they stand in the archive."""
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Damaged("it is compressed in a way that wheels do not use")
        start = info.header_offset
        magic, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(self._reader.read_at(start, _LOCAL_HEADER.size))
        if magic != b"PK\x03\x04":
            raise Damaged("a file does not begin where the directory says")
        if info.flag_bits & 1:
            raise Damaged("it is encrypted")
        return Region(self._reader, start + _LOCAL_HEADER.size + name_bytes + extra_bytes, info.compress_size)

    def libraries(
        self,
        names: Iterable[str],
        *,
        gpu: GpuDepth = "none",
        on_library: Callable[[str], None] = lambda _: None,
    ) -> tuple[PackageLibrary, ...]:
        """Read the libraries of these paths; `on_library` gets each path before."""

        def open_member(name: str) -> Reader:
            on_library(name)
            return self.member(name)

        return read_libraries(
            ((name, self.members[name].file_size, partial(open_member, name)) for name in names), gpu=gpu
        )

    def metadata(self) -> dict[str, object]:
        """Return the fields of METADATA, as `packaging.metadata` names them; empty where there is none."""
        from packaging.metadata import parse_email  # which imports the library for mail

        name = next((name for name in self.members if _METADATA.fullmatch(name)), None)
        if name is None or self.members[name].file_size > _MAX_METADATA_BYTES:
            return {}
        content = self.member(name)
        raw, _ = parse_email(content.read_at(0, content.size))
        return dict(raw)


def _directory(reader: Reader) -> dict[str, zipfile.ZipInfo]:
    """The files of a zip by name."""
    file = io.BufferedReader(ReaderFile(LimitedReader(reader, _MAX_DIRECTORY_BYTES)), 1 << 16)
    try:
        with zipfile.ZipFile(file) as archive:
            return {info.filename: info for info in archive.infolist() if not info.is_dir()}
    except BinaryError:
        raise
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        struct.error,
        ValueError,
        EOFError,
        OverflowError,
    ) as error:
        raise Damaged(f"it is no zip file that can be read: {error}") from error


def inspect_wheel(
    reader: Reader,
    *,
    max_bytes: int | None = None,
    gpu: GpuDepth = "all",
    on_library: Callable[[str], None] = lambda _: None,
) -> WheelContents:
    """Look into a wheel; raises `Damaged` where it is none.

    At most `max_bytes` of the compressed bytes of each library are read. `on_library` gets each path before it is read.
    """
    wheel = WheelFile(reader, max_bytes=max_bytes)
    fields = wheel.metadata()
    names = wheel.library_names
    libraries = wheel.libraries(names[:_MAX_LIBRARIES], gpu=gpu, on_library=on_library)
    requires = fields.get("requires_dist")
    return WheelContents(
        name=_text(fields.get("name")),
        version=_text(fields.get("version")),
        requires=tuple(map(str, requires)) if isinstance(requires, list) else (),
        requires_python=_text(fields.get("requires_python")),
        libraries=libraries,
        left_out=max(0, len(names) - _MAX_LIBRARIES),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
