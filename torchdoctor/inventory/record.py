"""A distribution's files against its RECORD: missing, of another size, or of another hash."""

from __future__ import annotations

import csv
import hashlib
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Literal, NamedTuple

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.inventory import files
from torchdoctor.inventory.package_model import RecordedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.inventory.package_model import Depth, Distribution

__all__ = ["RecordRow", "parse_record", "read_record", "record_path", "wrong_files"]

_MAX_RECORD_BYTES = 32 << 20
_MAX_ROWS = 200_000
_MAX_SIZE_DIGITS = 15
_ALGORITHMS = ("sha256", "sha384", "sha512")


class RecordRow(NamedTuple):
    """One row of a RECORD; digest and size are None where it does not say them.

    A tuple, since torch has 12,000 of them, and a frozen dataclass takes four times as long to make.
    """

    path: str  # relative to the folder of packages, or absolute
    digest: str | None  # `sha256=` and the digest in base 64
    size: int | None  # bytes


def parse_record(text: str) -> Iterator[RecordRow]:
    """Yield the rows, without lines that are none, and without bytecode, which anybody may remove.

    https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
    """
    for line in text.splitlines()[:_MAX_ROWS]:
        # The csv reader costs four times as much, and only a name with a comma or a quote needs it.
        parts = line.rsplit(",", 2) if not line.startswith('"') else _quoted(line)
        if len(parts) != 3 or not parts[0] or parts[0].endswith(".pyc"):  # noqa: PLR2004
            continue
        path, digest, size = parts
        if "\0" not in path:
            known = size.isascii() and size.isdigit() and len(size) <= _MAX_SIZE_DIGITS
            yield RecordRow(path, digest or None, int(size) if known else None)


def _quoted(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return []


def read_record(distribution: Distribution) -> tuple[RecordRow, ...] | None:
    """Return the rows of a distribution's RECORD; None where there is none that can be read."""
    if distribution.kind != "wheel":
        return None
    text = files.read_text(record_path(distribution), limit=_MAX_RECORD_BYTES)
    return None if text is None else tuple(parse_record(text))


def record_path(distribution: Distribution) -> str:
    """Return where the RECORD of a wheel is."""
    return f"{distribution.metadata}/RECORD"


def wrong_files(
    rows: Iterable[RecordRow], folder: str, depth: Depth
) -> Iterator[tuple[RecordRow, RecordedFile]]:
    """Yield the rows whose file is not as they say, each with what is wrong; `folder` is what paths are relative to."""
    top = f"{folder}/"
    for row in rows:
        path = row.path if row.path.startswith("/") else top + row.path
        try:
            size = files.size_of(path)
        except FileNotFoundError:
            yield row, _problem(row, "missing", message("the file is missing"))
        except (OSError, ValueError) as error:
            yield row, _problem(row, "unreadable", getattr(error, "strerror", None) or str(error))
        else:
            if size is None:
                yield row, _problem(row, "missing", message("it is not a regular file"))
            # Launchers have the environment's own path in them, which changes when it is moved.
            elif row.path.startswith("../"):
                continue
            elif row.size is not None and size != row.size:
                yield (
                    row,
                    _problem(
                        row, "size", message("{size} bytes instead of {listed}", size=size, listed=row.size)
                    ),
                )
            elif depth == "hashes" and row.digest and not _same(path, row.digest):
                yield row, _problem(row, "hash", message("its contents differ from what was installed"))


def _problem(
    row: RecordRow, problem: Literal["missing", "size", "hash", "unreadable"], detail: str
) -> RecordedFile:
    return RecordedFile(
        path=sanitize_line(row.path, limit=400), problem=problem, detail=sanitize_line(detail)
    )


def _same(path: str, digest: str) -> bool:
    """Whether a file has the digest that RECORD gives; a digest of an unknown algorithm counts as the same."""
    name, _, wanted = digest.partition("=")
    if name not in _ALGORITHMS:
        return True
    try:
        with open_regular(path) as file:
            found = hashlib.new(name)
            while block := file.read(1 << 20):
                found.update(block)
    except OSError:
        return False
    return urlsafe_b64encode(found.digest()).rstrip(b"=").decode() == wanted.rstrip("=")
