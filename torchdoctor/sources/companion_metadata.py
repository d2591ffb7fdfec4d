"""What new companions declare of torch: read from the metadata beside a wheel, or from the wheel itself."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit, urlunsplit

from torchdoctor.core.fs.regular_files import regular_descriptor
from torchdoctor.core.i18n import message
from torchdoctor.core.net import NotFound, Page, RangeReader, Unreachable
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheels_index import Snapshot, Wheel
    from wheels_index.binary import WheelFile

__all__ = ["FetchPage", "declared_by", "requirement_lines"]

# New companion versions of one update whose metadata is read; a release brings one or two.
_MAX_READ_COUNT = 16
_MAX_LINE_COUNT = 200
_WHEEL_SECONDS = 30.0  # for the metadata of one wheel


class FetchPage(Protocol):
    """Fetches a page, as `core.net.fetch_page` does."""

    def __call__(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Page:
        """Return the page; it is `unchanged` where a validator still holds."""


def declared_by(
    wheels: Iterable[Wheel], snapshot: Snapshot, *, base: str, read: FetchPage, notes: list[str]
) -> dict[str, tuple[str, ...]]:
    """Return the `Requires-Dist` lines of companion versions that no known release has, such as `torchvision-0.31.0`.

    Each is read from the metadata file beside one wheel, with `read`, or where there is none from the wheel itself by
    range requests; `notes` receives why one could not be.
    """
    known = {
        f"{name}-{version}"
        for release in snapshot.releases()
        for name, companion in release.companions.items()
        for version in companion.versions
    }
    new: dict[str, Wheel] = {}
    for wheel in sorted(wheels, key=lambda wheel: wheel.version, reverse=True):
        name = f"{wheel.project}-{wheel.version.public}"
        if wheel.project in COMPANIONS and not (wheel.version.is_prerelease or wheel.yanked):
            new.setdefault(name, wheel)
    unknown = [(name, wheel) for name, wheel in new.items() if name not in known]
    found = {}
    for name, wheel in unknown[:_MAX_READ_COUNT]:
        lines = _declared_requirements(wheel, base, read, notes)
        if lines is not None:
            found[name] = lines
    return found


def _declared_requirements(
    wheel: Wheel, base: str, read: FetchPage, notes: list[str]
) -> tuple[str, ...] | None:
    try:
        lines = requirement_lines(wheel, base, read)
    except (NotFound, Unreachable, SourceFailed) as error:
        notes.append(
            message(
                "what {project} {public} declares of torch is unknown: {why}",
                project=wheel.project,
                public=wheel.version.public,
                why=error.message,
            )
        )
        return None
    return lines[:_MAX_LINE_COUNT]


def requirement_lines(wheel: Wheel, base: str, read: FetchPage) -> tuple[str, ...]:
    """Return the `Requires-Dist` lines of a wheel that an index at `base` lists, without fetching all of it.

    Raises `NotFound`, `Unreachable` or `SourceFailed` where they cannot be read.
    """
    if (wheel.url or "").startswith("file:"):
        return _lines_on_disk(wheel)
    return _lines_beside(wheel, base, read) if wheel.has_metadata else _lines_within(wheel)


def _lines_on_disk(wheel: Wheel) -> tuple[str, ...]:
    from torchdoctor.sources.listing import local_path
    from wheels_index.binary import BinaryError, FileReader, WheelFile

    try:
        with FileReader(regular_descriptor(local_path(wheel.url or ""))) as reader:
            return _lines_of(WheelFile(reader))
    except (OSError, BinaryError) as error:
        raise _not_a_wheel(wheel, error) from error


def _lines_beside(wheel: Wheel, base: str, read: FetchPage) -> tuple[str, ...]:
    """Read the metadata file that stands beside a wheel."""
    url = f"{wheel.url}.metadata"
    *others, last = dict.fromkeys((url, _on_host_of(base, url)))
    for place in others:
        with contextlib.suppress(NotFound, Unreachable):
            return _announced_lines(wheel, place, read)
    return _announced_lines(wheel, last, read)


def _announced_lines(wheel: Wheel, place: str, read: FetchPage) -> tuple[str, ...]:
    body = read(place).body
    if wheel.metadata_sha256 not in (None, hashlib.sha256(body).hexdigest()):
        raise SourceFailed(
            message("{place} is not the metadata that its page announces", place=redact_url(place)),
            fix=message("try again, or name another source with --index-url"),
            code="metadata-hash",
        )
    head = body.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")[0].split("\n")
    return tuple(
        line.removeprefix("Requires-Dist:").strip() for line in head if line.startswith("Requires-Dist:")
    )


def _lines_within(wheel: Wheel) -> tuple[str, ...]:
    """Read the metadata of a wheel by range requests; raises `SourceFailed` where that is not possible."""
    from wheels_index.binary import BinaryError, WheelFile

    try:
        return _lines_of(WheelFile(RangeReader(wheel.url or "", seconds=_WHEEL_SECONDS)))
    except BinaryError as error:
        raise _not_a_wheel(wheel, error) from error


def _not_a_wheel(wheel: Wheel, error: Exception) -> SourceFailed:
    return SourceFailed(
        message("{path} cannot be read as a wheel: {why}", path=wheel.filename, why=error),
        fix=message("try again, or name another source with --index-url"),
        code="not-a-wheel",
    )


def _lines_of(wheel: WheelFile) -> tuple[str, ...]:
    lines = wheel.metadata().get("requires_dist", ())
    return tuple(map(str, lines)) if isinstance(lines, list | tuple) else ()


def _on_host_of(base: str, url: str) -> str:
    """The same path on the index's own host: download-r2.pytorch.org has answered 403 for sidecars there."""
    host = urlsplit(base)
    return urlunsplit(urlsplit(url)._replace(scheme=host.scheme, netloc=host.netloc))
