"""What live indexes said, kept in the user's data folder: loaded when it is there, refreshed on request."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fs import atomic_write
from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import EnvironmentUnusable, SourceFailed
from wheels_index import bundled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wheels_index import Overlay, Snapshot

__all__ = ["Stored", "known_index", "load", "locked", "save", "stored_file"]

_SCHEMA = 1
_LIMIT = 64 * 1024 * 1024
_MAX_VALIDATOR = 1000
_LOCK_SECONDS = 30.0

Validators = tuple["str | None", "str | None"]  # ETag, Last-Modified


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What an index at `base` listed, and for each page's URL what to ask again with."""

    base: str
    pages: dict[str, Validators]
    overlay: Overlay


def stored_file(folder: Path) -> Path:
    """Where the data folder keeps what an index said."""
    return folder / "index" / "live.json"


def known_index(folder: Path, note: Callable[[str], None] | None = None) -> Snapshot:
    """The snapshot that comes with the package, with what the last `index update` brought.

    A stored file that cannot be read is ignored, and `note` is told; the next update writes it anew.
    """
    stored = load(folder, note)
    if stored is None:
        return bundled()
    from wheels_index import LiveSnapshot

    return LiveSnapshot(bundled(), stored.overlay)


def load(folder: Path, note: Callable[[str], None] | None = None) -> Stored | None:
    """What is stored; None when nothing is, or nothing that can be believed."""
    path = stored_file(folder)
    try:
        with path.open("rb") as file:
            body = file.read(_LIMIT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        _say(note, path, error.strerror or str(error))
        return None
    try:
        return _stored(body)
    except (ValueError, RecursionError) as error:
        _say(note, path, str(error)[:200])
        return None


def _say(note: Callable[[str], None] | None, path: Path, why: str) -> None:
    if note is not None:
        note(
            message("{path} is ignored: {why}; `torchdoctor index update` writes it anew", path=path, why=why)
        )


def _stored(body: bytes) -> Stored:
    from wheels_index import Overlay

    if len(body) > _LIMIT:
        raise ValueError(message("it is larger than {limit} MiB", limit=_LIMIT >> 20))
    data = json.loads(body)
    if not isinstance(data, dict) or data.get("schema") != _SCHEMA:
        raise ValueError(message("it is not of schema {schema}", schema=_SCHEMA))
    base, pages = data.get("base"), data.get("pages")
    if not isinstance(base, str) or not isinstance(pages, dict):
        raise ValueError("it names no index")  # noqa: TRY004  (one kind for bad data)
    return Stored(
        base=base,
        pages={url: _validators(row) for url, row in pages.items()},
        overlay=Overlay.from_json(data.get("overlay")),
    )


def _validators(row: Any) -> Validators:
    if not isinstance(row, list) or len(row) != 2:  # noqa: PLR2004  (ETag, Last-Modified)
        raise ValueError("a page's validators are not two")
    etag, modified = (
        value
        if isinstance(value, str) and len(value) <= _MAX_VALIDATOR and value.isascii() and value.isprintable()
        else None
        for value in row
    )
    return etag, modified


def save(folder: Path, stored: Stored) -> None:
    """Write it, whole or not at all."""
    path = stored_file(folder)
    document = {
        "schema": _SCHEMA,
        "base": stored.base,
        "pages": {url: list(row) for url, row in stored.pages.items()},
        "overlay": stored.overlay.to_json(),
    }
    with _told(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(document, separators=(",", ":")))


@contextlib.contextmanager
def locked(folder: Path, *, seconds: float = _LOCK_SECONDS) -> Iterator[None]:
    """Hold the data folder's index for one update; `SourceFailed` when another keeps it for too long."""
    from filelock import FileLock, Timeout

    with _told(folder):
        stored_file(folder).parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(stored_file(folder).with_suffix(".lock"))
        try:
            lock.acquire(timeout=seconds)
        except Timeout as error:
            raise SourceFailed(
                message("another torchdoctor is updating {path}", path=stored_file(folder)),
                fix=message("wait until it is done"),
                code="busy",
            ) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
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
