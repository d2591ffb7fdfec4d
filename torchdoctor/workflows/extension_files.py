"""The libraries of the wheels of a lock: of files on this disk, and of files at a server by parts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from torchdoctor.core.fs.regular_files import regular_descriptor
from torchdoctor.core.net import RangeReader
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.cache import cached_path
from torchdoctor.install.wheel_layout import metadata_folders
from torchdoctor.inventory.extension_fits import needed_libraries, requires_torch
from torchdoctor.inventory.extension_misfit import may_be_extension
from torchdoctor.inventory.files import read_text
from torchdoctor.inventory.metadata import parse_metadata
from wheels_index.binary import BinaryError, BytesReader, FileReader, WheelFile, exported_symbols
from wheels_index.binary.needs import needs_of

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from torchdoctor.fetch import FetchedWheel
    from torchdoctor.lock import LockedWheel
    from torchdoctor.workflows.acquire_model import AcquireContext
    from wheels_index.binary import ExportedSymbols, PackageLibrary

__all__ = [
    "is_compiled",
    "is_extension",
    "local_libraries",
    "remote_libraries",
    "torch_symbols",
    "worth_a_look",
]

_LARGE_BYTES = 16 << 20  # from here on a wheel of an unknown package is looked into before it is fetched
_LIBRARIES_TRIED = 3  # of a package of which neither its name nor its metadata tells
_MAX_TRIED_BYTES = 8 << 20
_SMALL_BYTES = 12 << 20  # up to here a wheel is read whole at its server
_MAX_REMOTE_BYTES = 8 << 20  # of each library, compressed


def torch_symbols(
    wheels: Sequence[FetchedWheel], site_packages: Iterable[Path], files: contextlib.ExitStack
) -> ExportedSymbols | None:
    """Return the names that torch has: of the wheel that was fetched, else of the installed one.

    They are read while they are asked for, from files that `files` closes.
    """
    try:
        for fetched in wheels:
            if fetched.wheel.name == "torch":
                wheel = WheelFile(files.enter_context(FileReader(regular_descriptor(fetched.path))))
                own = [name for name in wheel.library_names if name.startswith("torch/lib/")]
                return exported_symbols(wheel.member(name) for name in own)
        for folder in site_packages:
            if paths := sorted((folder / "torch" / "lib").glob("*.so")):
                return exported_symbols(
                    [files.enter_context(FileReader(regular_descriptor(path))) for path in paths]
                )
    except (OSError, BinaryError):
        pass
    return None


def is_extension(fetched: FetchedWheel) -> bool:
    """Tell by its name, or else by its metadata, whether a wheel has code that is compiled against torch."""
    if not is_compiled(fetched.wheel.filename):
        return False
    may = may_be_extension(fetched.wheel.name)
    return may if may is not None else _requires_torch(fetched.path)


def is_compiled(filename: str) -> bool:
    """Tell by its name whether a wheel is for some systems only."""
    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return False
    return any(tag.platform != "any" for tag in tags)


@lru_cache(maxsize=256)
def _requires_torch(path: Path) -> bool:
    """Tell whether a wheel on the disk requires torch by its metadata, or one of its smallest libraries links it."""
    try:
        with FileReader(regular_descriptor(path)) as reader:
            wheel = WheelFile(reader)
            return _names_torch(wheel.metadata()) or _links_torch(wheel)
    except (OSError, BinaryError):
        return False


def _links_torch(wheel: WheelFile) -> bool:
    sizes = {name: wheel.members[name].file_size for name in wheel.library_names}
    small = [name for name in sorted(sizes, key=sizes.__getitem__) if sizes[name] <= _MAX_TRIED_BYTES]
    read = (entry.library for entry in wheel.libraries(small[:_LIBRARIES_TRIED]))
    return any(library is not None and needs_of(library).torch for library in read)


def _names_torch(metadata: dict[str, object]) -> bool:
    lines = metadata.get("requires_dist")
    return requires_torch(map(str, lines)) if isinstance(lines, list) else False


def installed_libraries(wheel: LockedWheel, site_packages: Iterable[Path]) -> tuple[PackageLibrary, ...]:
    """Read the libraries of a package that is installed and stays; none where it is not compiled against torch."""
    may = may_be_extension(wheel.name)
    if may is False or not is_compiled(wheel.filename):
        return ()
    for folder in site_packages:
        for metadata in metadata_folders(folder, {wheel.name}):
            text = read_text(str(metadata / "METADATA")) or ""
            if may or requires_torch(parse_metadata(text).requires):
                return needed_libraries(str(folder), str(metadata))
    return ()


@lru_cache(maxsize=64)
def local_libraries(path: Path) -> tuple[PackageLibrary, ...]:
    """Read the libraries of a wheel on this disk; none where it cannot be read."""
    try:
        with FileReader(regular_descriptor(path)) as reader:
            wheel = WheelFile(reader)
            return wheel.libraries(wheel.library_names)
    except (OSError, BinaryError):
        return ()  # installing it will say what is wrong with it


def worth_a_look(wheel: LockedWheel, requiring: Collection[str] = ()) -> bool:
    """Whether a wheel is looked into before it is fetched; those named in `requiring` are known to require torch."""
    if not wheel.url.startswith(("http://", "https://")) or not is_compiled(wheel.filename):
        return False
    may = may_be_extension(wheel.name)
    if may is not None:
        return may
    return wheel.name in requiring or (wheel.size or 0) >= _LARGE_BYTES


def remote_libraries(
    wheel: LockedWheel, context: AcquireContext, seconds: float, requiring: Collection[str] = ()
) -> tuple[PackageLibrary, ...] | None:
    """Read the libraries of a wheel in the cache, or by ranges for so many seconds; None where that is not possible.

    One that is not compiled against torch has none.
    """
    known = bool(may_be_extension(wheel.name)) or wheel.name in requiring
    if wheel.sha256 is not None:
        path = cached_path(context.cache / "wheels", wheel.sha256, wheel.filename)
        if path.is_file():
            return local_libraries(path) if known or _requires_torch(path) else ()
    if context.lock_request.offline or seconds <= 0:
        return None
    try:
        reader = RangeReader(wheel.url, seconds=seconds)
        if reader.size <= _SMALL_BYTES:  # one request instead of some for each library
            contents = WheelFile(BytesReader(reader.read_at(0, reader.size)))
        else:
            contents = WheelFile(reader, max_bytes=_MAX_REMOTE_BYTES)
        if known or _names_torch(contents.metadata()):
            return contents.libraries(contents.library_names)
    except (SourceFailed, BinaryError):
        return None
    return ()
