"""What live indexes listed at the last `index update`, stored in the user's data folder."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping  # noqa: TC003  (core.serde reads the types of the fields)
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from torchdoctor.core.fs import atomic_write
from torchdoctor.core.fs.own_files import is_foreign
from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.serde import WholeNumber, from_json
from torchdoctor.errors import EnvironmentUnusable, SourceFailed
from torchdoctor.sources.vouching import vouches
from wheels_index import bundled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wheels_index import Overlay, Snapshot

__all__ = ["CachedIndex", "cache_file", "cache_lock", "known_index", "load_cache", "save_cache"]

_SCHEMA = 2
_MAX_BYTES = 64 * 1024 * 1024
_MAX_VALIDATOR_LENGTH = 1000
_LOCK_TIMEOUT_SECONDS = 30.0

Validators = tuple[str | None, str | None]  # ETag, Last-Modified


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedIndex:
    """What an index listed."""

    base: str  # its URL
    pages: dict[str, Validators]  # by URL, for conditional requests
    overlay: Overlay

    @property
    def vouched(self) -> bool:
        """Whether what it listed is believed: of another place only the names are kept, to be shown."""
        return vouches(self.base)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Index:
    """An index in the stored file."""

    base: str
    pages: Mapping[str, Validators]
    overlay: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class _Document:
    """The stored file: at most one index of PyTorch and PyPI, and one more of each kind that is not believed."""

    schema: Annotated[int, WholeNumber((_SCHEMA,))]
    indexes: tuple[_Index, ...]


def cache_file(folder: Path) -> Path:
    """Return the file in the data folder that holds what an index listed."""
    return folder / "index" / "live.json"


def known_index(
    folder: Path, note: Callable[[str], None] | None = None, *, unvouched: bool = False
) -> Snapshot:
    """Return the bundled snapshot with what the last `index update` brought.

    What another place than the official index or PyPI listed decides nothing: `unvouched` adds it, to show it.
    A file that cannot be read is ignored, and `note` is called with the reason; the next update replaces it.
    """
    snapshot = bundled()
    for stored in load_cache(folder, note):
        if not (stored.vouched or unvouched):
            continue
        from wheels_index import LiveSnapshot

        snapshot = LiveSnapshot(snapshot, stored.overlay)
    return snapshot


def load_cache(folder: Path, note: Callable[[str], None] | None = None) -> tuple[CachedIndex, ...]:
    """Return what is stored; nothing where the file is damaged, for which `note` is called."""
    path = cache_file(folder)
    if is_foreign(path):
        _note_ignored(note, path, message("it belongs to another user"))
        return ()
    try:
        with open_regular(path) as file:
            body = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        _note_ignored(note, path, error.strerror or str(error))
        return ()
    try:
        return _parse(body)
    except (ValueError, RecursionError) as error:
        _note_ignored(note, path, str(error)[:200])
        return ()


def _note_ignored(note: Callable[[str], None] | None, path: Path, reason: str) -> None:
    if note is not None:
        note(
            message(
                "{path} is ignored: {why}; `torchdoctor index update` writes it anew", path=path, why=reason
            )
        )


def _parse(body: bytes) -> tuple[CachedIndex, ...]:
    from wheels_index import Overlay

    if len(body) > _MAX_BYTES:
        raise ValueError(message("it is larger than {limit} MiB", limit=_MAX_BYTES >> 20))
    document = from_json(json.loads(body), _Document)
    indexes = tuple(
        CachedIndex(
            base=index.base,
            pages={url: _usable(validators) for url, validators in index.pages.items()},
            overlay=Overlay.from_json(index.overlay),
        )
        for index in document.indexes
    )
    return tuple(map(_believed, indexes))


def _believed(index: CachedIndex) -> CachedIndex:
    return index if index.vouched else replace(index, overlay=index.overlay.without_hashes())


def _usable(validators: Validators) -> Validators:
    """A validator that cannot stand in an HTTP header is none."""
    etag, modified = (
        value
        if value and len(value) <= _MAX_VALIDATOR_LENGTH and value.isascii() and value.isprintable()
        else None
        for value in validators
    )
    return etag, modified


def save_cache(folder: Path, stored: CachedIndex) -> None:
    """Store an index in place of the one of its kind; the file is replaced atomically.

    Raises `EnvironmentUnusable` where the folder cannot be written to.
    """
    path = cache_file(folder)
    others = (each for each in load_cache(folder) if _kind(each) != _kind(stored))
    indexes = sorted((*others, _believed(stored)), key=_kind)
    document = {
        "schema": _SCHEMA,
        "indexes": [
            {
                "base": index.base,
                "pages": {url: list(row) for url, row in index.pages.items()},
                "overlay": index.overlay.to_json(),
            }
            for index in indexes
        ],
    }
    with _os_errors_as_unusable(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(document, separators=(",", ":")))


def _kind(index: CachedIndex) -> tuple[bool, bool]:
    return not index.vouched, index.overlay.pypi


@contextlib.contextmanager
def cache_lock(folder: Path, *, seconds: float = _LOCK_TIMEOUT_SECONDS) -> Iterator[None]:
    """Hold the lock of the stored file during an update.

    Raises `SourceFailed` when another process holds it for longer than `seconds`, and `EnvironmentUnusable` where the
    folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    with _os_errors_as_unusable(folder):
        cache_file(folder).parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(cache_file(folder).with_suffix(".lock"))
        try:
            lock.acquire(timeout=seconds)
        except Timeout as error:
            raise SourceFailed(
                message("another torchdoctor is updating {path}", path=cache_file(folder)),
                fix=message("wait until it is done"),
                code="busy",
            ) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _os_errors_as_unusable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentUnusable(
            message(
                "{folder} cannot be written to: {strerror}", folder=folder, strerror=error.strerror or error
            ),
            fix=message("name another folder in TORCHDOCTOR_DATA_DIR"),
            code="data-folder",
        ) from error
